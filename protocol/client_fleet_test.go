package protocol_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// newsSource is a source that a test has tell of addresses. It ends each time it is told of an error.
type newsSource chan any

func (s newsSource) Watch(ctx context.Context, update func([]protocol.Address)) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case news := <-s:
			switch news := news.(type) {
			case error:
				return news
			case []string:
				var addrs []protocol.Address
				for _, a := range news {
					addrs = append(addrs, protocol.Address{Addr: a})
				}
				update(addrs)
			case []protocol.Address:
				update(news)
			}
		}
	}
}

// fleet is servers in memory, so that all of a test runs in a bubble's time.
type fleet map[string]*member

// member is one of them.
type member struct {
	takes atomic.Int64 // how long a call takes, in nanoseconds
	calls atomic.Int32 // how many have begun
	queue bool         // calls of a connection run one after the other

	mu    sync.Mutex
	down  bool
	conns []*protocol.Conn
}

// Work takes the time that is set.
func (m *member) Work() {
	m.calls.Add(1)
	time.Sleep(time.Duration(m.takes.Load()))
}

// Fail raises a TimeoutError, which is an answer.
func (m *member) Fail() error { m.calls.Add(1); return context.DeadlineExceeded }

func (f fleet) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	m := f[addr]
	if m == nil {
		return nil, errors.New("no such host")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return nil, errors.New("refused")
	}
	near, far := net.Pipe()
	cfg := *fleetConfig
	if m.queue {
		cfg.Concurrency = 1
	}
	c, err := protocol.NewConn(context.WithoutCancel(ctx), far, m, &cfg)
	m.conns = append(m.conns, c)
	return near, err
}

var fleetConfig = &protocol.Config{NoCollect: true, Dialect: wire.FamilyD, Concurrency: 100}

// kill ends a member's connections at once, and refuses others until it is up.
func (m *member) kill() {
	m.mu.Lock()
	m.down = true
	conns := m.conns
	m.conns = nil
	m.mu.Unlock()
	for _, c := range conns {
		_ = c.CloseNow()
	}
}

func (m *member) up() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down = false
}

func newFleet(names ...string) fleet {
	f := fleet{}
	for _, n := range names {
		f[n] = &member{}
	}
	return f
}

func (f fleet) client(t *testing.T, cfg protocol.ClientConfig) *protocol.Client {
	cfg.Dialer = &protocol.Dialer{Config: fleetConfig, Options: transport.Options{Dialer: f.dial}}
	c, err := protocol.NewClient(cfg)
	require.NoError(t, err)
	return c
}

func work(ctx context.Context, conn *protocol.Conn) error {
	_, err := netref.Call[any](ctx, conn.Root(), "work")
	return err
}

// took runs f, and returns how many calls each member has begun meanwhile.
func (f fleet) took(f2 func(), names ...string) []int {
	before := make([]int32, len(names))
	for i, n := range names {
		before[i] = f[n].calls.Load()
	}
	f2()
	diff := make([]int, len(names))
	for i, n := range names {
		diff[i] = int(f[n].calls.Load() - before[i])
	}
	return diff
}

// TestFleet has clients call three servers all the time, one of which is killed, removed or gets slow, and comes back.
// No call that may be repeated is lost, two seconds later the server gets none, and when it is back it gets its third.
func TestFleet(t *testing.T) {
	all := []string{"a", "b", "c"}
	for _, tc := range []struct {
		name       string
		harm, heal func(*member, newsSource)
		cfg        protocol.ClientConfig
		queue      bool
	}{
		{name: "killed", harm: func(m *member, _ newsSource) { m.kill() }, heal: func(m *member, _ newsSource) { m.up() }},
		{name: "removed", harm: func(_ *member, s newsSource) { s <- []string{"a", "c"} },
			heal: func(_ *member, s newsSource) { s <- all }},
		{name: "stalled", harm: func(m *member, _ newsSource) { m.takes.Store(int64(time.Hour)) },
			heal: func(m *member, _ newsSource) { m.takes.Store(int64(10 * time.Millisecond)) },
			cfg:  protocol.ClientConfig{TryTimeout: 200 * time.Millisecond}},
		{name: "stuck", queue: true, harm: func(m *member, _ newsSource) { m.takes.Store(int64(time.Hour)) },
			heal: func(m *member, _ newsSource) { m.takes.Store(int64(10 * time.Millisecond)) }, // of calls that begin then
			cfg:  protocol.ClientConfig{TryTimeout: 200 * time.Millisecond}},
		{name: "slow", harm: func(m *member, _ newsSource) { m.takes.Store(int64(time.Second)) },
			heal: func(m *member, _ newsSource) { m.takes.Store(int64(10 * time.Millisecond)) },
			cfg:  protocol.ClientConfig{HedgeDelay: 100 * time.Millisecond, Conns: 2}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(all...)
				for _, m := range f {
					m.takes.Store(int64(10 * time.Millisecond))
					m.queue = tc.queue
				}
				source := make(newsSource)
				tc.cfg.Source, tc.cfg.MaxBackoff = source, 4*time.Second
				c := f.client(t, tc.cfg)
				source <- all
				ctx, cancel := context.WithCancel(t.Context())
				var load sync.WaitGroup
				for range 9 {
					load.Go(func() {
						for ctx.Err() == nil {
							_, err := protocol.Idempotent(context.Background(), c,
								func(ctx context.Context, conn *protocol.Conn) (int, error) {
									return 0, work(ctx, conn)
								})
							if err != nil {
								t.Error("lost:", err)
							}
						}
					})
				}
				second := func() { time.Sleep(time.Second) }
				even := func(counts []int) {
					t.Helper()
					require.Positive(t, slices.Min(counts))
					sum := counts[0] + counts[1] + counts[2]
					for _, n := range counts {
						require.InDelta(t, float64(sum)/3, n, float64(sum)/30, "%v", counts)
					}
				}
				second()
				even(f.took(second, all...))
				tc.harm(f["b"], source)
				time.Sleep(2 * time.Second)
				// An ejected server is tried now and then, by one call each time: at most twice here.
				counts := f.took(func() { time.Sleep(6 * time.Second) }, all...)
				require.LessOrEqual(t, counts[1], 2, "%v", counts)
				require.Greater(t, counts[0], 500)
				tc.heal(f["b"], source)
				time.Sleep(6 * time.Second) // the longest pause and a bit more
				even(f.took(second, all...))
				cancel()
				load.Wait()
				for _, m := range f {
					m.kill()
				}
				require.NoError(t, c.Close())
				time.Sleep(2 * time.Hour) // handlers that have stalled
			})
		})
	}
}

// TestClientEjects leaves a server alone that does not answer, and asks others; exceptions are answers.
func TestClientEjects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet("a", "b")
		c := f.client(t, protocol.ClientConfig{Source: protocol.Static{{Addr: "a"}, {Addr: "b", Priority: 1}},
			Failures: 2, Retries: -1, MaxBackoff: 4 * time.Second})
		synctest.Wait()
		one := func(method string) error {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			return c.Do(ctx, func(ctx context.Context, conn *protocol.Conn) error {
				_, err := netref.Call[any](ctx, conn.Root(), method)
				return err
			})
		}
		for range 5 {
			require.ErrorIs(t, one("fail"), context.DeadlineExceeded)
		}
		require.False(t, c.Servers()[0].Ejected, "a TimeoutError that the service raises")
		f["a"].takes.Store(int64(time.Hour))
		for range 2 {
			require.ErrorIs(t, one("work"), context.DeadlineExceeded)
		}
		require.True(t, c.Servers()[0].Ejected)
		require.Equal(t, []int{0, 1}, f.took(func() { require.NoError(t, one("work")) }, "a", "b"))
		time.Sleep(time.Second + time.Millisecond)
		require.False(t, c.Servers()[0].Ejected, "it answers pings")
		require.Equal(t, []int{1, 0}, f.took(func() { require.Error(t, one("work")) }, "a", "b"))
		require.Equal(t, []int{0, 1}, f.took(func() { require.NoError(t, one("work")) }, "a", "b"))
		time.Sleep(time.Second + time.Millisecond)
		require.True(t, c.Servers()[0].Ejected, "twice as long")
		f["b"].kill()
		synctest.Wait()
		f["a"].takes.Store(0)
		require.Equal(t, []int{1, 0}, f.took(func() { require.NoError(t, one("work")) }, "a", "b"), "nobody else")
		require.NoError(t, c.Close())
		f["a"].kill()
		time.Sleep(2 * time.Hour)
	})
}

// TestClientDrains has a call finish at a server that is removed, and gives up waiting for one that takes too long.
func TestClientDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet("a", "b")
		f["a"].takes.Store(int64(10 * time.Second))
		source := make(newsSource)
		c := f.client(t, protocol.ClientConfig{Source: source, DrainTimeout: 20 * time.Second, Retries: -1})
		source <- []string{"a"}
		synctest.Wait()
		result := make(chan error)
		call := func() { go func() { result <- c.Do(context.Background(), work) }() }
		call()
		synctest.Wait()
		source <- []string{"b"}
		synctest.Wait()
		status := c.Servers()
		require.Len(t, status, 2)
		require.True(t, status[1].Draining)
		require.Equal(t, 1, status[1].Calls)
		require.NoError(t, c.Do(t.Context(), work))
		require.Equal(t, int32(1), f["b"].calls.Load())
		require.NoError(t, <-result, "it was under way")
		time.Sleep(time.Second)
		require.Len(t, c.Servers(), 1)

		source <- []string{"a"}
		synctest.Wait()
		f["a"].takes.Store(int64(25 * time.Second))
		call()
		synctest.Wait()
		source <- errors.New("the source is broken")
		synctest.Wait()
		require.False(t, c.Servers()[0].Draining, "what the source has said stays true")
		source <- []string{}
		require.ErrorIs(t, <-result, protocol.ErrClosed)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorContains(t, c.Do(ctx, work), "no server is known")
		require.NoError(t, c.Close())
		time.Sleep(time.Minute)
	})
}

// TestClientChoosesServers connects to no more servers than it may, to others while some are down, and to the best.
func TestClientChoosesServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet("a", "b", "c", "d")
		source := make(newsSource)
		c := f.client(t, protocol.ClientConfig{Source: source, MaxServers: 2, Zone: "here", MaxBackoff: time.Second})
		source <- []protocol.Address{{Addr: "a", Priority: 1, Zone: "here"}, {Addr: "b"}, {Addr: "c"},
			{Addr: "d", Zone: "here"}, {Addr: "e", Weight: -1}, {Addr: "b"}}
		connected := func() (to []string) {
			time.Sleep(5 * time.Second)
			for _, s := range c.Servers() {
				if s.Conns > 0 {
					to = append(to, s.Address.Addr)
				}
			}
			return to
		}
		first := connected()
		require.Len(t, first, 2)
		require.Equal(t, "d", first[0], "the own zone")
		require.NotContains(t, first, "a")
		f["d"].kill()
		require.ElementsMatch(t, []string{"b", "c"}, connected())
		f["b"].kill()
		f["c"].kill()
		require.Equal(t, []string{"a"}, connected())
		for _, m := range f {
			m.up()
		}
		require.Equal(t, first, connected(), "the same again")
		require.NoError(t, c.Close())
		for _, m := range f {
			m.kill()
		}
		time.Sleep(time.Minute)
	})
}

// TestClientSources makes a certificate's name of what a source says.
func TestClientSources(t *testing.T) {
	name := make(chan string, 1)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			name <- hello.ServerName
			return nil, errors.New("enough")
		},
	})
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	go func() {
		if c, err := l.Accept(); err == nil {
			_ = c.(*tls.Conn).Handshake()
			_ = c.Close()
		}
	}()
	c, err := protocol.NewClient(protocol.ClientConfig{
		Source: protocol.Static{{Addr: l.Addr().String(), ServerName: "calc.example.org"}},
		Dialer: &protocol.Dialer{Options: transport.Options{TLS: &tls.Config{}}},
	})
	require.NoError(t, err)
	require.Equal(t, "calc.example.org", <-name)
	require.NoError(t, c.Close())
}
