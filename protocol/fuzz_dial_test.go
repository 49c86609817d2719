package protocol_test

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// FuzzDial has Negotiate meet a server that answers as a byte string says: in any family, rightly, wrongly, with
// rubbish or not at all. Whatever it does, dialling and calls end, and nothing is left.
func FuzzDial(f *testing.F) {
	for family := range byte(len(fuzzFamilies)) {
		f.Add([]byte{0, family, 0, 0, 0, 0, 0, 0, 0, 0})
		f.Add([]byte{1, family, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8})
		f.Add([]byte{0, family, 9, family + 1, 0, 0, 0, 0, 4, 4, 4, 4})
	}
	f.Add([]byte("0\x00\x00HTTP/1.1 400 Bad Request\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1000 {
			return
		}
		dialProgram(t, &program{t: t, data: data})
	})
}

func dialProgram(t *testing.T, g *program) {
	cfg := &protocol.Config{
		Timeout: 20 * time.Millisecond, CloseTimeout: 5 * time.Millisecond,
		Limits: protocol.Limits{Frame: 1 << 20, Inflated: 1 << 20, Exports: 200},
	}
	if g.next()%4 == 1 {
		cfg.Dialect = fuzzFamilies[g.next()%len(fuzzFamilies)]
	}
	var last io.Closer
	end := func() {
		if last != nil {
			_ = last.Close()
		}
		g.wg.Wait()
	}
	open := func(context.Context) (io.ReadWriteCloser, error) {
		end() // one server at a time has the program
		near, far := transport.Pipe()
		last = far
		g.p = newPeer(t, far, fuzzFamilies[g.next()%len(fuzzFamilies)])
		g.wg.Go(g.serveDialled)
		return near, nil
	}
	ctx := context.Background() // without a deadline, so that Config.Timeout counts
	watchdog := time.AfterFunc(20*time.Second, func() {
		buf := make([]byte, 1<<20)
		panic(fmt.Sprintf("it has not ended\n%s", buf[:runtime.Stack(buf, true)]))
	})
	defer watchdog.Stop()
	c, err := protocol.Negotiate(ctx, open, &fuzzService{}, cfg)
	if err != nil {
		end()
		return
	}
	for _, op := range []func() error{
		func() error { _, err := netref.Call[any](ctx, c.Root(), "echo", &thing{}, 1); return err },
		func() error { _, err := netref.Get[[]string](ctx, c.Root(), "names"); return err },
		func() error { _, err := c.Root().Dir(ctx); return err },
		func() error { _, err := netref.As[map[string]any](ctx, c.Root()); return err },
		func() error { _, err := c.Ping(ctx); return err },
	} {
		_ = op()
	}
	_ = c.Close()
	end()
	<-c.Done()
	if e, i := c.Exported(), c.Imported(); e != 0 || i != 0 {
		t.Fatalf("%d objects are exported and %d imported after the end", e, i)
	}
}

// serveDialled answers each request as the program says.
func (g *program) serveDialled() {
	defer g.p.rw.Close()
	for {
		payload, err := readPayload(g.p.r)
		if err != nil {
			return
		}
		kind, seq, body, err := g.p.d.ReadHeader(payload)
		if err != nil && g.next()%2 == 0 {
			return // as a server of another family does
		}
		var number any = int64(g.next())
		if err == nil && seq.IsNum() {
			number = seq.N
		}
		if err == nil && kind != wire.Request {
			continue
		}
		root := false
		if err == nil {
			h, _, err := g.p.d.ReadHandler(&body)
			root = err == nil && h == wire.HandleGetRoot
		}
		if g.next()%4 == 0 && root { // a right answer
			g.send(wire.Reply, number, mine(g.rootID()))
			continue
		}
		switch g.next() % 12 {
		case 0, 1, 2:
			g.send(wire.Reply, number, mine(g.rootID()))
		case 3, 4, 5:
			g.send(wire.Reply, number, g.boxed(0))
		case 6:
			g.send(wire.Exception, number, brine.Tuple{brine.Tuple{"builtins", "KeyError"}, brine.Tuple{g.value(0)},
				brine.Tuple{}, "tb"})
		case 7:
			g.send(wire.Kind(1+g.next()%3), g.value(1), g.value(0))
		case 8: // no frame at all
			n := min(g.next(), len(g.data))
			_, _ = g.p.rw.Write(g.data[:n])
			g.data = g.data[n:]
		case 9: // a question before the answer
			g.request(wire.Handler(g.next()%24), g.boxed(0), g.boxed(0))
			g.send(wire.Reply, number, g.boxed(0))
		case 10:
			return
		case 11: // silence
		}
	}
}

// rootID is an id pack in the form of the family.
func (g *program) rootID() any {
	switch g.p.d.Family() {
	case wire.FamilyA, wire.FamilyA2, wire.FamilyB, wire.FamilyB2:
		return int64(4711)
	}
	return id("x.Service", 5, 6)
}
