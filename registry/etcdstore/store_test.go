package etcdstore_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/gorpyc/gorpyc/registry"
	"github.com/gorpyc/gorpyc/registry/etcdstore"
)

var ctx = context.Background()

func newStore(t *testing.T, client *clientv3.Client, opt *etcdstore.Options) *etcdstore.Store {
	s, err := etcdstore.New(client, opt)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func synced(t *testing.T, client *clientv3.Client, opt *etcdstore.Options) *etcdstore.Store {
	s := newStore(t, client, opt)
	wait, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	require.NoError(t, s.Synced(wait))
	return s
}

func eventually(t *testing.T, d time.Duration, f func() bool, what string) {
	t.Helper()
	require.Eventually(t, f, d, 10*time.Millisecond, what)
}

func at(port int) registry.Endpoint { return registry.Endpoint{Host: "10.1.2.3", Port: port} }

// events collects what a store tells.
type events struct {
	mu  sync.Mutex
	all []string
}

func (e *events) add(ev registry.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, fmt.Sprint(ev.Reason, " ", ev.Name, " ", ev.Endpoint))
}

func (e *events) list() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.all)
}

func keys(t *testing.T, client *clientv3.Client, prefix string) map[string]clientv3.LeaseID {
	resp, err := client.Get(ctx, prefix, clientv3.WithPrefix())
	require.NoError(t, err)
	found := map[string]clientv3.LeaseID{}
	for _, kv := range resp.Kvs {
		found[strings.TrimPrefix(string(kv.Key), prefix)] = clientv3.LeaseID(kv.Lease)
	}
	return found
}

func TestStores(t *testing.T) {
	c := newCluster(t, 1)
	client := c.client(t)

	t.Run("answer alike", func(t *testing.T) {
		opt := &etcdstore.Options{Prefix: "/alike/"}
		a, b := synced(t, client, opt), synced(t, c.client(t), opt)
		heard := new(events)
		defer b.Watch(heard.add)()
		name := registry.Upper("sum\xff%/ ä")
		odd := registry.Endpoint{Host: "fe80::1%eth0", Path: "/run/a b/\xff.sock"}
		require.NoError(t, a.Register(ctx, []string{"CALC", name}, at(1)))
		require.Equal(t, []registry.Endpoint{at(1)}, a.Lookup("CALC").Servers(), "known at once where it was told")
		eventually(t, 5*time.Second, func() bool { return b.Lookup(name) != nil }, "known to the other one")
		require.NoError(t, b.Register(ctx, []string{"CALC"}, odd))
		eventually(t, 5*time.Second, func() bool { return len(a.Lookup("CALC").Servers()) == 2 }, "both")
		eventually(t, 5*time.Second, func() bool { return a.Pending()+b.Pending() == 0 }, "written")
		require.Equal(t, []registry.Endpoint{at(1), odd}, a.Lookup("CALC").Servers())
		require.Equal(t, a.Lookup("CALC").Servers(), b.Lookup("CALC").Servers())
		require.Equal(t, a.Stats().Registrations, b.Stats().Registrations)

		late := synced(t, c.client(t), opt) // which starts with a copy of all
		require.Equal(t, []registry.Endpoint{at(1), odd}, late.Lookup("CALC").Servers())
		require.Equal(t, 3, late.Stats().Registrations)
		for r := range late.Registrations {
			require.WithinDuration(t, time.Now(), r.Since, 30*time.Second)
		}

		require.NoError(t, late.Unregister(ctx, at(1)))
		eventually(t, 5*time.Second, func() bool {
			return len(a.Lookup("CALC").Servers()) == 1 && len(b.Lookup("CALC").Servers()) == 1
		}, "gone")
		require.Contains(t, heard.list(), "unregistered CALC 10.1.2.3:1")
		eventually(t, 5*time.Second, func() bool {
			return len(keys(t, client, "/alike/")) == 1
		}, "the key goes before its lease")
		require.Nil(t, a.Lookup(name))
	})

	t.Run("unregistered and registered anew", func(t *testing.T) {
		opt := &etcdstore.Options{Prefix: "/anew/"}
		a, b := synced(t, client, opt), synced(t, c.client(t), opt)
		for i := range 20 {
			require.NoError(t, a.Register(ctx, []string{"OLD"}, at(i+1)))
			require.NoError(t, a.Unregister(ctx, at(i+1)))
			require.NoError(t, a.Register(ctx, []string{"NEW"}, at(i+1)))
		}
		eventually(t, 10*time.Second, func() bool {
			return a.Pending() == 0 && len(b.Lookup("NEW").Servers()) == 20
		}, "all new")
		require.Nil(t, a.Lookup("OLD"))
		require.NoError(t, a.Register(ctx, []string{"LAST"}, at(99)))
		eventually(t, 5*time.Second, func() bool { return b.Lookup("LAST") != nil }, "what came after it all")
		require.Nil(t, b.Lookup("OLD"))
		require.Len(t, b.Lookup("NEW").Servers(), 20)
	})

	t.Run("lost lease", func(t *testing.T) {
		opt := &etcdstore.Options{Prefix: "/lease/", Timeout: 20 * time.Second}
		a, b := synced(t, client, opt), synced(t, c.client(t), opt)
		heard := new(events)
		defer a.Watch(heard.add)()
		for i := range 10 {
			require.NoError(t, a.Register(ctx, []string{"CALC"}, at(i+1)))
		}
		eventually(t, 5*time.Second, func() bool { return a.Pending() == 0 }, "written")
		before := keys(t, client, "/lease/")
		require.Len(t, before, 10)
		for _, lease := range before {
			ttl, err := client.TimeToLive(ctx, lease)
			require.NoError(t, err)
			require.EqualValues(t, 20, ttl.GrantedTTL)
			_, err = client.Revoke(ctx, lease)
			require.NoError(t, err)
		}
		eventually(t, 10*time.Second, func() bool { return len(keys(t, client, "/lease/")) == 10 }, "registered anew")
		eventually(t, 10*time.Second, func() bool { return len(b.Lookup("CALC").Servers()) == 10 }, "everywhere")
		for key, lease := range keys(t, client, "/lease/") {
			require.NotEqual(t, before[key], lease)
		}
		require.Len(t, a.Lookup("CALC").Servers(), 10)
		for _, e := range heard.list() {
			require.True(t, strings.HasPrefix(e, "registered "), "never gone where it was told: %s", e)
		}
	})

	t.Run("what others write", func(t *testing.T) {
		a := synced(t, client, &etcdstore.Options{Prefix: "/others/"})
		for _, value := range []string{"", "null", "[]", `{"version":2}`, `{"version":1,"host":"h","port":2}`,
			`{"version":1,"host":"%","port":1}`} {
			_, err := client.Put(ctx, "/others/h/1", value)
			require.NoError(t, err)
		}
		_, err := client.Put(ctx, "/others/h/2", `{"version":1,"host":"h","port":2,"names":{"calc":[0,99999999999999999]}}`)
		require.NoError(t, err)
		eventually(t, 5*time.Second, func() bool { return a.Lookup("CALC") != nil }, "what can be understood")
		require.Equal(t, 1, a.Stats().Registrations)
		_, err = client.Delete(ctx, "/others/", clientv3.WithPrefix())
		require.NoError(t, err)
		eventually(t, 5*time.Second, func() bool { return a.Stats().Registrations == 0 }, "gone")
	})

	t.Run("limits", func(t *testing.T) {
		a := synced(t, client, &etcdstore.Options{Prefix: "/limits/", Limits: registry.Limits{PerHost: 1, Names: -1}})
		limit := new(registry.LimitError)
		require.NoError(t, a.Register(ctx, []string{"ONE"}, at(1)))
		require.ErrorAs(t, a.Register(ctx, []string{"TWO"}, at(1)), &limit)
		many := make([]string, 1025)
		for i := range many {
			many[i] = fmt.Sprint("N", i)
		}
		require.ErrorAs(t, a.Register(ctx, many, registry.Endpoint{Host: "127.0.0.1", Port: 1}), &limit)
		require.EqualValues(t, 1024, limit.Limit)
	})

	t.Run("expiry", func(t *testing.T) {
		t.Parallel()
		opt := &etcdstore.Options{Prefix: "/expiry/", Timeout: time.Second} // too short: 15 s
		a, b := synced(t, client, opt), synced(t, c.client(t), opt)
		heard := new(events)
		defer b.Watch(heard.add)()
		begin := time.Now()
		require.NoError(t, a.Register(ctx, []string{"DIES"}, at(1)))
		require.NoError(t, a.Register(ctx, []string{"LIVES"}, at(2)))
		tick := time.NewTicker(2 * time.Second)
		defer tick.Stop()
		for !slices.Contains(heard.list(), "expired DIES 10.1.2.3:1") {
			<-tick.C
			require.NoError(t, b.Register(ctx, []string{"LIVES"}, at(2))) // at the other one
			require.Less(t, time.Since(begin), 40*time.Second)
		}
		lived := time.Since(begin)
		t.Logf("expired after %v", lived)
		require.Greater(t, lived, 14*time.Second)
		require.Nil(t, b.Lookup("DIES"))
		eventually(t, 5*time.Second, func() bool { return a.Lookup("DIES") == nil }, "here, too, and not registered anew")
		require.NotNil(t, a.Lookup("LIVES"))
		require.Len(t, keys(t, client, "/expiry/"), 1)
	})
}

func TestForgetfulEtcd(t *testing.T) {
	c := newCluster(t, 1)
	client := c.client(t)
	a := synced(t, client, nil)
	for i := range 50 {
		require.NoError(t, a.Register(ctx, []string{"CALC"}, at(i+1)))
	}
	eventually(t, 10*time.Second, func() bool { return a.Pending() == 0 }, "written")
	n := c.nodes[0]
	n.kill()
	n.Dir = t.TempDir() // all is lost
	within(t, 30*time.Second, n.start(t), "node ready")
	eventually(t, 30*time.Second, func() bool {
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		resp, err := client.Get(short, etcdstore.DefaultPrefix, clientv3.WithPrefix(), clientv3.WithCountOnly())
		return err == nil && resp.Count == 50
	}, "what was known is written anew")
	require.Len(t, a.Lookup("CALC").Servers(), 50)
	b := synced(t, c.client(t), nil)
	require.NoError(t, b.Register(ctx, []string{"SUM"}, at(1)))
	eventually(t, 10*time.Second, func() bool { return a.Lookup("SUM") != nil }, "the copy follows the new one")
}

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // which never answers
	require.NoError(t, err)
	defer l.Close()
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{l.Addr().String()}, Logger: zap.NewNop()})
	require.NoError(t, err)
	defer client.Close()
	s, err := etcdstore.New(client, &etcdstore.Options{WriteTimeout: 200 * time.Millisecond})
	require.NoError(t, err)
	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	unavailable := new(etcdstore.UnavailableError)
	require.ErrorAs(t, s.Synced(short), &unavailable)
	require.Equal(t, []string{l.Addr().String()}, unavailable.Endpoints)

	begin := time.Now()
	for i := range 1000 {
		require.NoError(t, s.Register(ctx, []string{"CALC"}, at(i+1)))
	}
	require.Less(t, time.Since(begin), time.Second, "registering does not wait")
	require.Len(t, s.Lookup("CALC").Servers(), registry.MaxListing)
	require.NoError(t, s.Unregister(ctx, at(1)))
	require.Equal(t, at(2), s.Lookup("CALC").Servers()[0])
	eventually(t, 5*time.Second, func() bool { return s.Err() != nil }, "said")

	begin = time.Now()
	err = s.Close()
	require.Less(t, time.Since(begin), 2*time.Second)
	require.ErrorAs(t, err, &unavailable)
	require.GreaterOrEqual(t, unavailable.Pending, 999, "the one that was unregistered may have been seen to")
	require.NoError(t, s.Close())
	require.ErrorIs(t, s.Register(ctx, []string{"CALC"}, at(1)), etcdstore.ErrClosed)
	require.ErrorIs(t, s.Unregister(ctx, at(1)), etcdstore.ErrClosed)
	require.ErrorIs(t, s.Synced(ctx), etcdstore.ErrClosed)
	require.NotNil(t, s.Lookup("CALC"))
}

func TestWrongOptions(t *testing.T) {
	_, err := etcdstore.New(nil, nil)
	require.Error(t, err)
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{"127.0.0.1:1"}, Logger: zap.NewNop()})
	require.NoError(t, err)
	defer client.Close()
	_, err = etcdstore.New(client, &etcdstore.Options{Timeout: -1})
	require.Error(t, err)
	require.False(t, errors.Is(err, etcdstore.ErrClosed))
}
