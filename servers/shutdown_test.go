package servers_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/servers"
)

// ledger notes which calls were carried out.
type ledger struct {
	mu    sync.Mutex
	run   map[string]int
	begun atomic.Int64
}

func newLedger() *ledger { return &ledger{run: make(map[string]int)} }

// Note carries a call out.
func (l *ledger) Note(token string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.run[token]++
	l.begun.Add(1)
	return token
}

// clients is how many clients have called, by the numbers that their tokens begin with.
func (l *ledger) clients() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := map[string]bool{}
	for token := range l.run {
		client, _, _ := strings.Cut(token, "-")
		seen[client] = true
	}
	return len(seen)
}

// Ask carries a call out that needs the peer, which asks back.
func (l *ledger) Ask(
	ctx context.Context, token string, f func(context.Context, string) (string, error),
) (string, error) {
	l.Note(token)
	return f(ctx, token)
}

// TestShutdownUnderLoad shuts servers down that are called without a pause. Each call was carried out and is answered,
// or was not carried out and is reported as safe to repeat.
func TestShutdownUnderLoad(t *testing.T) {
	rounds := 34
	if testing.Short() || raceEnabled {
		rounds = 5
	}
	for name, mode := range map[string]servers.Mode{
		"threaded": servers.Threaded, "pool": servers.Pool, "one-shot": servers.OneShot,
	} {
		t.Run(name, func(t *testing.T) {
			for range rounds {
				shutdownRound(t, mode == servers.OneShot, &servers.Server{Mode: mode, Workers: 3})
			}
		})
	}
}

func shutdownRound(t *testing.T, one bool, srv *servers.Server) {
	l := newLedger()
	srv.Service = l
	addr, result := start(t, t.Context(), srv)
	conns := []*protocol.Conn{dial(t, addr)}
	for !one && len(conns) < 3 {
		conns = append(conns, dial(t, addr))
	}
	outcome := &outcomes{answered: make(map[string]bool)}
	var wg sync.WaitGroup
	for i, c := range conns {
		for g := range 8 {
			wg.Go(func() {
				for n := 0; outcome.add(fmt.Sprint(i, " ", g, " ", n), g == 0, c); n++ {
				}
			})
		}
	}
	require.Eventually(t, func() bool { return l.begun.Load() > 100 }, 20*time.Second, time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	require.NoError(t, srv.Shutdown(ctx))
	require.ErrorIs(t, <-result, servers.ErrServerClosed)
	wg.Wait()
	require.Empty(t, outcome.wrong)
	for token, times := range l.run {
		require.True(t, outcome.answered[strings.TrimSuffix(token, " again")], "%s was carried out, and not answered", token)
		require.Equal(t, 1, times)
	}
}

// outcomes are what calls have ended with.
type outcomes struct {
	mu       sync.Mutex
	answered map[string]bool
	wrong    []string
}

// add makes a call, and notes what it ends with; false if it was refused.
func (o *outcomes) add(token string, asks bool, c *protocol.Conn) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var got string
	var err error
	if asks {
		back := func(ctx context.Context, token string) (string, error) {
			return netref.Call[string](ctx, c.Root(), "note", token+" again")
		}
		got, err = netref.Call[string](ctx, c.Root(), "ask", token, back)
		got = strings.TrimSuffix(got, " again")
	} else {
		got, err = netref.Call[string](ctx, c.Root(), "note", token)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case err == nil && got == token:
		o.answered[token] = true
		return true
	case err == nil || !protocol.SafeToRetry(err) || !errors.Is(err, protocol.ErrClosed):
		o.wrong = append(o.wrong, fmt.Sprintf("%s: %q, %v", token, got, err))
	}
	return false
}

const busyClients = `
import sys, threading, rpyc

host, port = sys.argv[1].split(":")
lock = threading.Lock()

def say(*words):
    with lock:
        print(*words, flush=True)

def client(i):
    conn = rpyc.connect(host, int(port))
    for n in range(1000000):
        token = "%d-%d" % (i, n)
        try:
            if n % 4:
                got = conn.root.note(token)
            else:
                got = conn.root.ask(token, lambda t: conn.root.note(t + "+"))[:-1]
            assert got == token, (got, token)
        except EOFError as e:
            if getattr(e, "not_begun", False):
                say("REFUSED", token)
            else:
                say("EOF", token)
            return
        say("ANSWERED", token)

threads = [threading.Thread(target=client, args=(i,)) for i in range(6)]
for t in threads:
    t.start()
for t in threads:
    t.join()
`

// TestShutdownPythonClients is TestShutdownUnderLoad for CPython's clients, which get an EOFError for what was not
// carried out.
func TestShutdownPythonClients(t *testing.T) {
	python(t) // or the test is skipped before there is a server
	for range 3 {
		l := newLedger()
		srv := &servers.Server{Service: l}
		addr, result := start(t, t.Context(), srv)
		output := make(chan string, 1)
		go func() { output <- runPython(t, busyClients, addr) }()
		require.Eventually(t, func() bool { return l.begun.Load() > 200 && l.clients() == 6 }, 30*time.Second,
			5*time.Millisecond, "a client that connects later is refused, which is not looked at here")
		stop(t, srv, result)
		answered, refused := map[string]bool{}, 0
		for _, line := range strings.Split(<-output, "\n") {
			switch word, token, _ := strings.Cut(line, " "); word {
			case "ANSWERED":
				answered[token] = true
			case "REFUSED", "EOF":
				refused++
			default:
				t.Errorf("unexpected: %s", line)
			}
		}
		require.Equal(t, 6, refused)
		for token := range l.run {
			require.True(t, answered[strings.TrimSuffix(token, "+")], "%s was carried out and is not answered", token)
		}
	}
}
