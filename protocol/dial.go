package protocol

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// Dial connects to a peer (rpyc.connect, rpyc.utils.factory.unix_connect). network is "tcp", "tcp4", "tcp6" or "unix". The
// local root is void; [DialService] exposes one.
//
// ctx bounds the connecting, not the life of the connection.
//
// A peer does not say which protocol family it speaks. Unless Config.Dialect tells, Dial asks for the peer's root in the
// newest family; a peer that does not understand hangs up, and Dial connects again with the older one. Telling the dialect
// saves a peer of RPyC 5 or older the failed attempt, which it logs as a traceback. A program that opens many connections
// can learn it from the first one's [Conn.Dialect].
func Dial(ctx context.Context, network, addr string, cfg *Config) (*Conn, error) {
	return DialService(ctx, network, addr, nil, cfg)
}

// DialService is [Dial] with a local root object that the peer gets as our service (rpyc.connect's service argument).
func DialService(ctx context.Context, network, addr string, root any, cfg *Config) (*Conn, error) {
	return Negotiate(ctx, func(ctx context.Context) (io.ReadWriteCloser, error) {
		return transport.Dial(ctx, network, addr, nil)
	}, root, cfg)
}

// Negotiate is what the Dial functions do once they know how to open a stream: it opens one, finds out which family the
// peer speaks unless cfg tells, and returns a connection whose root has been fetched. open is called a second time if the
// first family tried was wrong.
func Negotiate(ctx context.Context, open func(context.Context) (io.ReadWriteCloser, error), root any, cfg *Config) (*Conn, error) {
	dialects := []*wire.Dialect{wire.FamilyD, wire.FamilyC}
	if cfg != nil && cfg.Dialect != nil {
		dialects = []*wire.Dialect{cfg.Dialect}
	}
	var errs []error
	for _, d := range dialects {
		var with Config
		if cfg != nil {
			with = *cfg
		}
		with.Dialect = d
		c, err := attempt(ctx, open, root, &with)
		if err == nil {
			return c, nil
		}
		errs = append(errs, err)
		if !wrongDialect(err) {
			break
		}
	}
	return nil, fmt.Errorf("rpyc: dial: %w", errors.Join(errs...))
}

// wrongDialect reports whether a first request failed in the way it does with a peer of another family: it hangs up, with a
// CLOSE in its own form before or without.
func wrongDialect(err error) bool {
	var wrong *WrongDialectError
	return errors.As(err, &wrong) || errors.Is(err, ErrClosed)
}

func attempt(ctx context.Context, open func(context.Context) (io.ReadWriteCloser, error), root any, cfg *Config) (*Conn, error) {
	stream, err := open(ctx)
	if err != nil {
		return nil, err
	}
	c, err := NewConn(context.WithoutCancel(ctx), stream, root, cfg)
	if err != nil {
		return nil, err
	}
	if err := c.ResolveRoot(ctx, c.root); err != nil {
		_ = c.CloseNow()
		return nil, err
	}
	return c, nil
}
