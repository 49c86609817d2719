package protocol

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
)

// plain has a method whose parameters are not declared.
type plain struct{}

func (plain) Add(a, b int) int { return a + b }

// TestHintAtStubs calls by keyword and with an argument too few: the log says once what helps.
func TestHintAtStubs(t *testing.T) {
	hinted.Store(false)
	var log bytes.Buffer
	a, b, err := Pair(t.Context(), nil, plain{}, &Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)
	for range 2 {
		_, err = a.Root().CallMethod(t.Context(), "add", 1, netref.Kw("b", 2))
		require.ErrorContains(t, err, "takes no keyword arguments")
		_, err = a.Root().CallMethod(t.Context(), "add", 1)
		require.ErrorContains(t, err, "missing 1 required positional argument: 'arg2'")
	}
	for _, c := range []*Conn{a, b} {
		_ = c.CloseNow()
		<-c.Done()
	}
	require.Equal(t, 1, strings.Count(log.String(), "rpyc_stubs"), log.String())
}

// TestMapIsNoService refuses what would have no names.
func TestMapIsNoService(t *testing.T) {
	for _, root := range []any{map[string]any{"add": 1}, map[int]int{}} {
		_, _, err := Pair(t.Context(), nil, root, nil)
		require.ErrorContains(t, err, "cannot be a service")
	}
	require.NoError(t, CheckService(plain{}))
	require.NoError(t, CheckService(nil))
}
