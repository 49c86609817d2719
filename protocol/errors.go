package protocol

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// ErrClosed is matched by every error that says that a connection has ended, for whatever reason: requests made on it,
// uses of its netrefs and of values that need it. It also stands for the orderly end itself.
var ErrClosed = errors.New("rpyc: connection closed")

// ClosedError says that a connection has ended, why, and what that means for the request that failed. It matches
// [ErrClosed] and its Cause.
type ClosedError struct {
	// Cause is why the connection ended: io.EOF if the peer went away, ErrClosed if it was closed in order.
	Cause error
	// Sent reports whether the request had been handed to the stream, so that the peer may have carried it out. It is
	// false for a request that the peer has refused because it shuts down, or not begun before it did.
	Sent bool
}

// Error implements error.
func (e *ClosedError) Error() string {
	if e.Cause == nil || errors.Is(e.Cause, ErrClosed) {
		return ErrClosed.Error()
	}
	return ErrClosed.Error() + ": " + e.Cause.Error()
}

// Unwrap gives ErrClosed and the cause.
func (e *ClosedError) Unwrap() []error { return []error{ErrClosed, e.Cause} }

// As makes the error an EOFError where it reaches Python, as it is in RPyC (see vinegar.FromError).
func (e *ClosedError) As(target any) bool {
	p, ok := target.(**vinegar.Error)
	if ok {
		*p = vinegar.EOFError.New(e.Error())
	}
	return ok
}

// SafeToRetry reports whether a failed request was certainly not carried out by the peer.
func SafeToRetry(err error) bool {
	var none *NotConnectedError
	if errors.As(err, &none) {
		return true
	}
	var e *ClosedError
	return errors.As(err, &e) && !e.Sent
}

// NotConnectedError says that a [Client] had no connection for as long as it could be waited for, so that nothing was
// asked of any server. It matches its Cause and Last.
type NotConnectedError struct {
	// Cause is what ended the waiting, such as context.DeadlineExceeded.
	Cause error
	// Last is why the last attempt to connect failed; nil if none has ended yet.
	Last error
}

// Error implements error.
func (e *NotConnectedError) Error() string {
	s := fmt.Sprintf("rpyc: not connected: %v", e.Cause)
	if e.Last != nil {
		s += fmt.Sprintf("; the last attempt: %v", e.Last)
	}
	return s
}

// Unwrap gives both errors.
func (e *NotConnectedError) Unwrap() []error {
	if e.Last == nil {
		return []error{e.Cause}
	}
	return []error{e.Cause, e.Last}
}

// TimeoutError says that no reply came within the connection's default timeout ("result expired" in RPyC). It matches
// context.DeadlineExceeded.
type TimeoutError struct {
	After time.Duration
}

// Error implements error.
func (e *TimeoutError) Error() string { return fmt.Sprintf("rpyc: result expired after %v", e.After) }

// Timeout reports true, as net.Error wants it.
func (e *TimeoutError) Timeout() bool { return true }

// Is makes the error match context.DeadlineExceeded.
func (e *TimeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// LimitError says that something exceeds one of [Limits], or a limit of a format. It is the same type in all packages.
type LimitError = brine.LimitError

// PingError says that a ping was not echoed as sent (rpyc.core.protocol.PingError).
type PingError struct{}

// Error implements error.
func (*PingError) Error() string { return "rpyc: ping: echo does not match what was sent" }

// bounded gives a context the timeout unless it has a deadline. A timeout of 0 or less is none.
func bounded(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok || timeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, timeout, &TimeoutError{After: timeout})
}

// ended is the error of a wait that a context has ended: its cause, which the usual errors of contexts match, too.
func ended(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) || errors.Is(cause, ErrClosed) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// formException is the Python exception for a request that has not the form of one, or is too heavy.
func formException(err error) error {
	var label *wire.LabelError
	var form *wire.FormError
	switch {
	case errors.As(err, &label):
		return vinegar.ValueError.New(label.Error())
	case errors.As(err, &form):
		return vinegar.TypeError.New(form.Error())
	case isTooHeavy(err):
		return vinegar.MemoryError.New(err.Error())
	case brine.IsUnknownTag(err):
		return vinegar.ValueError.New(err.Error())
	}
	return err
}

// formRefused is formException for a request. The first one is logged: no release of RPyC is known that sends it.
func (c *Conn) formRefused(err error) error {
	var label *wire.LabelError
	var form *wire.FormError
	if !c.oddForm && (errors.As(err, &label) || errors.As(err, &form)) {
		c.oddForm = true
		c.log().Warn("rpyc: a request has a form that no known release sends; the peer may be a fork", "error", err)
	}
	return formException(err)
}
