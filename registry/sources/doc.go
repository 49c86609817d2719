// Package sources has sources of addresses for a protocol.Client, which learns from them where the servers of a service
// are: [Registry], [DNS] and [File]. Packages kubernetes and consul below it have those that speak HTTP, so that other
// programs are built without it. All of them are used as ClientConfig.Source; docs/discovery.md tells more.
package sources

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport/pause"
)

// poll calls look until ctx ends or look fails, and tells of addresses that differ from those before. look returns how
// soon it is to be called again.
func poll(ctx context.Context, update func([]protocol.Address),
	look func() (addrs []protocol.Address, next time.Duration, err error)) error {
	var known []protocol.Address
	for told := false; ; told = true {
		addrs, next, err := look()
		if err != nil {
			return err
		}
		slices.SortFunc(addrs, func(a, b protocol.Address) int { return cmp.Compare(a.Addr, b.Addr) })
		if !told || !slices.Equal(addrs, known) {
			update(addrs)
			known = addrs
		}
		if err := pause.For(ctx, next); err != nil {
			return err
		}
	}
}
