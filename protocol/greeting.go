package protocol

import (
	"bytes"
	"fmt"

	"github.com/gorpyc/gorpyc/protocol/frame"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// NotRPyCError says that the other end of a stream does not speak RPyC: it began with something else.
type NotRPyCError struct {
	// First is what the stream began with, a few bytes.
	First []byte
	// What is a name for it, such as "TLS"; "" if it is not known.
	What string
}

// Error implements error.
func (e *NotRPyCError) Error() string {
	what := ""
	if e.What != "" {
		what = " (" + e.What + ")"
	}
	return fmt.Sprintf("rpyc: the other end does not speak RPyC: it begins with %q%s", e.First, what)
}

// stranger returns a NotRPyCError if the beginning of a stream shows that the other end does not speak RPyC.
func stranger(first []byte) error {
	what := ""
	switch {
	case len(first) < 3:
		return nil
	case first[0] == 0x16 && first[1] == 3 && first[2] <= 4:
		what = "TLS; no certificates are configured at this end"
	case first[0] == 0x15 && first[1] == 3 && first[2] <= 4:
		what = "a TLS alert; the other end expects TLS"
	case first[0] < ' ' && !printable(first): // otherwise it would be a message of half a gigabyte
		return nil
	case bytes.HasPrefix(first, []byte("HTTP")):
		what = "an HTTP server"
	case bytes.HasPrefix(first, []byte("RPYC-")):
		what = "a server that asks for a token or a key before, see package auth"
	case bytes.HasPrefix(first, []byte("SSH-")):
		what = "an SSH server"
	}
	return &NotRPyCError{First: bytes.Clone(first), What: what}
}

func printable(text []byte) bool {
	for _, b := range text {
		if (b < ' ' || b > '~') && b != '\r' && b != '\n' {
			return false
		}
	}
	return true
}

// checkGreeting waits for the beginning of the first message and refuses what cannot be one.
func (c *Conn) checkGreeting() error {
	first, err := c.frames.Peek()
	if e := stranger(first); e != nil {
		return e
	}
	_ = err // comes again with the next read, which knows better what it means
	return nil
}

// checkAnswer is checkGreeting for the side that has sent the first request, in dialect d: it waits for the beginning
// of the answer and returns an error if the peer has not understood.
func (c *Conn) checkAnswer(d *wire.Dialect) error {
	first, err := c.frames.Peek()
	if e := stranger(first); e != nil {
		return e
	}
	if err != nil {
		return err
	}
	return checkFamily(first, d)
}

// checkFamily returns an error if a message begins as no message of dialect d does.
func checkFamily(first []byte, d *wire.Dialect) error {
	start := frame.Start(first)
	other, err := wire.Detect(start)
	switch {
	case err != nil && len(start) > 0 && !wire.MayBindThreads(start):
		return err
	case err == nil && !other.BeginsLike(d):
		return &WrongDialectError{Want: d, Got: other}
	}
	return nil
}

// olderFamily reports whether the peer has begun as all families before D do. It is called after checkGreeting.
func (c *Conn) olderFamily() bool {
	first, err := c.frames.Peek()
	if err != nil {
		return false
	}
	d, err := wire.Detect(frame.Start(first))
	return err == nil && d == wire.FamilyC
}
