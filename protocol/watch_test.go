package protocol

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestAnIdleConnectionHoldsNoWorkspace serves a call and waits until the watch finds nothing to do.
func TestAnIdleConnectionHoldsNoWorkspace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server, err := Pair(context.Background(), nil, &keeping{}, nil)
		require.NoError(t, err)
		for range 2 {
			_, err = client.Root().CallMethod(t.Context(), "quick")
			require.NoError(t, err)
			synctest.Wait()
			require.NotNil(t, server.spareSpace.Load(), "for the next call")
			time.Sleep(2 * watchQuiet * watchPeriod)
			require.Nil(t, server.spareSpace.Load())
		}
		_ = client.CloseNow()
		<-server.Done()
		time.Sleep(time.Hour)
	})
}
