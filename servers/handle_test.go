package servers_test

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/servers"
)

// TestHandle: Shutdown ends the input of what Handle serves, and waits for what it still has to say; Close ends both
// ways.
func TestHandle(t *testing.T) {
	for _, orderly := range []bool{true, false} {
		l, err := listen()
		require.NoError(t, err)
		ended := make(chan error, 1)
		srv := &servers.Server{Handle: func(_ context.Context, stream io.ReadWriteCloser, _ any) error {
			_, _ = stream.Write([]byte("hello "))
			_, err := io.Copy(io.Discard, stream)
			ended <- err
			_, _ = stream.Write([]byte("farewell"))
			return nil
		}}
		served := make(chan error, 1)
		go func() { served <- srv.Serve(context.Background(), l) }()
		c, err := net.Dial("tcp", l.Addr().String())
		require.NoError(t, err)
		defer c.Close()
		require.NoError(t, c.SetDeadline(time.Now().Add(20*time.Second)))
		_, err = io.ReadFull(c, make([]byte, len("hello ")))
		require.NoError(t, err)
		if orderly {
			require.NoError(t, srv.Shutdown(t.Context()))
			require.NoError(t, <-ended)
			said, err := io.ReadAll(c)
			require.NoError(t, err)
			require.Equal(t, "farewell", string(said))
		} else {
			require.NoError(t, srv.Close())
			require.Error(t, <-ended)
			_, err := c.Read(make([]byte, 1))
			require.Error(t, err)
		}
		require.ErrorIs(t, <-served, servers.ErrServerClosed)
	}
}
