package protocol_test

import (
	"context"
	"io"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// FuzzPeer takes a byte string for a program of what the two sides of a connection do: the peer requests, answers,
// makes mistakes, sends rubbish or hangs up, our side calls, gives up, releases and closes. Whatever they do, nothing
// panics, the connection has ended soon after the stream has, and nothing of it is left.
func FuzzPeer(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 0, 1, 1, 8, 0, 2, 3, 4, 5, 6, 7})
	f.Add([]byte{1, 0, 1, 7, 0, 9, 9, 9, 10, 2, 0, 2, 0, 3, 0})
	f.Add([]byte{0, 8, 1, 8, 1, 9, 0, 1, 2, 3, 11, 11, 12})
	f.Add([]byte{0, 4, 200, 1, 5, 1, 12, 0, 5, 3, 6, 4, 13})
	for seed := range byte(32) { // something of everything
		prog := make([]byte, 200)
		x := uint32(seed)*2654435761 + 1
		for i := range prog {
			x = x*1664525 + 1013904223
			prog[i] = byte(x >> 24)
		}
		prog[0] = seed<<7 | seed>>1 // each family, told and found out
		f.Add(prog)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 2000 {
			return
		}
		runProgram(t, data)
	})
}

// fuzzService does what a program can ask for.
type fuzzService struct {
	List *exposed.List
	kept any
}

func (s *fuzzService) Echo(x any) any { return x }

func (s *fuzzService) Keep(x any) { s.kept = x }

func (s *fuzzService) Kept() any { return s.kept }

func (s *fuzzService) Make(n int) any { return &thing{N: n} }

func (s *fuzzService) Class() any { return exposed.ClassOf(s) }

func (s *fuzzService) Call(ctx context.Context, f *netref.Object, x any) (any, error) {
	return f.Call(ctx, x)
}

func (s *fuzzService) Func(f func(int) (int, error), n int) (int, error) { return f(n) }

func (s *fuzzService) Sum(xs []int) (n int) {
	for _, x := range xs {
		n += x
	}
	return n
}

func (s *fuzzService) Keys(ctx context.Context, m map[string]any) int { return len(m) }

func (s *fuzzService) Gen(n int) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for i := 0; i < n%1000 && yield(i); i++ {
		}
	}
}

var fuzzMethods = []string{
	"echo", "keep", "kept", "make", "class", "call", "func", "sum", "keys", "gen", "list", "nope",
	"__len__", "__getitem__",
	"__iter__", "__next__", "__eq__", "__class__", "__call__", "_rpyc_getattr", "exposed_echo", "",
}

var fuzzFamilies = []*wire.Dialect{
	wire.FamilyC, wire.FamilyD, wire.FamilyA, wire.FamilyA2, wire.FamilyB, wire.FamilyB2, wire.FamilyC2,
	wire.FamilyC.BindThreads(), wire.FamilyD.BindThreads(),
}

type program struct {
	t    *testing.T
	data []byte
	c    *protocol.Conn
	p    *peer
	wg   sync.WaitGroup

	trail []byte // what stands behind the messages of the peer

	mu      sync.Mutex
	ids     []any            // id packs of the connection's objects
	asked   []any            // numbers of the connection's requests without an answer
	handles []*netref.Object // the peer's objects, as our side has them
}

// next is the next byte of the program; zeros follow its end.
func (g *program) next() int {
	if len(g.data) == 0 {
		return 0
	}
	b := g.data[0]
	g.data = g.data[1:]
	return int(b)
}

func runProgram(t *testing.T, data []byte) {
	g := &program{t: t, data: data}
	n := g.next()
	d := fuzzFamilies[n%len(fuzzFamilies)]
	told := d // what our side is told of the family; it finds out if that is nothing
	if n >= 128 {
		told = nil
	}
	near, far := transport.Pipe()
	c, err := protocol.NewConn(context.Background(), near, &fuzzService{List: exposed.NewList(1, "a", nil)},
		&protocol.Config{
			Metadata: protocol.MetadataMode(n / len(fuzzFamilies) % 3),
			Dialect:  told, Timeout: 20 * time.Millisecond, CloseTimeout: 5 * time.Millisecond, Concurrency: g.next()%3 - 1,
			Access: exposed.Policy{AllowAll: g.next()%4 == 0, AllowSet: true, AllowDel: true},
			Limits: protocol.Limits{Frame: 1 << 20, Inflated: 1 << 20, Queued: 2000, Exports: 200},
		})
	if err != nil {
		t.Fatal(err)
	}
	g.c, g.p = c, newPeer(t, far, d)
	g.wg.Go(g.listen)
	for steps := 0; len(g.data) > 0 && steps < 500; steps++ {
		g.step()
	}
	_ = far.Close()
	g.wg.Wait()
	select {
	case <-c.Done():
	case <-time.After(20 * time.Second):
		buf := make([]byte, 1<<20)
		t.Fatalf("the connection has not ended\n%s", buf[:runtime.Stack(buf, true)])
	}
	if e, i := c.Exported(), c.Imported(); e != 0 || i != 0 {
		t.Fatalf("%d objects are exported and %d imported after the end", e, i)
	}
}

// listen takes in what the connection sends, for the program to refer to.
func (g *program) listen() {
	for {
		payload, err := readPayload(g.p.r)
		if err != nil {
			_, _ = io.Copy(io.Discard, g.p.r)
			return
		}
		m := g.p.parse(payload)
		g.mu.Lock()
		for _, r := range m.refs {
			if v, err := brine.Unmarshal([]byte(r.raw)); err == nil && r.label == wire.LabelRemoteRef && len(g.ids) < 100 {
				g.ids = append(g.ids, v)
			}
		}
		if m.kind == wire.Request && len(g.asked) < 100 {
			g.asked = append(g.asked, m.seq)
		}
		g.mu.Unlock()
	}
}

func (g *program) step() {
	switch g.next() % 16 {
	case 0:
		g.request(wire.HandleGetRoot)
	case 1, 2:
		g.request(wire.HandleCallAttr, yours(g.id()), val(fuzzMethods[g.next()%len(fuzzMethods)]), g.boxed(0),
			val(brine.Tuple{}))
	case 3:
		g.request(wire.HandleGetAttr, yours(g.id()), val(fuzzMethods[g.next()%len(fuzzMethods)]))
	case 4: // any operation with any arguments
		args := make([]any, g.next()%5)
		for i := range args {
			args[i] = g.boxed(0)
		}
		g.request(wire.Handler(g.next()%24), args...)
	case 5:
		g.request(wire.HandleDel, yours(g.id()), val(g.next()%4-1))
	case 6:
		g.send(wire.Request, g.next(), brine.Tuple{int64(wire.HandleInspect), val(brine.Tuple{g.id()})})
	case 7, 8:
		g.answer()
	case 9: // a message with a few bytes changed, if any
		f := g.p.encode(wire.Kind(1+g.next()%3), g.value(1), brine.Tuple{g.next() % 24, g.boxed(0)})
		for range max(0, g.next()%16-12) {
			f[g.next()%len(f)] = byte(g.next())
		}
		_, _ = g.p.rw.Write(f)
	case 10: // rubbish: seldom all of it, because that is the end
		if g.next()%8 > 0 {
			g.send(wire.Request, g.next(), g.value(0))
			break
		}
		n := min(g.next()%32, len(g.data))
		_, _ = g.p.rw.Write(frameOf(g.data[:n]))
		g.data = g.data[n:]
	case 11:
		g.local()
	case 12: // from here on, messages have another trailer
		runtime.Gosched()
		g.trail = g.trailer()
	case 13:
		if h := g.handle(); h != nil {
			h.Release()
		}
	case 14:
		switch g.next() % 8 {
		case 0:
			_ = g.p.rw.(interface{ CloseWrite() error }).CloseWrite()
		case 1:
			_ = g.c.CloseNow()
		case 2:
			g.wg.Go(func() { _ = g.c.Close() })
		case 3:
			g.request(wire.HandleClose)
		}
	case 15: // settle: what was sent has been taken in when the echo comes
		g.request(wire.HandlePing, val(g.value(0)))
	}
}

func (g *program) send(k wire.Kind, seq, body any) {
	f := g.p.encode(k, seq, body)
	if len(g.trail) > 0 {
		f = frameOf(append(payloadOf(g.t, f), g.trail...))
	}
	_, _ = g.p.rw.Write(f)
}

// trailer makes what stands behind messages, which is malformed at times.
func (g *program) trailer() []byte {
	t := wire.Trailer{Bounded: g.next()%2 == 0, Remaining: time.Duration(g.next()) * time.Millisecond}
	for range g.next() % 4 {
		t.Cancels = append(t.Cancels, int64(g.next()))
	}
	if n := g.next(); n%4 == 0 {
		t.TraceParent, t.Pairs = fuzzMethods[n%len(fuzzMethods)], map[string]string{"x": "y"}
	}
	b, err := wire.AppendTrailer(nil, &t)
	if err != nil {
		g.t.Fatal(err)
	}
	if n := g.next(); n > 200 {
		b[n%len(b)] ^= byte(n)
	}
	return b
}

func (g *program) request(h wire.Handler, boxed ...any) {
	g.send(wire.Request, g.next(), brine.Tuple{int64(h), tup(boxed...)})
}

// answer answers a request of the connection, or one it never made.
func (g *program) answer() {
	g.mu.Lock()
	var seq any = int64(g.next())
	if n := len(g.asked); n > 0 {
		seq = g.asked[n-1]
		g.asked = g.asked[:n-1]
	}
	g.mu.Unlock()
	if g.next()%4 == 0 {
		g.send(wire.Exception, seq, brine.Tuple{brine.Tuple{"builtins", "KeyError"}, brine.Tuple{g.value(0)},
			brine.Tuple{}, "tb"})
		return
	}
	g.send(wire.Reply, seq, g.boxed(0))
}

// local does something on our side that may wait, and does not wait for it.
func (g *program) local() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(g.next()%10)*time.Millisecond)
	h, op, v := g.handle(), g.next()%10, g.value(0)
	g.wg.Go(func() {
		defer cancel()
		var o *netref.Object
		switch {
		case op == 0 || h == nil:
			if g.c.Request(ctx, &o, wire.HandlePing, v, &thing{}) == nil && o != nil {
				g.mu.Lock()
				g.handles = append(g.handles, o)
				g.mu.Unlock()
			}
		case op == 1:
			_, _ = h.Call(ctx, v, h)
		case op == 2:
			_, _ = h.Len(ctx)
		case op == 3:
			_, _ = netref.As[[]any](ctx, h)
		case op == 4:
			_, _ = netref.As[map[string]int](ctx, h)
		case op == 5:
			n := 0
			for range h.BuffIter(ctx, nil) {
				if n++; n > 100 {
					break
				}
			}
		case op == 6:
			_, _ = h.Equal(ctx, v)
		case op == 7:
			if r, err := h.CallAsync(ctx, v); err == nil {
				r.Abandon()
			}
		case op == 8:
			if v == nil { // it ends the program
				_ = g.c.Shutdown(ctx)
			}
		case op == 9:
			_, _ = g.c.Ping(ctx)
		}
	})
}

func (g *program) handle() *netref.Object {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.handles) == 0 {
		return nil
	}
	return g.handles[g.next()%len(g.handles)]
}

// id is an id pack of the connection's, or one that is not.
func (g *program) id() any {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := g.next()
	if len(g.ids) > 0 && n%8 > 0 {
		return g.ids[n%len(g.ids)]
	}
	return id("builtins.list", int64(n%3), int64(n%5))
}

func (g *program) boxed(depth int) brine.Tuple {
	switch n := g.next() % 8; {
	case n < 3:
		return val(g.value(depth))
	case n < 5 && depth < 4:
		items := make([]any, g.next()%4)
		for i := range items {
			items[i] = g.boxed(depth + 1)
		}
		return tup(items...)
	case n < 6:
		return yours(g.id())
	case n < 7:
		return mine(id([]string{"builtins.function", "builtins.list", "x.Y", "builtins.dict"}[g.next()%4], 5,
			int64(g.next()%4)))
	}
	return brine.Tuple{g.value(3), g.value(depth)}
}

func (g *program) value(depth int) any {
	switch n := g.next() % 14; n {
	case 0:
		return nil
	case 1:
		return g.next()%2 == 0
	case 2, 3:
		return int64(g.next()) - 100
	case 4:
		return pow10(int64(g.next()))
	case 5:
		return float64(g.next()) / 3
	case 6, 7:
		return fuzzMethods[g.next()%len(fuzzMethods)]
	case 8:
		return []byte{byte(g.next())}
	case 9:
		return brine.Slice{Start: int64(g.next() % 4), Stop: nil, Step: nil}
	case 10:
		return brine.FrozenSet{int64(g.next())}
	case 11:
		return brine.NotImplemented
	default:
		if depth > 4 {
			return brine.Tuple{}
		}
		t := make(brine.Tuple, g.next()%4)
		for i := range t {
			t[i] = g.value(depth + 1)
		}
		return t
	}
}
