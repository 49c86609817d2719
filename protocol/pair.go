package protocol

import (
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
	sa, sb := transport.Pipe()
	if a, err = NewConn(ctx, sa, rootA, &with); err != nil {
		_ = sb.Close()
		return nil, nil, err
	}
	if b, err = NewConn(ctx, sb, rootB, &with); err != nil {
		_ = a.CloseNow()
		return nil, nil, err
	}
	return a, b, nil
}
