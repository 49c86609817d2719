package netref_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
)

// TestMain fails the run if a test leaves a goroutine behind. The one that asks for garbage collections belongs to no
// connection and ends by itself.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/gorpyc/gorpyc/protocol.collect"))
}

// connect serves s and returns a handle on it and the connection that it belongs to.
func connect(t testing.TB, s any, cfg *protocol.Config) (*netref.Object, *protocol.Conn) {
	t.Helper()
	a, b, err := protocol.Pair(context.Background(), nil, s, cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = a.Close()
		<-a.Done()
		<-b.Done()
	})
	return a.Root(), a
}
