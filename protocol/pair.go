package protocol

import (
	"cmp"
	"context"

	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// Pair makes two connections that are each other's peers, in memory (rpyc.utils.factory.connect_thread). The first has
// rootA as its local root and reaches rootB through its Root, and the other way round; nil roots are void.
func Pair(ctx context.Context, rootA, rootB any, cfg *Config) (a, b *Conn, err error) {
	var with Config
	if cfg != nil {
		with = *cfg
	}
	if with.Dialect == nil {
		with.Dialect = wire.FamilyD
	}
	if err := cmp.Or(CheckService(rootA), CheckService(rootB)); err != nil {
		return nil, nil, err
	}
	sa, sb := transport.Pipe()
	a, b = newConn(ctx, sa, rootA, &with), newConn(ctx, sb, rootB, &with)
	opened := make(chan error, 1)
	go func() { opened <- a.open(nil) }() // its OnConnect may call b
	err = b.open(nil)
	if err = cmp.Or(<-opened, err); err != nil {
		_, _ = a.CloseNow(), b.CloseNow()
		return nil, nil, err
	}
	return a, b, nil
}
