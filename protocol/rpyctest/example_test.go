package rpyctest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/rpyctest"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// price is what is tested: it asks a service, and has an answer if that has none.
func price(ctx context.Context, shop *netref.Object, item string) (float64, error) {
	p, err := netref.Call[float64](ctx, shop, "price", item)
	if errors.Is(err, vinegar.KeyError) {
		return 0, nil
	}
	return p, err
}

// TestPrice is the example of the package documentation.
func TestPrice(t *testing.T) {
	p := rpyctest.NewPeer(t)
	p.Expect("price", "tea").Return(2.5)
	p.Expect("price", "pot").Raise(vinegar.KeyError.New("pot"))

	conn, err := protocol.Dial(t.Context(), "tcp", p.Addr(), nil)
	require.NoError(t, err)
	defer conn.Close()
	tea, err := price(t.Context(), conn.Root(), "tea")
	require.NoError(t, err)
	require.Equal(t, 2.5, tea)
	pot, err := price(t.Context(), conn.Root(), "pot")
	require.NoError(t, err)
	require.Zero(t, pot)
}
