package conform

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/wire"
	"github.com/gorpyc/gorpyc/servers"
)

type plain struct{}

func (plain) Add(a, b int) int { return a + b }

// Another service than the reference one is not found faulty for what its configuration opens or hides.
func TestConfiguredServersAreClean(t *testing.T) {
	for name, cfg := range map[string]*protocol.Config{
		"default": nil,
		"public":  {Access: exposed.Policy{AllowPublic: true}},
		"all":     {Access: exposed.Policy{AllowAll: true, AllowSet: true, AllowDel: true}, AllowPickle: true},
		"hidden":  {HideTraceback: true, HideVersion: true},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			srv := &servers.Server{Service: plain{}, Config: cfg}
			done := make(chan error, 1)
			go func() { done <- srv.Serve(context.Background(), l) }()
			results, err := Run(t.Context(), Options{Dialect: wire.FamilyD, Timeout: time.Minute,
				Only: []string{"handlers", "exceptions", "root"},
				Open: func(ctx context.Context, _ string) (net.Conn, error) {
					return new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
				}})
			require.NoError(t, err)
			require.NoError(t, srv.Close())
			require.ErrorIs(t, <-done, servers.ErrServerClosed)
			for _, r := range results {
				require.Contains(t, []State{Passed, Skipped}, r.State, "%s: %s", r.ID, r.Detail)
				if r.ID == "handlers.attribute_denied" {
					require.Equal(t, cfg == nil, r.State == Passed)
				}
			}
			require.Greater(t, Counts(results)[Passed], 30)
		})
	}
}
