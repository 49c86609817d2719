package shadow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/servers"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/gorpyc/gorpyc/protocol.collect"))
}

// shop is the service; the fields are what the one that is asked does otherwise.
type shop struct {
	wrong   string
	calls   *atomic.Int64
	stock   *exposed.List
	stopped chan struct{}
}

// Item is what the shop sells.
type Item struct {
	Name string
	hash int
}

// PyHash is hash().
func (i *Item) PyHash() int { return 7 + i.hash }

// Price is a method of an object that is given out.
func (i *Item) Price() int { return len(i.Name) }

// Article stands for Item where the defect is the class.
type Article struct{ Name string }

func (s *shop) is(defect string) bool { return s.wrong == defect }

func (s *shop) Add(a, b int) any {
	s.calls.Add(1)
	switch {
	case s.is("result"):
		return a + b + 1
	case s.is("type"):
		return float64(a + b)
	}
	return a + b
}

func (s *shop) Fail() error {
	switch {
	case s.is("exception class"):
		return vinegar.KeyError.New("x")
	case s.is("exception arguments"):
		return vinegar.ValueError.New("y")
	case s.is("exception attributes"):
		return vinegar.ValueError.New("x").With("code", 6)
	case s.is("no exception"):
		return nil
	}
	return vinegar.ValueError.New("x").With("code", 5)
}

func (s *shop) Prices() *exposed.List {
	if s.is("pickle") {
		return exposed.NewList(1, 3)
	}
	return exposed.NewList(1, 2)
}

func (s *shop) Stock() *exposed.List {
	if s.is("identity") {
		return exposed.NewList(1, 2, 3)
	}
	return s.stock
}

func (s *shop) Item() any {
	if s.is("class") {
		return &Article{"tea"}
	}
	switch {
	case s.is("method's result"):
		return &Item{Name: "teas"}
	case s.is("hash"):
		return &Item{Name: "tea", hash: 1}
	}
	return &Item{Name: "tea"}
}

func (s *shop) Each(ctx context.Context, f *netref.Object) (int, error) {
	n := 3
	if s.is("fewer callbacks") {
		n = 2
	}
	sum := 0
	for i := range n {
		arg := i
		if s.is("callback's argument") && i == 1 {
			arg = 7
		}
		v, err := netref.CallFunc[int](ctx, f, arg)
		if err != nil {
			return 0, err
		}
		sum += v
	}
	if s.is("more callbacks") {
		if _, err := netref.CallFunc[int](ctx, f, 9); err != nil {
			return sum, nil
		}
	}
	return sum, nil
}

func (s *shop) Wait() int {
	if s.is("hangs") {
		<-s.stopped
	}
	return 1
}

func (s *shop) Leave(ctx context.Context) int {
	if s.is("hangs up") {
		_ = protocol.FromContext(ctx).CloseNow()
	}
	return 1
}

// extra has a method more.
type extra struct{ *shop }

// More is what the other has not.
func (extra) More() int { return 1 }

func serve(t *testing.T, root any) (open func(context.Context) (net.Conn, error)) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	srv := &servers.Server{Service: root, Config: &protocol.Config{AllowPickle: true}}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(context.Background(), l) }()
	t.Cleanup(func() {
		require.NoError(t, srv.Close())
		<-ended
	})
	return func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
	}
}

func newShop(t *testing.T, wrong string) *shop {
	s := &shop{wrong: wrong, calls: new(atomic.Int64), stock: exposed.NewList(1, 2, 3), stopped: make(chan struct{})}
	t.Cleanup(func() { close(s.stopped) })
	return s
}

// through runs use as a client of a proxy, and waits until all of it has been compared.
func through(t *testing.T, o Options, percent int, use func(ctx context.Context, root *netref.Object)) *Proxy {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := New(o, percent)
	served := make(chan error, 1)
	go func() { served <- p.Serve(t.Context(), l) }()
	c, err := protocol.Dial(t.Context(), "tcp", l.Addr().String(), nil)
	require.NoError(t, err)
	use(t.Context(), c.Root())
	require.NoError(t, c.Close())
	require.NoError(t, l.Close())
	require.NoError(t, <-served)
	return p
}

// everything uses all that the service has. What servers say is not the client's to judge.
func everything(ctx context.Context, root *netref.Object) {
	_, _ = root.CallMethod(ctx, "add", 2, 3)
	_, _ = root.CallMethod(ctx, "fail")
	for range 2 {
		if stock, err := netref.Call[*netref.Object](ctx, root, "stock"); err == nil {
			_, _ = stock.Len(ctx)
			_, _ = stock.Item(ctx, 1)
		}
	}
	if item, err := netref.Call[*netref.Object](ctx, root, "item"); err == nil {
		_, _ = item.CallMethod(ctx, "price")
		_, _ = item.Hash(ctx)
	}
	_, _ = root.Hash(ctx) // of an identity, it differs
	if prices, err := netref.Call[*netref.Object](ctx, root, "prices"); err == nil {
		_, _ = netref.Obtain[[]int](ctx, prices)
	}
	_, _ = root.CallMethod(ctx, "each", func(n int) int { return 10 * n })
	_, _ = root.CallMethod(ctx, "wait")
	_, _ = root.Dir(ctx)
	_, _ = root.CallMethod(ctx, "leave")
}

func TestNoFalseDifferences(t *testing.T) {
	for _, percent := range []int{0, 100} {
		p := through(t, Options{Old: serve(t, newShop(t, "")), New: serve(t, newShop(t, "")), All: true}, percent, everything)
		s := p.Report.snapshot()
		require.Empty(t, s.Differences)
		require.Empty(t, s.Skipped)
		require.Greater(t, s.Counts[compared], 10)
		require.Equal(t, s.Counts[compared], s.Counts[equal])
		require.Equal(t, percent/100, s.Counts[connectionsByNew])
	}
}

func TestEachDefectIsReported(t *testing.T) {
	for defect, want := range map[string]struct{ method, kind string }{
		"result": {"add()", result}, "type": {"add()", typeOf},
		"exception class": {"fail()", exception}, "exception arguments": {"fail()", exception},
		"exception attributes": {"fail()", exception}, "no exception": {"fail()", exception},
		"identity": {"stock()", identity}, "hash": {"hash(item())", result},
		"pickle": {"pickle(prices())", result}, "class": {"item()", typeOf}, "method's result": {"item().price()", result},
		"fewer callbacks": {"each()", result}, "more callbacks": {"each()", callbackMade},
		"callback's argument": {"each()", callbackMade}, "hangs": {"wait()", noAnswer},
		"hangs up": {"leave()", endOfConnection},
	} {
		for _, percent := range []int{0, 100} {
			if percent == 100 && (defect == "hangs" || defect == "hangs up" || defect == "fewer callbacks") {
				continue // it is the client's server that does it, then
			}
			old, new := newShop(t, ""), newShop(t, defect)
			o := Options{Old: serve(t, old), New: serve(t, new), All: true, Patience: 300 * time.Millisecond}
			s := through(t, o, percent, everything).Report.snapshot()
			found := false
			for _, g := range s.Differences {
				found = found || g.Method == want.method && g.Kind == want.kind
			}
			require.True(t, found, "%s at %d%%: %+v", defect, percent, s.Differences)
		}
	}
	s := through(t, Options{Old: serve(t, newShop(t, "")), New: serve(t, extra{newShop(t, "")}), All: true,
		Same: map[string]string{"shadow.shop": "shadow.extra"}}, 0, everything).Report.snapshot()
	require.Len(t, s.Differences, 1, "%+v", s.Differences)
	require.Equal(t, []string{"dir(root)", attributes}, []string{s.Differences[0].Method, s.Differences[0].Kind})
}

func TestOnlySafeMethodsAreCalledTwice(t *testing.T) {
	old, new := newShop(t, ""), newShop(t, "")
	p := through(t, Options{Old: serve(t, old), New: serve(t, new), Safe: []string{"st*"}}, 0, everything)
	require.EqualValues(t, 1, old.calls.Load())
	require.EqualValues(t, 0, new.calls.Load())
	s := p.Report.snapshot()
	require.Empty(t, s.Differences)
	require.Positive(t, s.Skipped[notSafe])
	methods := map[string]bool{}
	for _, l := range s.Latencies {
		methods[l.Method] = true
	}
	require.True(t, methods["stock()"], "%v", methods)
	require.False(t, methods["add()"], "%v", methods)
}

// Whatever the other server is like, clients get what theirs says, and in time.
func TestClientsDoNotNotice(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = silent.Close() })
	for name, other := range map[string]struct {
		open func(context.Context) (net.Conn, error)
		told counter
	}{
		"dead": {func(context.Context) (net.Conn, error) { return nil, errors.New("dead") }, unreached},
		"hangs": {func(ctx context.Context) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", silent.Addr().String())
		}, lost},
	} {
		p := through(t, Options{Old: serve(t, newShop(t, "")), New: other.open, All: true, Queue: 20,
			Patience: 500 * time.Millisecond}, 0, func(ctx context.Context, root *netref.Object) {
			for i := range 200 {
				n, err := netref.Call[int](ctx, root, "add", i, 1)
				require.NoError(t, err)
				require.Equal(t, i+1, n)
			}
		})
		require.Equal(t, 1, p.Report.snapshot().Counts[other.told], name)
		if name == "hangs" {
			require.Greater(t, p.Report.snapshot().Counts[dropped], 100)
		}
	}
}

func TestBackToTheOldServer(t *testing.T) {
	dead := func(context.Context) (net.Conn, error) { return nil, errors.New("dead") }
	p := through(t, Options{Old: serve(t, newShop(t, "")), New: dead, All: true}, 100,
		func(ctx context.Context, root *netref.Object) {
			n, err := netref.Call[int](ctx, root, "add", 2, 3)
			require.NoError(t, err)
			require.Equal(t, 5, n)
		})
	require.Equal(t, 1, p.Report.snapshot().Counts[fellBack])
}

func TestReportShowsNoValues(t *testing.T) {
	for _, redact := range []bool{false, true} {
		p := through(t, Options{Old: serve(t, newShop(t, "")), New: serve(t, newShop(t, "exception arguments")), All: true,
			Redact: redact}, 0, everything)
		var table, document bytes.Buffer
		require.NoError(t, p.Report.WriteTable(&table))
		require.NoError(t, p.Report.WriteJSON(&document))
		var s snapshot
		require.NoError(t, json.Unmarshal(document.Bytes(), &s))
		want := "ValueError('x',)"
		if redact {
			want = "ValueError[tuple of 1]"
		}
		require.Equal(t, want, s.Differences[0].Old)
		require.Contains(t, table.String(), want)
	}
}

func TestSampleAndIgnore(t *testing.T) {
	o := Options{Old: serve(t, newShop(t, "")), New: serve(t, newShop(t, "result")), All: true, Sample: 1e-9}
	s := through(t, o, 0, everything).Report.snapshot()
	require.Empty(t, s.Differences)
	require.Positive(t, s.Skipped[notSampled])
	o.Sample, o.Ignore = 0, []string{"add"}
	require.Empty(t, through(t, o, 0, everything).Report.snapshot().Differences)
}

// exhausted is a listener that fails once.
type exhausted struct {
	net.Listener
	failed bool
}

func (l *exhausted) Accept() (net.Conn, error) {
	if !l.failed {
		l.failed = true
		return nil, syscall.EMFILE
	}
	return l.Listener.Accept()
}

// TestGoesOnAccepting has no descriptors left for a moment.
func TestGoesOnAccepting(t *testing.T) {
	open := serve(t, newShop(t, ""))
	p := New(Options{Old: open, New: open, All: true}, 0)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- p.Serve(t.Context(), &exhausted{Listener: l}) }()
	c, err := protocol.Dial(t.Context(), "tcp", l.Addr().String(), nil)
	require.NoError(t, err)
	require.NoError(t, c.Close())
	<-c.Done()
	require.NoError(t, l.Close())
	require.NoError(t, <-ended)
	require.Equal(t, 1, p.Report.snapshot().Counts[notAccepted])
	var table bytes.Buffer
	require.NoError(t, p.Report.WriteTable(&table))
	require.Contains(t, table.String(), string(notAccepted))
}
