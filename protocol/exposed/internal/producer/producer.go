// Package producer has what a generator's items come from: Go's iterators, and funcs that hear what the consumer sends.
package producer

import (
	"context"
	"iter"
	"reflect"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Producer makes items on demand. One of Seq, Talk and Func says of what, before it is used. It must not be copied
// then, and is for one goroutine at a time.
type Producer struct {
	next   func(ctx context.Context) (any, bool, error)
	stop   func()
	hears  bool
	sent   any
	thrown error
}

var errorType = reflect.TypeFor[error]()

// Seq makes the items those of an iter.Seq or iter.Seq2. Those of an iter.Seq2[T, error] are the first ones of the
// pairs, up to an error, those of others tuples of two.
func (p *Producer) Seq(rv reflect.Value) {
	y := rv.Type().In(0)
	if y.NumIn() == 1 {
		var next func() (reflect.Value, bool)
		p.next = func(context.Context) (any, bool, error) {
			if next == nil { // started by the first item, so that nothing has to be stopped before
				next, p.stop = iter.Pull(rv.Seq())
			}
			v, ok := next()
			if !ok {
				return nil, false, nil
			}
			return v.Interface(), true, nil
		}
		return
	}
	fails := y.In(1) == errorType
	var next func() (reflect.Value, reflect.Value, bool)
	p.next = func(context.Context) (any, bool, error) {
		if next == nil {
			next, p.stop = iter.Pull2(rv.Seq2())
		}
		a, b, ok := next()
		switch {
		case !ok:
			return nil, false, nil
		case !fails:
			return brine.Tuple{a.Interface(), b.Interface()}, true, nil
		case !b.IsNil():
			return nil, false, b.Interface().(error)
		}
		return a.Interface(), true, nil
	}
}

// Talk makes the items those that f yields, which hears what is told to the Producer: yield returns what was sent and
// thrown, and a GeneratorExit when it is stopped.
func (p *Producer) Talk(f func(yield func(any) (any, error)) error) {
	p.hears = true
	var failed error
	seq := func(yield func(any) bool) {
		failed = f(func(v any) (any, error) {
			if !yield(v) {
				return nil, vinegar.GeneratorExit.New()
			}
			return p.sent, p.thrown
		})
	}
	var next func() (any, bool)
	p.next = func(context.Context) (any, bool, error) {
		if next == nil {
			next, p.stop = iter.Pull(seq)
		}
		v, ok := next()
		if !ok {
			return nil, false, failed
		}
		return v, true, nil
	}
}

// Func makes the items what f returns, which is false at the end.
func (p *Producer) Func(f func(ctx context.Context) (any, bool, error)) { p.next = f }

// Hears reports whether the producer hears what is told.
func (p *Producer) Hears() bool { return p.hears }

// Tell says what the consumer has sent or thrown, for the time when the producer goes on.
func (p *Producer) Tell(sent any, thrown error) {
	if p.hears {
		p.sent, p.thrown = sent, thrown
	}
}

// Next returns the next item, false at the end.
func (p *Producer) Next(ctx context.Context) (any, bool, error) { return p.next(ctx) }

// Stop ends a producer that was started: its deferred calls run.
func (p *Producer) Stop() {
	if p.stop != nil {
		p.stop()
	}
}

// Channel are the items that a channel receives.
type Channel struct{ ch reflect.Value }

// ChannelOf makes a Channel of a channel that can be received from.
func ChannelOf(v any) (Channel, bool) {
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Chan || rv.IsNil() || rv.Type().ChanDir()&reflect.RecvDir == 0 {
		return Channel{}, false
	}
	return Channel{rv}, true
}

// Next receives, until the context has ended.
func (c Channel) Next(ctx context.Context) (any, bool, error) {
	chosen, v, ok := reflect.Select([]reflect.SelectCase{
		{Dir: reflect.SelectRecv, Chan: c.ch},
		{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(ctx.Done())},
	})
	switch {
	case chosen == 1:
		return nil, false, context.Cause(ctx)
	case !ok:
		return nil, false, nil
	}
	return v.Interface(), true, nil
}
