package netref

import (
	"context"
	"fmt"
	"slices"

	"github.com/gorpyc/gorpyc/protocol/wire"
)

// Batch is calls that are sent together and waited for once, by one goroutine. The zero value is empty and ready:
//
//	var b netref.Batch
//	prices := make([]float64, len(items))
//	for i, item := range items {
//		b.Call(&prices[i], shop, "price", item)
//	}
//	err := b.Do(ctx)
//
// To the peer they are single requests, so it may be any; RPyC has nothing like it but rpyc.async_. The peer begins
// them in the order in which they were added, as it does with calls made one after the other, and one that fails does
// not keep the others from being made. If order matters more than that, or a call needs the result of another, they
// belong into two batches.
//
// A Batch must not be used by several goroutines at the same time. It costs a call less than [Call], which has a write
// and a wake-up of its own, and less memory than [Object.CallMethodAsync].
type Batch struct{ asks []Ask }

// Ask is one request of a [Batch], as the connection sees it.
type Ask struct {
	Op  wire.Handler
	Dst any   // what the result is stored through, as Requester.Request has it
	Err error // what the request has failed with, set by the connection

	target *Object
	method string // for errors
	args   [4]any
	n      int
}

// Args are the arguments of the request, the first of which is the object that it is for.
func (a *Ask) Args() []any { return a.args[:a.n] }

// batcher is a [Requester] that can send many requests at once. It sets what each has failed with.
type batcher interface {
	RequestAll(ctx context.Context, asks []Ask)
}

// add adds a request.
func (b *Batch) add(dst any, o *Object, method string, op wire.Handler, args ...any) {
	a := Ask{Op: op, Dst: destination(dst), target: o, method: method}
	a.args[0] = o
	a.n = 1 + copy(a.args[1:], args)
	b.asks = append(b.asks, a)
}

// Call adds a call of the method name of o. When it is made, the result is converted into *dst as [Assign] does; a nil
// dst drops it. The arguments are looked at when the call is made; keyword arguments are given with [Kw].
func (b *Batch) Call(dst any, o *Object, name string, args ...any) {
	pos, kw := splitArgs(args)
	b.add(dst, o, name, wire.HandleCallAttr, name, pos, kw)
}

// CallFunc adds a call of the object o itself.
func (b *Batch) CallFunc(dst any, o *Object, args ...any) {
	pos, kw := splitArgs(args)
	b.add(dst, o, "", wire.HandleCall, pos, kw)
}

// Get adds the reading of the attribute name of o.
func (b *Batch) Get(dst any, o *Object, name string) { b.add(dst, o, name, wire.HandleGetAttr, name) }

// Set adds an assignment to the attribute name of o.
func (b *Batch) Set(o *Object, name string, value any) {
	b.add(nil, o, name, wire.HandleSetAttr, name, value)
}

// Len returns the number of calls that have been added and not made yet.
func (b *Batch) Len() int { return len(b.asks) }

// Do makes the calls and empties the batch, which can be used again. If some have failed, the error is a *[BatchError]
// that says which, and the results of the others are there.
//
// It waits for all answers, each call as long as a call of its own would: until ctx ends, which is then the error of
// what has no answer, or for the connection's default timeout if ctx has no deadline. Of a large batch, up to 1024
// calls are under way at a time. Calls of objects of different connections can be in one batch; only such as follow on
// each other are sent together.
func (b *Batch) Do(ctx context.Context) error {
	asks := b.asks
	for len(asks) > 0 {
		peer, n := asks[0].target.peer, 1
		for n < len(asks) && asks[n].target.peer == peer {
			n++
		}
		requestAll(ctx, peer, asks[:n])
		asks = asks[n:]
	}
	failed := false
	for i := range b.asks {
		if a := &b.asks[i]; a.Err != nil {
			failed = true
			if a.method != "" {
				a.Err = named(a.method, a.Err)
			}
		}
	}
	var err error
	if failed {
		e := &BatchError{Errs: make([]error, len(b.asks))}
		for i := range b.asks {
			e.Errs[i] = b.asks[i].Err
		}
		err = e
	}
	clear(b.asks)
	b.asks = b.asks[:0]
	return err
}

func requestAll(ctx context.Context, peer Requester, asks []Ask) {
	if many, ok := peer.(batcher); ok {
		many.RequestAll(ctx, asks)
		return
	}
	for i := range asks {
		a := &asks[i]
		a.Err = peer.Request(ctx, a.Dst, a.Op, a.Args()...)
	}
}

// BatchError says which calls of a [Batch] have failed. To errors.Is and errors.As it is all their errors.
type BatchError struct {
	Errs []error // of each call, in the order in which they were added; nil of those that have not failed
}

// Error implements error.
func (e *BatchError) Error() string {
	first := slices.IndexFunc(e.Errs, func(err error) bool { return err != nil })
	if first < 0 {
		return "netref: no call failed"
	}
	return fmt.Sprintf("netref: %d of %d calls failed, the first of them call %d: %v", len(e.Unwrap()), len(e.Errs),
		first, e.Errs[first])
}

// Unwrap returns the errors that are not nil.
func (e *BatchError) Unwrap() []error {
	var errs []error
	for _, err := range e.Errs {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}
