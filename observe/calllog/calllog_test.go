package calllog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// lines is a log that is read as it is written.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

// take returns what was logged since it was last called.
func (l *lines) take(t *testing.T) (all []map[string]any) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range strings.Split(strings.TrimSpace(l.buf.String()), "\n") {
		if line != "" {
			m := map[string]any{}
			require.NoError(t, json.Unmarshal([]byte(line), &m))
			all = append(all, m)
		}
	}
	l.buf.Reset()
	return all
}

type service struct{ released chan struct{} }

func (service) Echo(s string) string { return s }

func (service) Fail(s string) error { return vinegar.ValueError.New(s) }

func (service) Plain(s string) error { return errors.New(s) }

func (service) Panic(s string) { panic(s) }

// Stay ignores that its caller has given up.
func (s service) Stay() { <-s.released }

var _ = exposed.Register[service](exposed.ClassOptions{Name: "tests.Service"})

// TestLines looks at the lines of both sides of a few calls.
func TestLines(t *testing.T) {
	var served, made lines
	log := func(w *lines, slow time.Duration) protocol.Hooks {
		return Log{Logger: slog.New(slog.NewJSONHandler(w, nil)), Slow: slow}.Hooks()
	}
	l, err := transport.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	near, err := transport.Dial(t.Context(), "tcp", l.Addr().String(), nil)
	require.NoError(t, err)
	far, err := l.Accept()
	require.NoError(t, err)
	require.NoError(t, l.Close())
	released := make(chan struct{})
	a, err := protocol.NewConn(context.Background(), far, service{released},
		&protocol.Config{Name: "server", Hooks: log(&served, time.Nanosecond), Metadata: protocol.MetadataNegotiated})
	require.NoError(t, err)
	c, err := protocol.NewConn(context.Background(), near, nil, &protocol.Config{Name: "client", Dialect: wire.FamilyD,
		Hooks: log(&made, time.Hour), Metadata: protocol.MetadataNegotiated})
	require.NoError(t, err)
	ctx := protocol.WithMetadata(t.Context(),
		protocol.Metadata{TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", Token: "secret"})

	for _, row := range []struct{ method, served, made, class string }{
		{"echo", "WARN", "INFO", ""}, // slow, by what counts as that at the server
		{"fail", "WARN", "WARN", "ValueError"},
		{"plain", "WARN", "WARN", "RuntimeError"},
		{"panic", "ERROR", "WARN", "RuntimeError"},
		{"made_up" + strings.Repeat("x", 200), "WARN", "WARN", "AttributeError"},
	} {
		_, err := c.Root().CallMethod(ctx, row.method, "secret")
		require.Equal(t, row.class != "", err != nil)
		in, out := served.take(t), made.take(t)
		require.Len(t, in, 1, row.method)
		require.Len(t, out, 1, row.method)
		for side, m := range map[string]map[string]any{"served": in[0], "made": out[0]} {
			text, err := json.Marshal(m)
			require.NoError(t, err)
			require.NotContains(t, string(text), "secret")
			want, peer := row.served, "client"
			if side == "made" {
				want, peer = row.made, "server"
			}
			require.Equal(t, want, m["level"], row.method)
			require.Equal(t, "rpyc: call "+side, m["msg"])
			require.Equal(t, "rpyc", m["rpc.system"])
			require.Equal(t, "tests.Service", m["rpc.service"])
			require.Equal(t, pyvalue.Shorten(row.method, maxName), m["rpc.method"])
			require.Equal(t, "127.0.0.1", m[peer+".address"])
			require.Positive(t, m[peer+".port"])
			require.Positive(t, m["duration"])
			require.Positive(t, m["bytes.in"])
			require.Positive(t, m["bytes.out"])
			class, _ := m["error.type"].(string)
			require.Equal(t, row.class, class)
		}
		require.Equal(t, in[0]["bytes.in"], out[0]["bytes.out"])
		require.Equal(t, "0af7651916cd43dd8448eb211c80319c", in[0]["trace_id"])
		require.NotContains(t, out[0], "trace_id")
		require.Equal(t, "server", in[0]["rpyc.conn"])
	}
	_, err = c.Root().Get(ctx, "echo")
	require.NoError(t, err)
	require.Empty(t, append(served.take(t), made.take(t)...), "reading an attribute is no call")

	short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	_, err = c.Root().CallMethod(short, "stay")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	_ = c.CloseNow()
	close(released)
	<-a.Done()
	<-c.Done()
	_, err = c.Root().CallMethod(ctx, "echo", "x")
	require.ErrorIs(t, err, protocol.ErrClosed)
	out := made.take(t)
	require.Len(t, out, 2)
	for i, class := range []string{"TimeoutError", "EOFError"} {
		require.Equal(t, "ERROR", out[i]["level"])
		require.Equal(t, class, out[i]["error.type"])
	}
}

// TestAll logs what calls nothing, and nothing below the logger's level.
func TestAll(t *testing.T) {
	var all, none lines
	hooks := protocol.JoinHooks(Log{All: true, Logger: slog.New(slog.NewJSONHandler(&all, nil))}.Hooks(),
		Log{All: true, Logger: slog.New(slog.NewJSONHandler(&none, &slog.HandlerOptions{Level: slog.LevelError}))}.Hooks())
	a, b, err := protocol.Pair(t.Context(), service{}, nil, &protocol.Config{Hooks: protocol.Hooks{Serve: hooks.Serve}})
	require.NoError(t, err)
	_, err = b.Root().Get(t.Context(), "echo")
	require.NoError(t, err)
	require.NoError(t, b.Close())
	<-a.Done()
	<-b.Done()
	got := all.take(t)
	require.Len(t, got, 1)
	require.Equal(t, "GETATTR echo", got[0]["rpc.method"])
	require.NotContains(t, got[0], "client.address")
	require.Empty(t, none.take(t))
	require.Len(t, Log{}.Hooks().Call, 1)
}
