package script

import (
	"context"
	"iter"
	"runtime"
	"sync"

	"go.starlark.net/starlark"

	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Generator is what a generator function or expression of a program makes.
type Generator struct {
	mu   sync.Mutex
	busy bool
	step func(ctx context.Context, sent any, thrown error) (v any, ok bool, err error) // nil at the end
	stop func(ctx context.Context)
}

var _ = exposed.Register[Generator](exposed.ClassOptions{
	Name: "builtins.generator",
	Hidden: map[string]any{
		"__iter__": func(g *Generator) *Generator { return g },
		"send":     func(g *Generator, ctx context.Context, v any) (any, error) { return g.resume(ctx, v, nil) },
		"throw": func(g *Generator, ctx context.Context, exc any) (any, error) {
			return g.resume(ctx, nil, raise(ctx, []any{exc}))
		},
		"close": (*Generator).close,
	},
})

// PyNext is next(g).
func (g *Generator) PyNext(ctx context.Context) (any, error) { return g.resume(ctx, nil, nil) }

func (g *Generator) resume(ctx context.Context, sent any, thrown error) (any, error) {
	ctx, err := exposed.Descend(ctx, "")
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	step := g.step
	if g.busy {
		g.mu.Unlock()
		return nil, vinegar.ValueError.New("generator already executing")
	}
	g.busy = true
	g.mu.Unlock()
	v, ok, err := any(nil), false, thrown
	if step != nil {
		v, ok, err = step(ctx, sent, thrown)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.busy = false; ok {
		return v, nil
	}
	g.step = nil
	if err == nil {
		err = vinegar.StopIteration.New()
	}
	return nil, err
}

func (g *Generator) close(ctx context.Context) {
	g.mu.Lock()
	stop := g.stop
	if g.busy {
		stop = nil
	}
	g.step = nil
	g.mu.Unlock()
	if stop != nil {
		stop(ctx)
	}
}

// maxGenerators bounds how many generator functions of an evaluator may have been begun and not ended.
const maxGenerators = 10000

func generators(raw func(string, helper)) {
	raw(genCall, func(r *run, a starlark.Tuple) (starlark.Value, error) {
		source, fn := a[0].(*loop).v, a[1].(*starlark.Function)
		ready, f := []any(nil), &Function{ev: r.ev, fn: fn, name: "<genexpr>"}
		step := func(ctx context.Context, _ any, thrown error) (any, bool, error) {
			if thrown != nil {
				return nil, false, thrown
			}
			for len(ready) == 0 {
				if ctx.Err() != nil { // nothing else ends a loop that finds nothing
					return nil, false, context.Cause(ctx)
				}
				item, ok, err := exposed.Next(ctx, source)
				if err != nil || !ok {
					return nil, false, err
				}
				all, err := f.call(ctx, []any{item}, nil)
				if err != nil {
					return nil, false, err
				}
				ready = all.(*exposed.List).Items()
			}
			v := ready[0]
			ready = ready[1:]
			return v, true, nil
		}
		return &object{&Generator{step: step}}, nil
	})
	raw(coroutine, func(r *run, a starlark.Tuple) (starlark.Value, error) {
		return &object{newCoroutine(r.ev, a[0].(*starlark.Function))}, nil
	})
	raw(yieldCall, func(r *run, a starlark.Tuple) (starlark.Value, error) { return r.yield(out(a[0])) })
	raw(yieldFromCall, func(r *run, a starlark.Tuple) (starlark.Value, error) {
		for {
			v, ok, err := exposed.Next(r.ctx, a[0].(*loop).v)
			if err != nil || !ok {
				return starlark.None, err
			}
			if _, err := r.yield(v); err != nil {
				return nil, err
			}
		}
	})
}

// threadYield is the key of what yields in a generator's thread.
const threadYield = "yield"

// yield hands an item out and returns what is sent in.
func (r *run) yield(v any) (starlark.Value, error) {
	y, ok := r.thread.Local(threadYield).(func(any) (any, error))
	if !ok {
		return nil, vinegar.RuntimeError.New("yield outside of a generator")
	}
	sent, err := y(v)
	if err != nil {
		return nil, err
	}
	return in(sent), nil
}

// newCoroutine makes a generator of the body of a function with yield in it. The body runs in a thread of its own while
// an item is asked for, on behalf of the request that asks.
func newCoroutine(ev *Evaluator, body *starlark.Function) *Generator {
	r := ev.newRun("generator")
	var (
		sent           any
		thrown, failed error
		next           func() (any, bool)
		stop           func()
		once           sync.Once
	)
	begin := func() {
		next, stop = iter.Pull(func(yield func(any) bool) {
			r.thread.SetLocal(threadYield, func(v any) (any, error) {
				if !yield(v) {
					return nil, vinegar.GeneratorExit.New()
				}
				return sent, thrown
			})
			if _, err := starlark.Call(r.thread, body, nil, nil); err != nil {
				failed = r.finish(err)
			}
		})
	}
	end := func() { once.Do(func() { ev.generators.Add(-1) }) }
	g := &Generator{}
	g.step = func(ctx context.Context, s any, t error) (any, bool, error) {
		if next == nil {
			switch {
			case s != nil:
				return nil, false, vinegar.TypeError.New("can't send non-None value to a just-started generator")
			case t != nil:
				return nil, false, t
			case ev.generators.Add(1) > maxGenerators:
				ev.generators.Add(-1)
				return nil, false, vinegar.MemoryError.Errorf("more than %d generators that have begun and not ended",
					maxGenerators)
			}
			begin()
		}
		sent, thrown = s, t
		if outer, ok := ctx.Value(runKey{}).(*run); ok && outer.ev == ev {
			r.state.depth = outer.depth()
			if err := r.enter(); err != nil {
				return nil, false, err
			}
		}
		r.ctx = context.WithValue(ctx, runKey{}, r)
		unwatch := context.AfterFunc(ctx, func() { r.thread.Cancel("the context has ended") })
		v, ok := next()
		unwatch()
		if !ok {
			end()
			return nil, false, failed
		}
		return v, true, nil
	}
	halt := func(ctx context.Context) {
		if stop != nil {
			r.ctx = context.WithValue(ctx, runKey{}, r)
			stop()
			end()
		}
	}
	g.stop = halt
	// nobody will ask for the rest
	runtime.AddCleanup(g, func(halt func(context.Context)) { go halt(context.Background()) }, halt)
	return g
}
