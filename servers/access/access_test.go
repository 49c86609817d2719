package access_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
	"github.com/gorpyc/gorpyc/servers"
	"github.com/gorpyc/gorpyc/servers/access"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shop is the service: what it hands out is looked at, too.
type shop struct {
	Rate int
	gate chan struct{} // wait returns when it is closed
}

type Invoice struct{}

func (Invoice) Total() int  { return 7 }
func (Invoice) Cancel() int { return 8 }

func (s *shop) Add(a, b int) int    { return a + b }
func (s *shop) AddUser() string     { return "added" }
func (s *shop) Numbers() *[]int     { return &[]int{1, 2, 3} }
func (s *shop) Invoice() *Invoice   { return &Invoice{} }
func (s *shop) Fail() error         { return vinegar.ValueError.New("secret text") }
func (s *shop) PyCall() string      { return "called" }
func (s *shop) Wait(started func()) { started(); <-s.gate }

// Back has its client call this service while it waits.
func (s *shop) Back(ctx context.Context, f func(context.Context) (int, error)) (int, error) {
	return f(ctx)
}

// enforced serves a shop to one peer, as somebody, and returns the peer.
func enforced(t *testing.T, p *access.Policy, id *protocol.Identity, base *protocol.Config) (*protocol.Conn, *shop) {
	t.Helper()
	e, err := access.New(p)
	require.NoError(t, err)
	return join(t, e, id, base)
}

func join(t *testing.T, e *access.Enforcer, id *protocol.Identity, base *protocol.Config) (*protocol.Conn, *shop) {
	t.Helper()
	cfg := e.Config(base)
	if id != nil {
		cfg.Credentials = id
	}
	s := &shop{Rate: 3, gate: make(chan struct{})}
	near, far := transport.Pipe()
	a, err := protocol.NewConn(context.Background(), near, s, cfg)
	require.NoError(t, err)
	b, err := protocol.DialStream(t.Context(), far, nil, nil)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = b.Close()
		<-a.Done()
		<-b.Done()
	})
	return b, s
}

var ann = &protocol.Identity{Kind: "token", Name: "ann", Attrs: map[string][]string{"team": {"support", "sales"}}}

// TestRules: which rule is for whom, and what each lets them do.
func TestRules(t *testing.T) {
	bob := &protocol.Identity{Kind: "tls", Name: "spiffe://example.org/ns/bob"}
	all := access.Rule{Who: []string{"*"}}
	for name, c := range map[string]struct {
		rule access.Rule
		id   *protocol.Identity
		want string // of add, add_user, an invoice's total and cancel, calling the service, assigning
	}{
		"everything":        {all, ann, "+++++-"},
		"nobody known":      {all, nil, "+++++-"},
		"somebody":          {access.Rule{Who: []string{"b*n", "a*n"}}, ann, "+++++-"},
		"for somebody else": {access.Rule{Who: []string{"bob", "an", "annn"}}, ann, "------"},
		"not for nobody":    {access.Rule{Who: []string{"ann"}}, nil, "------"},
		"of another kind":   {access.Rule{Who: []string{"ann"}, Kinds: []string{"tls", "unix"}}, ann, "------"},
		"of its kind":       {access.Rule{Who: []string{"ann"}, Kinds: []string{"tls", "token"}}, ann, "+++++-"},
		"by attribute":      {access.Rule{Who: []string{"*"}, Attrs: map[string]string{"team": "sal*"}}, ann, "+++++-"},
		"other attribute":   {access.Rule{Who: []string{"*"}, Attrs: map[string]string{"uid": "*"}}, ann, "------"},
		"by trust domain":   {access.Rule{Who: []string{"spiffe://example.org/*"}}, bob, "+++++-"},
		"other domain":      {access.Rule{Who: []string{"spiffe://example.com/*"}}, bob, "------"},
		"a list": {access.Rule{Who: []string{"*"}, Allow: []string{"add", "invoice"}}, ann,
			"+-++--"},
		"in Go's spelling": {access.Rule{Who: []string{"*"}, Deny: []string{"AddUser", "Invoice.Cancel", "PyCall"}}, ann,
			"+-+---"},
		"a list in Go's spelling": {access.Rule{Who: []string{"*"}, Allow: []string{"Add*", "Invoice"}}, ann, "++++--"},
		"a list of prefixes": {
			access.Rule{Who: []string{"*"}, Allow: []string{"add*", "inv*"}}, ann, "++++--"},
		"a list with classes": {
			access.Rule{Who: []string{"*"}, Allow: []string{"shop.*", "Invoice.total"}}, ann, "+++-+-"},
		"with modules": {
			access.Rule{Who: []string{"*"}, Allow: []string{"*.add", "invoice", "*Invoice.t*"}}, ann, "+-+---"},
		"but some": {
			access.Rule{Who: []string{"*"}, Deny: []string{"add", "Invoice.cancel", "__call__"}}, ann, "-++---"},
		"denied goes before": {
			access.Rule{Who: []string{"*"}, Allow: []string{"*"}, Deny: []string{"add_user"}}, ann, "+-+++-"},
		"classes that are not": {access.Rule{Who: []string{"*"}, Deny: []string{"Order.*", "total"}}, ann, "+++++-"},
	} {
		t.Run(name, func(t *testing.T) {
			conn, _ := enforced(t, &access.Policy{Rules: []access.Rule{c.rule}}, c.id, nil)
			root := conn.Root()
			got := ""
			note := func(err error) {
				var e *vinegar.Error
				switch {
				case err == nil:
					got += "+"
				default:
					require.ErrorIs(t, err, vinegar.AttributeError)
					require.ErrorAs(t, err, &e)
					got += "-"
				}
			}
			_, err := netref.Call[int](t.Context(), root, "add", 1, 2)
			note(err)
			_, err = netref.Call[string](t.Context(), root, "AddUser") // the name that Go has for it
			_, other := netref.Call[string](t.Context(), root, "exposed_add_user")
			require.Equal(t, err == nil, other == nil)
			note(err)
			invoice, err := netref.Call[*netref.Object](t.Context(), root, "invoice")
			if err != nil {
				got += "--"
			} else {
				for _, method := range []string{"total", "cancel"} {
					_, err := netref.Call[int](t.Context(), invoice, method)
					note(err)
				}
			}
			_, err = root.Call(t.Context())
			note(err)
			note(root.Set(t.Context(), "rate", 4))
			require.Equal(t, c.want, got)
		})
	}
}

// TestReadOnly denies what changes an object, whatever the configuration opens.
func TestReadOnly(t *testing.T) {
	open := &protocol.Config{Access: exposed.Policy{AllowPublic: true, AllowSet: true, AllowDel: true}}
	for _, readOnly := range []bool{false, true} {
		c, s := enforced(t, &access.Policy{Rules: []access.Rule{{Who: []string{"*"}, ReadOnly: readOnly}}}, ann, open)
		numbers, err := netref.Call[*netref.Object](t.Context(), c.Root(), "numbers")
		require.NoError(t, err)
		n, err := numbers.Len(t.Context())
		require.NoError(t, err)
		require.Equal(t, 3, n)
		setItem := func() error { _, err := numbers.CallMethod(t.Context(), "__setitem__", 0, 5); return err }
		push := func() error { _, err := numbers.CallMethod(t.Context(), "append", 5); return err }
		for _, change := range []func() error{setItem, push} {
			if err := change(); readOnly {
				require.ErrorIs(t, err, vinegar.AttributeError)
				require.ErrorContains(t, err, "cannot access '")
			} else {
				require.NoError(t, err)
			}
		}
		_ = c.Root().Set(t.Context(), "rate", 9) // which a service refuses by itself
		require.Equal(t, 3, s.Rate)
	}
}

// TestLimits: a rate and what runs at the same time, for all requests, by method, for a peer and for all of them.
func TestLimits(t *testing.T) {
	now := access.Duration(-1)
	limit := func(l access.Limit) *access.Policy {
		return &access.Policy{Rules: []access.Rule{{Who: []string{"*"}, Limit: l}}}
	}
	add := func(c *protocol.Conn) error {
		_, err := netref.Call[int](t.Context(), c.Root(), "add", 1, 2)
		return err
	}

	c, _ := enforced(t, limit(access.Limit{Rate: 1e-3, Burst: 2, Wait: now}), ann, nil)
	require.NoError(t, add(c))
	require.NoError(t, add(c))
	err := add(c)
	require.ErrorIs(t, err, vinegar.BlockingIOError)
	require.ErrorContains(t, err, "too many requests, try again in")
	var e *vinegar.Error
	require.ErrorAs(t, err, &e)
	after, ok := e.Attr("retry_after")
	require.True(t, ok)
	require.InDelta(t, 1000, after, 100)
	_, err = c.Ping(t.Context())
	require.NoError(t, err, "which no service's code runs for")
	for range 2 {
		_, err = c.Root().Get(t.Context(), "add")
		require.NoError(t, err, "which is counted apart")
	}
	_, err = c.Root().Get(t.Context(), "add")
	require.ErrorIs(t, err, vinegar.BlockingIOError)

	// of methods, and of several connections of the same peer, and of others
	p := &access.Policy{
		Rules: []access.Rule{{Who: []string{"*"}, Methods: []access.MethodLimit{
			{Method: "add", Limit: access.Limit{Rate: 1e-3, Burst: 2, Wait: now}}}}},
		Methods: []access.MethodLimit{{Method: "shop.add", Limit: access.Limit{Rate: 1e-3, Burst: 3, Wait: now}}},
	}
	enforcer, err := access.New(p)
	require.NoError(t, err)
	first, _ := join(t, enforcer, ann, nil)
	again, _ := join(t, enforcer, &protocol.Identity{Kind: "token", Name: "ann"}, nil)
	other, _ := join(t, enforcer, &protocol.Identity{Kind: "tls", Name: "ann"}, nil)
	require.NoError(t, add(first))
	require.NoError(t, add(again))
	require.ErrorContains(t, add(first), "for add,")
	require.NoError(t, add(other))
	require.ErrorContains(t, add(other), "for shop.add,")
	_, err = netref.Call[string](t.Context(), first.Root(), "add_user")
	require.NoError(t, err)
	require.NoError(t, enforcer.Replace(limit(access.Limit{})))
	require.NoError(t, add(first))

	// what is denied counts, too
	c, _ = enforced(t, &access.Policy{Rules: []access.Rule{{Who: []string{"*"}, DenyPickle: true,
		Limit: access.Limit{Rate: 1e-3, Burst: 2, Wait: now}}}}, ann, &protocol.Config{AllowPickle: true})
	for _, want := range []error{vinegar.ValueError, vinegar.ValueError, vinegar.BlockingIOError} {
		_, err = c.Root().Request(t.Context(), wire.HandlePickle, int64(2))
		require.ErrorIs(t, err, want)
	}

	// at the same time
	enforcer, err = access.New(limit(access.Limit{Concurrent: 1, Wait: now}))
	require.NoError(t, err)
	first, s := join(t, enforcer, ann, nil)
	again, _ = join(t, enforcer, ann, nil)
	other, _ = join(t, enforcer, nil, nil)
	began, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- first.Root().CallMethodInto(t.Context(), nil, "wait", func() { close(began) })
	}()
	<-began
	require.Eventually(t, func() bool { return add(again) != nil }, 30*time.Second, time.Millisecond) // nested until then
	require.ErrorContains(t, add(again), "too many requests at the same time")
	require.NoError(t, add(other))
	close(s.gate)
	require.NoError(t, <-ended)
	require.NoError(t, add(again))
	n, err := netref.Call[int](t.Context(), again.Root(), "back", func(ctx context.Context) (int, error) {
		return netref.Call[int](ctx, again.Root(), "add", 1, 2)
	})
	require.NoError(t, err, "it is part of the answer")
	require.Equal(t, 3, n)
}

// TestWaiting: a request that waits for its limit holds up neither what is read nor the workers of a pool.
func TestWaiting(t *testing.T) {
	e, err := access.New(&access.Policy{Rules: []access.Rule{
		{Who: []string{"ann"}, Limit: access.Limit{Rate: 1e-4, Burst: 1, Wait: access.Duration(10 * time.Hour), Queue: 1}},
		{Who: []string{"*"}},
	}})
	require.NoError(t, err)
	pool := &protocol.Config{Workers: protocol.NewWorkers(1, 1, false)}
	slow, _ := join(t, e, ann, pool)
	quick, _ := join(t, e, nil, pool)
	add := func(ctx context.Context, c *protocol.Conn) error {
		_, err := netref.Call[int](ctx, c.Root(), "add", 1, 2)
		return err
	}
	require.NoError(t, add(t.Context(), slow))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- add(ctx, slow) }()
	require.Eventually(t, func() bool { return e.Waiting(ann) == 1 }, 20*time.Second, time.Millisecond)
	second, _ := join(t, e, ann, pool)
	require.ErrorIs(t, add(t.Context(), second), vinegar.BlockingIOError, "the queue is full")
	_, err = slow.Ping(t.Context())
	require.NoError(t, err)
	for range 3 {
		require.NoError(t, add(t.Context(), quick))
	}
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	require.NoError(t, slow.CloseNow())
	require.Eventually(t, func() bool { return e.Waiting(ann) == 0 }, 20*time.Second, time.Millisecond,
		"who has gone waits no more")
}

// TestManyIdentities: what is remembered of peers is bounded, and those that have used their limit are not forgotten.
func TestManyIdentities(t *testing.T) {
	e, err := access.New(&access.Policy{MaxIdentities: 2, Rules: []access.Rule{
		{Who: []string{"free"}},
		{Who: []string{"*"}, Limit: access.Limit{Rate: 1e-3, Burst: 2, Wait: -1}}}})
	require.NoError(t, err)
	as := func(name string) error {
		c, _ := join(t, e, &protocol.Identity{Kind: "token", Name: name}, nil)
		_, err := netref.Call[int](t.Context(), c.Root(), "add", 1, 2)
		return err
	}
	require.NoError(t, as("a"))
	require.NoError(t, as("b"))
	require.ErrorContains(t, as("c"), "too many peers")
	require.NoError(t, as("a"))
	require.ErrorContains(t, as("a"), "too many requests")
	require.NoError(t, as("free"))
	// Not every newcomer has all that is remembered looked at.
	var limit *vinegar.Error
	for i := 0; limit == nil || !strings.Contains(limit.Message(), "try again in 100ms"); i++ {
		require.Less(t, i, 1000)
		require.ErrorAs(t, as("d"), &limit)
	}
}

// TestSameNameUnderTwoRules: who comes with other attributes, which are under another rule, gets no new limit by that.
func TestSameNameUnderTwoRules(t *testing.T) {
	limit := access.Limit{Rate: 1e-3, Burst: 2, Wait: -1}
	e, err := access.New(&access.Policy{Rules: []access.Rule{
		{Who: []string{"*"}, Attrs: map[string]string{"role": "admin"}, Limit: limit}, {Who: []string{"*"}, Limit: limit}}})
	require.NoError(t, err)
	as := func(role string) error {
		c, _ := join(t, e, &protocol.Identity{Kind: "token", Name: "a", Attrs: map[string][]string{"role": {role}}}, nil)
		_, err := netref.Call[int](t.Context(), c.Root(), "add", 1, 2)
		return err
	}
	for range 2 {
		require.NoError(t, as("admin"))
		require.NoError(t, as("user"))
	}
	require.ErrorContains(t, as("admin"), "too many requests")
	require.ErrorContains(t, as("user"), "too many requests")
}

// TestLoad reads a policy, and says what is wrong with others.
func TestLoad(t *testing.T) {
	file := filepath.Join(t.TempDir(), "policy.json")
	load := func(text string) (*access.Policy, error) {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		return access.Load(file)
	}
	got, err := load(`{"rules": [{"who": ["*"], "kinds": ["tls"], "attrs": {"cn": "a*"}, "allow": ["a.b.*"], "deny": ["c"],
		"read_only": true, "deny_pickle": true, "rate": 1.5, "burst": 2, "concurrent": 3, "wait": "-1s", "queue": 4,
		"connects": {"rate": 8}, "methods": [{"method": "m", "rate": 5}]}],
		"methods": [{"method": "x.*", "concurrent": 6}], "max_identities": 7}`)
	require.NoError(t, err)
	require.Equal(t, &access.Policy{MaxIdentities: 7,
		Methods: []access.MethodLimit{{Method: "x.*", Limit: access.Limit{Concurrent: 6}}},
		Rules: []access.Rule{{Who: []string{"*"}, Kinds: []string{"tls"}, Attrs: map[string]string{"cn": "a*"},
			Allow: []string{"a.b.*"}, Deny: []string{"c"}, ReadOnly: true, DenyPickle: true,
			Limit:    access.Limit{Rate: 1.5, Burst: 2, Concurrent: 3, Wait: access.Duration(-time.Second), Queue: 4},
			Connects: access.Limit{Rate: 8},
			Methods:  []access.MethodLimit{{Method: "m", Limit: access.Limit{Rate: 5}}}}}}, got)
	text, err := json.Marshal(got)
	require.NoError(t, err)
	back, err := load(string(text))
	require.NoError(t, err)
	require.Equal(t, got, back)
	for text, want := range map[string]string{
		``:                              "EOF",
		`{}`:                            "no rules",
		`{"rules": []}`:                 "no rules",
		`{"rules": [{}]}`:               "rule 1 is for nobody",
		`{"rules": [{"who": ["*"]}]} 1`: "more than one value",
		`{"rules": [{"who": ["*"], "denny": []}]}`:                               "unknown field",
		`{"rules": [{"who": ["*"], "rate": -1}]}`:                                "rule 1: a limit is negative",
		`{"rules": [{"who": ["*"], "burst": 1}]}`:                                "without",
		`{"rules": [{"who": ["*"], "wait": "soon"}]}`:                            "invalid duration",
		`{"rules": [{"who": ["a"]}, {"who": ["*"], "allow": ["x."]}]}`:           `rule 2: "x." is no pattern`,
		`{"rules": [{"who": ["a", "*"]}, {"who": ["b"]}, {"who": ["c"]}]}`:       "rule 2 is for nobody: the one before",
		`{"rules": [{"who": ["*"], "connects": {"burst": 2}}]}`:                  `"connects": "burst" without`,
		`{"rules": [{"who": ["*"], "deny": ["X.exposed_y"]}]}`:                   "without the prefix",
		`{"rules": [{"who": ["*"]}], "methods": [{"method": "x", "queue": 1}]}`:  `x: neither "rate" nor`,
		`{"rules": [{"who": ["*"], "deny": [".x"]}]}`:                            `".x" is no pattern`,
		`{"rules": [{"who": ["*"], "methods": [{}]}]}`:                           "is no pattern",
		`{"rules": [{"who": ["*"]}], "methods": [{"method": "x", "queue": -1}]}`: "x: a limit is negative",
	} {
		_, err := load(text)
		require.ErrorContains(t, err, want, text)
		require.ErrorContains(t, err, file)
	}
	_, err = access.Load(file + "x")
	require.ErrorIs(t, err, os.ErrNotExist)
	for _, none := range []*access.Policy{nil, {}} {
		_, err = access.New(none)
		require.ErrorContains(t, err, "no rules")
	}
}

// python asks a Go service for what a policy denies, and a service of its own for what RPyC's configuration denies.
const python = `
import json, sys, threading
import rpyc
from rpyc.utils.server import ThreadedServer

class Shop(rpyc.Service):
    def numbers(self):
        pass
    def exposed_invoice(self):
        return [1]

server = ThreadedServer(Shop, hostname="127.0.0.1", port=0)
server.listener.listen(10)
threading.Thread(target=server.start, daemon=True).start()

def outcome(f):
    try:
        return repr(f())
    except Exception as e:
        return "%s: %s" % (type(e).__name__, str(e).split("\n")[0]) + (" %d s" % e.retry_after if hasattr(e, "retry_after") else "")

def ask(port):
    c = rpyc.connect("127.0.0.1", int(port), config={"allow_pickle": True})
    r = c.root
    def assign():
        r.numbers = 1
    try:
        return [outcome(f) for f in [
            lambda: r.numbers, lambda: hasattr(r, "numbers"), assign,
            lambda: rpyc.classic.obtain(r.invoice()), lambda: dir(r) != []]], [outcome(f) for f in [
            lambda: r.add(1, 2), lambda: r.add(1, 2), lambda: r.add(1, 2)]]
    finally:
        c.close()

ours, _ = ask(server.port)
theirs, limited = ask(sys.argv[1])
print(json.dumps([ours, theirs, limited]))
`

// TestPython shows a policy to a Python client, which sees what it would of RPyC's own refusals.
func TestPython(t *testing.T) {
	path := os.Getenv("GORPYC_TEST_PYTHON")
	if path == "" {
		path = "python3"
	}
	if out, err := exec.Command(path, "-c", "import rpyc").CombinedOutput(); err != nil {
		if os.Getenv("GORPYC_TEST_PYTHON") != "" {
			t.Fatalf("GORPYC_TEST_PYTHON cannot import rpyc: %s", out)
		}
		t.Skip("no RPyC to talk to")
	}
	e, err := access.New(&access.Policy{Rules: []access.Rule{{Who: []string{"*"}, Deny: []string{"numbers"},
		DenyPickle: true, Methods: []access.MethodLimit{
			{Method: "add", Limit: access.Limit{Rate: 1e-3, Burst: 2, Wait: -1}}}}}})
	require.NoError(t, err)
	srv := &servers.Server{Service: &shop{}, Config: e.Config(&protocol.Config{AllowPickle: true})}
	l, err := transport.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(t.Context(), l) }()
	_, port, _ := strings.Cut(l.Addr().String(), ":")
	cmd := exec.CommandContext(t.Context(), path, "-c", python, port)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	var got [][]string
	require.NoError(t, json.Unmarshal(out, &got), string(out))
	require.Equal(t, got[0], got[1], "as RPyC denies it")
	require.Equal(t, "AttributeError: cannot access 'numbers'", got[1][0])
	require.Equal(t, "ValueError: pickling is disabled", got[1][3])
	require.Equal(t, []string{"3", "3"}, got[2][:2])
	require.Regexp(t, `^BlockingIOError: .*too many requests for add, try again in 16m.* 9\d\d s$`, got[2][2])
	require.NoError(t, srv.Close())
	require.ErrorIs(t, <-served, servers.ErrServerClosed)
	<-srv.Done()
}
