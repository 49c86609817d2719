package etcdstore_test

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/registry"
	"github.com/gorpyc/gorpyc/registry/etcdstore"
)

// site is a registry with its store, as one process has them.
type site struct {
	store  *etcdstore.Store
	server *registry.Server
	udp    string // its address
	tcp    string
	gone   *events
}

func newSite(t *testing.T, c *cluster) *site {
	s := &site{store: synced(t, c.client(t), nil), gone: new(events)}
	limits := registry.Limits{Rate: -1}
	s.server = &registry.Server{Store: s.store, AllowListing: true, Limits: limits,
		OnServiceRemoved: func(name string, ep registry.Endpoint) {
			s.gone.add(registry.Event{Reason: registry.Expired, Name: name, Endpoint: ep})
		}}
	u, err := registry.ListenUDP(ctx, "udp", "127.0.0.1:0")
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.udp, s.tcp = u.LocalAddr().String(), l.Addr().String()
	served := make(chan struct{}, 2)
	go func() { _ = s.server.ServeUDP(ctx, u); served <- struct{}{} }()
	go func() { _ = s.server.ServeTCP(ctx, l); served <- struct{}{} }()
	t.Cleanup(func() {
		_ = s.server.Close()
		<-served
		<-served
	})
	return s
}

// load is servers that register all the time, at either registry in turn, and clients that ask all the time.
type load struct {
	t       *testing.T
	sites   []*site
	stop    chan struct{}
	running sync.WaitGroup

	acknowledged sync.Map // Endpoint → struct{}
	registered   atomic.Int64
	queries      atomic.Int64
	slowest      atomic.Int64 // of the queries
	mu           sync.Mutex
	failures     []string
}

func (l *load) fail(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.failures) < 20 {
		l.failures = append(l.failures, fmt.Sprintf(format, args...))
	}
}

func (l *load) serve(i int) {
	ep := registry.Endpoint{Host: "127.0.0.1", Port: 20000 + i}
	clients := []*registry.TCPClient{{Addr: l.sites[0].tcp}, {Addr: l.sites[1].tcp}}
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for n := i; ; n++ {
		if err := clients[n%2].Register(ctx, []string{"FLEET", fmt.Sprint("S", i)}, ep); err != nil {
			l.fail("registering %d: %v", i, err)
		} else {
			l.acknowledged.Store(ep, struct{}{})
			l.registered.Add(1)
		}
		select {
		case <-tick.C:
		case <-l.stop:
			return
		}
	}
}

// ask asks for one service that is registered, over UDP, which must always be found.
func (l *load) ask(i int) {
	c := &registry.UDPClient{Addr: l.sites[i%2].udp}
	for n := i; ; n++ {
		select {
		case <-l.stop:
			return
		default:
		}
		begin := time.Now()
		found, err := c.Discover(ctx, fmt.Sprint("S", n%60))
		took := time.Since(begin)
		l.queries.Add(1)
		for old := l.slowest.Load(); int64(took) > old && !l.slowest.CompareAndSwap(old,
			int64(took)); old = l.slowest.Load() {
		}
		if err != nil || len(found) != 1 {
			l.fail("asking for S%d at registry %d: %v, %v", n%60, i%2, found, err)
		}
	}
}

func sorted(eps []registry.Endpoint) []int {
	var ports []int
	for _, ep := range eps {
		ports = append(ports, ep.Port)
	}
	slices.Sort(ports)
	return ports
}

// reached measures how long it takes until the other registry knows of a registration.
func reached(t *testing.T, from, to *site, name string, begin time.Time) time.Duration {
	c := &registry.TCPClient{Addr: from.tcp}
	require.NoError(t, c.Register(ctx, []string{name}, registry.Endpoint{Host: "127.0.0.1", Port: 30000}))
	require.NotNil(t, from.store.Lookup(strings.ToUpper(name)))
	require.Eventually(t, func() bool {
		return to.store.Lookup(strings.ToUpper(name)) != nil
	}, 30*time.Second, time.Millisecond)
	return time.Since(begin)
}

// TestLeaderKilled ends the leader of three nodes by SIGKILL while two registries are used, then another node, so that
// there is no leader, and starts them again.
func TestLeaderKilled(t *testing.T) {
	c := newCluster(t, 3)
	client := c.client(t)
	sites := []*site{newSite(t, c), newSite(t, c)}
	l := &load{t: t, sites: sites, stop: make(chan struct{})}
	for i := range 60 {
		l.running.Go(func() { l.serve(i) })
	}
	everywhere := func(n int) func() bool {
		return func() bool {
			return len(sites[0].store.Lookup("FLEET").Servers()) == n && len(sites[1].store.Lookup("FLEET").Servers()) == n
		}
	}
	eventually(t, 20*time.Second, everywhere(60), "all registered everywhere")
	for i := range 8 {
		l.running.Go(func() { l.ask(i) })
	}
	quiet := reached(t, sites[0], sites[1], "quiet", time.Now())

	// One node.
	lost := c.leader(t, client)
	before := l.queries.Load()
	killed := time.Now()
	lost.kill()
	l.running.Go(func() { l.serve(60) }) // comes while nobody leads
	afterLeader := reached(t, sites[0], sites[1], "during", killed)
	eventually(t, 20*time.Second, everywhere(61), "who came meanwhile is known everywhere")
	eventually(t, 20*time.Second, func() bool {
		return sites[0].store.Err() == nil && sites[1].store.Err() == nil
	}, "available again")
	require.Greater(t, l.queries.Load(), before)
	one := fmt.Sprintf("leader killed: another registry hears of a registration %v after it (%v otherwise); %d queries "+
		"meanwhile",
		afterLeader.Round(time.Millisecond), quiet.Round(time.Millisecond), l.queries.Load()-before)

	// Two nodes: no leader.
	second := c.leader(t, client)
	before = l.queries.Load()
	secondKilled := time.Now()
	second.kill()
	eventually(t, 20*time.Second, func() bool {
		return sites[0].store.Err() != nil && sites[1].store.Err() != nil
	}, "both say that there is no leader")
	unavailable := new(etcdstore.UnavailableError)
	require.ErrorAs(t, sites[0].store.Err(), &unavailable)
	l.running.Go(func() { l.serve(61) })
	require.NoError(t, (&registry.TCPClient{Addr: sites[0].tcp}).Register(ctx, []string{"MEANWHILE"},
		registry.Endpoint{Host: "127.0.0.1", Port: 30001}))
	require.NotNil(t, sites[0].store.Lookup("MEANWHILE"), "known where it was told")
	require.Nil(t, sites[1].store.Lookup("MEANWHILE"), "not yet elsewhere")
	require.Greater(t, l.queries.Load(), before, "queries are answered without a leader")

	ready := second.start(t)
	within(t, 30*time.Second, ready, "node ready")
	back := time.Now()
	eventually(t, 30*time.Second, func() bool {
		return sites[1].store.Lookup("MEANWHILE") != nil
	}, "written as soon as there is a leader")
	caughtUp := time.Since(back)
	within(t, 30*time.Second, lost.start(t), "node ready")
	eventually(t, 30*time.Second, everywhere(62), "all there, everywhere")
	eventually(t, 30*time.Second, func() bool {
		return sites[0].store.Err() == nil && sites[1].store.Err() == nil
	}, "available again")
	two := fmt.Sprintf("two of three killed, no leader for %v: what was registered meanwhile is known elsewhere %v "+
		"after a leader was back; %d queries meanwhile",
		back.Sub(secondKilled).Round(time.Millisecond), caughtUp.Round(time.Millisecond), l.queries.Load()-before)

	close(l.stop)
	l.running.Wait()
	require.Empty(t, l.failures, "every request was answered, and every registered service found")
	eventually(t, 20*time.Second, func() bool {
		return sites[0].store.Pending()+sites[1].store.Pending() == 0
	}, "all written")
	there := keys(t, client, etcdstore.DefaultPrefix)
	n := 0
	l.acknowledged.Range(func(ep, _ any) bool {
		n++
		require.Contains(t, there, strings.Replace(ep.(registry.Endpoint).Addr(), ":", "/", 1))
		return true
	})
	require.Equal(t, 62, n)
	for _, s := range sites {
		require.Len(t, sorted(s.store.Lookup("FLEET").Servers()), 62)
		require.Empty(t, s.gone.list(), "nothing went away, not even for a moment")
	}
	eventually(t, 10*time.Second, func() bool {
		return slices.Equal(sites[0].store.Lookup("FLEET").Servers(), sites[1].store.Lookup("FLEET").Servers())
	}, "in the same order")
	fresh := synced(t, c.client(t), nil)
	require.Equal(t, sorted(sites[0].store.Lookup("FLEET").Servers()), sorted(fresh.Lookup("FLEET").Servers()))
	require.NotNil(t, fresh.Lookup("MEANWHILE"))
	t.Log(one)
	t.Log(two)
	t.Logf("%d queries in all, the slowest took %v; %d registrations acknowledged; lost: 0", l.queries.Load(),
		time.Duration(l.slowest.Load()).Round(10*time.Microsecond), l.registered.Load())
}
