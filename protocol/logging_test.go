package protocol_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
)

// notifier calls what it is given, and does not look at the results.
type notifier struct{}

func (notifier) Notify(ctx context.Context, f *netref.Object) error {
	_, err := f.CallAsync(ctx)
	return err
}

// lines is a writer of lines.
type lines chan string

func (l lines) Write(p []byte) (int, error) { l <- string(p); return len(p), nil }

// TestFailingCallbacksAreLogged has a callback fail whose caller looks at no result. It is logged at Info; the
// exception of a method, which its caller gets, is logged for debugging only.
func TestFailingCallbacksAreLogged(t *testing.T) {
	log := make(lines, 10)
	cfg := &protocol.Config{Logger: slog.New(slog.NewTextHandler(log, nil))}
	a, b, err := protocol.Pair(t.Context(), notifier{}, notifier{}, cfg)
	require.NoError(t, err)
	_, err = a.Root().CallMethod(t.Context(), "notify", 1, 2, 3)
	require.Error(t, err)
	require.Empty(t, log)
	_, err = a.Root().CallMethod(t.Context(), "notify", func() error { return errors.New("for nobody") })
	require.NoError(t, err)
	line := <-log
	require.Contains(t, line, "level=INFO")
	require.Contains(t, line, "for nobody")
	_, _ = a.CloseNow(), b.CloseNow()
	<-a.Done()
	<-b.Done()
}
