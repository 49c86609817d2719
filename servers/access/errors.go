package access

import (
	"cmp"
	"fmt"
	"time"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// DeniedError says that a policy does not let a peer do something. The peer gets the exception that RPyC has for what
// its configuration denies.
type DeniedError struct {
	// Identity is who has asked; nil is nobody known.
	Identity *protocol.Identity
	// Class and Method are what was asked for; both are "" of a request that names none, such as a copy.
	Class, Method string

	class *vinegar.Class // nil is AttributeError
	text  string         // "" is that of an attribute that is not exposed
}

// Error implements error.
func (e *DeniedError) Error() string {
	if e.text != "" {
		return e.text
	}
	return "cannot access " + vinegar.Repr(e.Method)
}

// As makes the error an AttributeError or ValueError where it reaches Python (see vinegar.FromError).
func (e *DeniedError) As(target any) bool {
	p, ok := target.(**vinegar.Error)
	if !ok {
		return false
	}
	*p = cmp.Or(e.class, vinegar.AttributeError).New(e.Error())
	return true
}

// LimitError says that a peer has asked too often, or for too much at the same time.
type LimitError struct {
	// Identity is who has asked; nil is nobody known.
	Identity *protocol.Identity
	// What is of what it was too much, and Method the pattern of the limit of methods that was exceeded; "" if it was the
	// peer's limit for all requests.
	What, Method string
	// RetryAfter is when the request may succeed, 0 if that is not known.
	RetryAfter time.Duration
}

// Error implements error.
func (e *LimitError) Error() string {
	s := e.What
	if e.Method != "" {
		s += " for " + e.Method
	}
	if e.RetryAfter > 0 {
		s += fmt.Sprintf(", try again in %v", e.RetryAfter.Round(time.Millisecond))
	}
	return s
}

// As makes the error a BlockingIOError where it reaches Python, as that of a server whose workers are all busy is.
func (e *LimitError) As(target any) bool {
	p, ok := target.(**vinegar.Error)
	if ok {
		const again = 11 // EAGAIN where Python and Go have that number in common
		*p = vinegar.BlockingIOError.New(int64(again), e.Error()).With("retry_after", e.RetryAfter.Seconds())
	}
	return ok
}
