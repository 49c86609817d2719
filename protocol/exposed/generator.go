package exposed

import (
	"context"
	"fmt"
	"reflect"
	"sync"

	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/producer"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/quota"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Generator is a Python generator that a Go producer fills on demand. When it is exhausted, closed, or dropped by the
// peer it was handed to, the producer is stopped: its deferred calls run, as the finally clauses of a Python generator
// do. An iter.Seq or iter.Seq2 that an exposed func returns becomes a Generator by itself.
//
// It is safe for concurrent use; asking for an item while another goroutine waits for one is the ValueError that
// Python raises.
type Generator struct {
	from  producer.Producer
	name  string // of the function that made it, for repr; may be empty
	pulls bool   // the producer has a goroutine, once it is started

	mu      sync.Mutex
	started bool
	busy    bool
	done    bool
	kept    bool
	closing bool // to be stopped as soon as it is no longer busy
}

var _ Dropper = (*Generator)(nil)

// NewGenerator makes a Generator of one of these, and panics if source is none of them:
//
//	iter.Seq[T]            the items
//	iter.Seq2[T, error]    the items; an error ends the iteration and is raised
//	iter.Seq2[K, V]        tuples of two
//	<-chan T               the items received until it is closed; it is not drained when the Generator is dropped
//	func() (T, bool)       the items until false
//	func() (T, error)      the items until an error; vinegar.StopIteration ends them without one
//	func(yield func(any) (any, error)) error
//	                       the items it yields; yield returns what a peer sends (nil for none) or throws
//
// The func() ones may take a context.Context, that of the request for the item. Only the last form hears of what
// Python's send and throw pass in; for the others a value sent is lost, and an exception thrown stops the producer and
// is raised. When the Generator is closed, yield returns a GeneratorExit, and the func has to return.
func NewGenerator(source any) *Generator {
	rv := reflect.ValueOf(source)
	if f, ok := source.(func(yield func(any) (any, error)) error); ok && f != nil {
		g := &Generator{pulls: true}
		g.from.Talk(f)
		return g
	}
	if rv.Kind() == reflect.Func && !rv.IsNil() && binding.IsSeq(rv.Type()) {
		return newGenerator(rv)
	}
	g := new(Generator)
	if ch, ok := producer.ChannelOf(source); ok {
		g.from.Func(ch.Next)
		return g
	}
	p, err := binding.New(rv, binding.Options{Name: "__next__", Qual: "__next__"})
	if err != nil || len(p.Params()) > 0 || !p.HasNext() && !isNext(p) {
		panic(fmt.Sprintf("exposed: a %T cannot be made a generator", source))
	}
	g.from.Func(func(ctx context.Context) (any, bool, error) { return untilStop(p.Call(ctx, nil, &Args{})) })
	return g
}

// isNext reports whether the func returns an item or an error.
func isNext(p *binding.Plan) bool {
	results, returnsError := p.Results()
	return len(results) == 1 && returnsError
}

func newGenerator(seq reflect.Value) *Generator {
	g := &Generator{pulls: true}
	g.from.Seq(seq)
	return g
}

func (g *Generator) next(ctx context.Context) (v any, ok bool, err error) {
	return g.resume(ctx, nil, nil)
}

// pullSize is about what a producer takes, in bytes, that waits to be asked for the next item: its goroutine's stack.
const pullSize = 8 << 10

// resume lets the producer go on, telling it what was sent or thrown if it listens.
func (g *Generator) resume(ctx context.Context, sent any, thrown error) (v any, ok bool, err error) {
	g.mu.Lock()
	switch {
	case g.busy:
		g.mu.Unlock()
		return nil, false, vinegar.ValueError.New("generator already executing")
	case g.done:
		g.mu.Unlock()
		return nil, false, nil
	}
	if g.pulls && !g.started {
		if err := quota.Pay(ctx, g, pullSize); err != nil {
			g.mu.Unlock()
			return nil, false, err
		}
	}
	g.busy, g.started = true, true
	g.from.Tell(sent, thrown)
	g.mu.Unlock()
	defer func() { // in a defer because the producer may panic
		g.mu.Lock()
		g.busy = false
		finish := !g.done && (!ok || g.closing)
		g.done = g.done || finish
		g.mu.Unlock()
		if finish {
			g.from.Stop()
		}
	}()
	return g.from.Next(ctx)
}

// Close stops the producer. If an item is just being produced, it is stopped afterwards.
func (g *Generator) Close() (err error) {
	defer protect(&err)
	g.mu.Lock()
	if g.busy || g.done {
		g.closing = true
		g.mu.Unlock()
		return nil
	}
	g.done = true
	g.mu.Unlock()
	g.from.Stop()
	return nil
}

// KeepOpen makes the Generator survive being dropped by a peer, for one that several peers or the program itself go on
// using. It returns g.
func (g *Generator) KeepOpen() *Generator {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.kept = true
	return g
}

// PyDrop closes the Generator unless it is kept open.
func (g *Generator) PyDrop() {
	g.mu.Lock()
	kept := g.kept
	g.mu.Unlock()
	if !kept {
		_ = g.Close() // nobody is left to hear of a panic in the producer
	}
}

// Send is Python's send: it passes v to a producer that listens and returns the next item, false at the end.
func (g *Generator) Send(ctx context.Context, v any) (item any, ok bool, err error) {
	defer protect(&err)
	g.mu.Lock()
	fresh := !g.started && !g.done
	g.mu.Unlock()
	if fresh && v != nil {
		return nil, false, vinegar.TypeError.New("can't send non-None value to a just-started generator")
	}
	return g.resume(ctx, v, nil)
}

// Throw is Python's throw: it makes the yield of a producer that listens return exc, and returns the next item, false
// at the end. A producer that does not listen, or has not begun, is stopped, and exc is the error.
func (g *Generator) Throw(ctx context.Context, exc error) (item any, ok bool, err error) {
	defer protect(&err)
	g.mu.Lock()
	hears := g.from.Hears() && g.started && !g.done
	g.mu.Unlock()
	if !hears {
		if err := g.Close(); err != nil {
			return nil, false, err
		}
		return nil, false, exc
	}
	return g.resume(ctx, nil, exc)
}
