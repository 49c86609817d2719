package access_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/servers/access"
)

// TestConnects bounds how many connections a peer has, and how often it makes one; others have their own.
func TestConnects(t *testing.T) {
	for name, limit := range map[string]access.Limit{
		"at the same time": {Concurrent: 2, Wait: -1}, "a second": {Rate: 1e-3, Burst: 2, Wait: -1},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := access.New(&access.Policy{Rules: []access.Rule{{Who: []string{"*"}, Connects: limit}}})
			require.NoError(t, err)
			connect := func(id *protocol.Identity) (end func(), err error) {
				cfg := *e.Config(nil)
				if id != nil {
					cfg.Credentials = id
				}
				near, far := transport.Pipe()
				a, err := protocol.NewConn(context.Background(), near, &shop{}, &cfg)
				require.NoError(t, err)
				b, err := protocol.DialStream(t.Context(), far, nil, nil)
				if err != nil {
					<-a.Done()
					return nil, err
				}
				_, err = netref.Call[int](t.Context(), b.Root(), "add", 1, 2)
				return func() {
					_ = b.Close()
					<-a.Done()
					<-b.Done()
				}, err
			}
			first, err := connect(ann)
			require.NoError(t, err)
			second, err := connect(ann)
			require.NoError(t, err)
			_, err = connect(ann)
			require.ErrorIs(t, err, protocol.ErrClosed)
			other, err := connect(nil)
			require.NoError(t, err)
			first()
			third, err := connect(ann)
			if limit.Concurrent > 0 {
				require.NoError(t, err)
				third()
			} else {
				require.ErrorIs(t, err, protocol.ErrClosed)
			}
			second()
			other()
		})
	}
}
