package protocol_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// TestDial connects over TCP and by a socket file to a server that finds out what the client speaks.
func TestDial(t *testing.T) {
	ctx := t.Context()
	for network, addr := range map[string]string{"tcp": "127.0.0.1:0", "unix": t.TempDir() + "/s"} {
		for _, d := range []*wire.Dialect{nil, wire.FamilyC, wire.FamilyD} {
			l, err := net.Listen(network, addr)
			require.NoError(t, err)
			served := make(chan *protocol.Conn, 1)
			go func() {
				s, err := l.Accept()
				if err != nil {
					t.Error(err)
				}
				c, err := protocol.NewConn(context.Background(), s, &service{}, nil)
				if err != nil {
					t.Error(err)
				}
				served <- c
			}()
			c, err := protocol.DialService(ctx, network, l.Addr().String(), Greeter{}, &protocol.Config{Dialect: d})
			require.NoError(t, err)
			require.Equal(t, Greeter{}, c.Local())
			require.Equal(t, l.Addr().String(), c.RemoteAddr().String())
			require.NotNil(t, c.Stream())
			n, err := netref.Call[int](ctx, c.Root(), "add", 2, 3)
			require.NoError(t, err)
			require.Equal(t, 5, n)
			s := <-served
			require.Same(t, c.Dialect(), s.Dialect())
			if d != nil {
				require.Same(t, d, c.Dialect())
			}
			greeting, err := netref.Call[string](ctx, s.Root(), "greet", "Ann")
			require.NoError(t, err)
			require.Equal(t, "Hello, Ann", greeting)
			require.NoError(t, c.Close())
			<-c.Done()
			<-s.Done()
			_ = l.Close()
		}
	}
	_, err := protocol.Dial(ctx, "tcp", "127.0.0.1:1", nil)
	var oe *net.OpError
	require.ErrorAs(t, err, &oe)
	_, err = protocol.Dial(ctx, "carrier pigeon", "x", nil)
	require.Error(t, err)
}

// negotiate has the peers play one after the other what the streams lead to.
func negotiate(t *testing.T, cfg *protocol.Config, plays ...func(p io.ReadWriteCloser)) (*protocol.Conn, error) {
	t.Helper()
	opened := 0
	c, err := protocol.Negotiate(t.Context(), func(context.Context) (io.ReadWriteCloser, error) {
		near, far := transport.Pipe()
		require.Less(t, opened, len(plays), "one attempt too many")
		go plays[opened](far)
		opened++
		return near, nil
	}, nil, cfg)
	require.Equal(t, len(plays), opened)
	if c != nil {
		t.Cleanup(func() {
			_ = c.CloseNow()
			<-c.Done()
		})
	}
	return c, err
}

// TestNegotiate meets peers of both families, and some that are no peers.
func TestNegotiate(t *testing.T) {
	root := id("m.Service", 1, 2)
	answers := func(d *wire.Dialect) func(io.ReadWriteCloser) {
		return func(s io.ReadWriteCloser) {
			p := newPeer(t, s, d)
			p.reply(p.expect("REQUEST 0 GETROOT ()").seq, mine(root))
		}
	}
	closes := func(s io.ReadWriteCloser) {
		_, _ = readPayload(s)
		newPeer(t, s, wire.FamilyC).request(int64(0), wire.HandleClose)
		_ = s.Close()
	}
	hangsUp := func(s io.ReadWriteCloser) {
		_, _ = readPayload(s)
		_ = s.Close()
	}
	raises := func(s io.ReadWriteCloser) {
		p := newPeer(t, s, wire.FamilyD)
		p.raise(p.next().seq, "RuntimeError", "no root for you")
	}
	byValue := func(s io.ReadWriteCloser) {
		p := newPeer(t, s, wire.FamilyD)
		p.reply(p.next().seq, val("no object"))
	}
	rubbish := func(s io.ReadWriteCloser) {
		_, _ = readPayload(s)
		_, _ = s.Write(frameOf([]byte("HTTP/1.1 400 Bad Request")))
	}

	c, err := negotiate(t, nil, answers(wire.FamilyD))
	require.NoError(t, err)
	require.Same(t, wire.FamilyD, c.Dialect())
	require.Equal(t, "m.Service", c.Root().ClassName())
	for _, first := range []func(io.ReadWriteCloser){closes, hangsUp} {
		c, err = negotiate(t, nil, first, answers(wire.FamilyC))
		require.NoError(t, err)
		require.Same(t, wire.FamilyC, c.Dialect())
	}
	_, err = negotiate(t, nil, hangsUp, hangsUp)
	require.ErrorIs(t, err, protocol.ErrClosed)
	require.ErrorIs(t, err, io.EOF)
	_, err = negotiate(t, &protocol.Config{Dialect: wire.FamilyD}, closes)
	var wrong *protocol.WrongDialectError
	require.ErrorAs(t, err, &wrong)
	require.ErrorContains(t, err, "family C")
	newer := func(s io.ReadWriteCloser) {
		p := newPeer(t, s, wire.FamilyD)
		p.reply(p.next().seq, mine(id4("m.Service", 1, 2, 3)))
		p.expectEOF()
	}
	_, err = negotiate(t, &protocol.Config{Dialect: wire.FamilyD}, newer)
	require.ErrorAs(t, err, &wrong)
	require.Same(t, wire.FamilyE, wrong.Got)
	_, err = negotiate(t, nil, raises)
	require.ErrorIs(t, err, vinegar.RuntimeError)
	_, err = negotiate(t, nil, byValue)
	var form *wire.FormError
	require.ErrorAs(t, err, &form)
	_, err = negotiate(t, &protocol.Config{Dialect: wire.FamilyD}, rubbish)
	require.Error(t, err)

	why := errors.New("no route")
	_, err = protocol.Negotiate(t.Context(), func(context.Context) (io.ReadWriteCloser, error) {
		return nil, why
	}, nil, nil)
	require.ErrorIs(t, err, why)
}

// TestUnknownFirstMessage sends a server what no peer would begin with.
func TestUnknownFirstMessage(t *testing.T) {
	var log bytes.Buffer
	near, far := transport.Pipe()
	c, err := protocol.NewConn(t.Context(), near, nil, &protocol.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)
	_, err = far.Write(frameOf([]byte("GET / HTTP/1.1")))
	require.NoError(t, err)
	<-c.Done()
	var unknown *wire.UnknownDialectError
	require.ErrorAs(t, c.Err(), &unknown)
	require.Equal(t, byte('G'), unknown.First)
	require.Contains(t, log.String(), "level=WARN")
}
