package netref

import (
	"context"
	"sync"

	"github.com/gorpyc/gorpyc/protocol/wire"
)

// Pending is a request that has been sent, as the connection sees it.
type Pending interface {
	// Done is closed when the answer has arrived or can arrive no more.
	Done() <-chan struct{}
	// Take stores the answer through dst, as [Requester] says, or returns the error. It is called once, after Done.
	Take(ctx context.Context, dst any) error
	// Abandon forgets the request; a late answer is dropped.
	Abandon()
	// Wait blocks until Done or until ctx ends, serving nested calls of the peer meanwhile.
	Wait(ctx context.Context) error
}

// AsyncResult is the result of a call that has not been waited for (rpyc.core.async_.AsyncResult). It is safe for
// concurrent use.
type AsyncResult struct {
	p    Pending
	name string // of the method called, for errors

	mu    sync.Mutex // held while the value is being taken
	done  bool
	value any
	err   error
}

// NewAsyncResult wraps what the connection knows of a request. It is meant for the connection.
func NewAsyncResult(p Pending) *AsyncResult { return &AsyncResult{p: p} }

// Done is closed when the result is there, or an error in its place.
func (r *AsyncResult) Done() <-chan struct{} { return r.p.Done() }

// Ready reports whether the result is there.
func (r *AsyncResult) Ready() bool {
	select {
	case <-r.p.Done():
		return true
	default:
		return false
	}
}

// Wait blocks until the result is there and returns it as received. The end of ctx ends the waiting, not the call:
// the result can be waited for again. Without a deadline in ctx, Wait waits as long as it takes.
func (r *AsyncResult) Wait(ctx context.Context) (any, error) {
	if err := r.p.Wait(ctx); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.done {
		r.err = r.p.Take(ctx, &r.value)
		r.done = true
	}
	return r.value, r.err
}

// waitBounded is Wait with the connection's default timeout for a context without a deadline.
func (r *AsyncResult) waitBounded(ctx context.Context, peer Requester) (any, error) {
	if !r.Ready() {
		var cancel context.CancelFunc
		ctx, cancel = peer.Bound(ctx)
		defer cancel()
	}
	return r.Wait(ctx)
}

// Abandon says that nobody will ask for the result. The peer still carries out the call, unless both sides have
// protocol.Config.Metadata.
func (r *AsyncResult) Abandon() { r.p.Abandon() }

// Await waits for an asynchronous result and converts it to T.
func Await[T any](ctx context.Context, r *AsyncResult) (T, error) {
	v, err := r.Wait(ctx)
	if err != nil {
		var zero T
		return zero, err
	}
	t, err := As[T](ctx, v)
	if err != nil && r.name != "" {
		err = named(r.name, err)
	}
	return t, err
}

// CallAsync calls the object without waiting for the result (rpyc.async_). The error is about sending alone. While
// other calls are under way, requests that follow on each other are sent together by a goroutine, so that this one may
// not have left when CallAsync returns.
func (o *Object) CallAsync(ctx context.Context, args ...any) (*AsyncResult, error) {
	pos, kw := splitArgs(args)
	return o.peer.Start(ctx, wire.HandleCall, o, pos, kw)
}

// CallMethodAsync calls a method without waiting for the result.
func (o *Object) CallMethodAsync(ctx context.Context, name string, args ...any) (*AsyncResult, error) {
	pos, kw := splitArgs(args)
	r, err := o.peer.Start(ctx, wire.HandleCallAttr, o, name, pos, kw)
	if err == nil {
		r.name = name
	}
	return r, err
}
