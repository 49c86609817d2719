package talk

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/gorpyc/gorpyc/protocol/frame"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// Player says one end's part of a recorded connection to the other end: each message after those of the other end
// that were before it. What that chooses anew (ids of objects, numbers of its requests, its threads) is replaced in
// what is said. When it gives references back (DEL) is a matter of its garbage collector: that is answered when it
// comes, and not waited for. A Player plays once.
type Player struct {
	// Stream leads to the other end. Play does not close it.
	Stream net.Conn
	// Own is which end this is: FromClient or FromServer.
	Own string
	// Timeout is how long the other end may take for what comes next; 0 is without end.
	Timeout time.Duration
	// Strict says that the other end has to send what was recorded. Otherwise an answer to the same request, or a request
	// for the same operation, will do.
	Strict bool
	// Note, if not nil, is told of what is said and heard: by which direction, with the payload, or why it has ended.
	Note func(dir, end string, payload []byte)

	script *Translation
	early  [][]byte // what the other end has said that is not yet waited for
}

// TimeoutError says that the other end has not said in time what it had said when it was recorded.
type TimeoutError struct {
	After time.Duration
	What  string // the message; "" for the end of the connection
}

// Error implements error.
func (e *TimeoutError) Error() string {
	if e.What == "" {
		return fmt.Sprintf("the other end has not hung up in %v", e.After)
	}
	return fmt.Sprintf("the other end has not said this in %v: %s", e.After, e.What)
}

// Timeout reports true.
func (e *TimeoutError) Timeout() bool { return true }

// MismatchError says that the other end has sent something else than was recorded.
type MismatchError struct{ Want, Got string }

// Error implements error.
func (e *MismatchError) Error() string { return fmt.Sprintf("want %s, got %s", e.Want, e.Got) }

const maxEarly = 10_000 // messages

// Play plays the records of one connection. The end of ctx ends it by closing the stream.
func (p *Player) Play(ctx context.Context, records []Record) error {
	defer context.AfterFunc(ctx, func() { _ = p.Stream.Close() })()
	p.script = NewTranslation()
	expected := 0 // the other end's messages that are still waited for
	for i := range records {
		if p.expects(&records[i]) {
			expected++
		}
	}
	for i := range records {
		var err error
		switch r := &records[i]; {
		case r.Dir == p.Own && r.End != "":
			p.note(p.Own, r.End, nil)
			if w, ok := p.Stream.(interface{ CloseWrite() error }); ok {
				_ = w.CloseWrite()
			}
		case r.Dir == p.Own:
			// an end that has said all it had to say may have hung up by now, as it may have done then
			if err = p.say(r.Payload); expected == 0 {
				err = nil
			}
		case r.End != "":
			err = p.listenToEnd()
		case p.expects(r):
			expected--
			err = p.listenFor(r.Payload, records[i+1:])
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// expects tells whether a record is a message of the other end's that has to come again.
func (p *Player) expects(r *Record) bool { return r.Dir != p.Own && r.End == "" && !r.isDel() }

func (p *Player) other() string {
	if p.Own == FromClient {
		return FromServer
	}
	return FromClient
}

func (p *Player) note(dir, end string, payload []byte) {
	if p.Note != nil {
		p.Note(dir, end, payload)
	}
}

// say sends a message of this end's, unless it answers a DEL, which listen has done when that came.
func (p *Player) say(was []byte) error {
	payload := p.script.Translate(was)
	if payload == nil {
		return nil
	}
	if p.Timeout > 0 {
		_ = p.Stream.SetWriteDeadline(time.Now().Add(p.Timeout))
	}
	err := frame.Write(p.Stream, payload)
	if err == nil {
		p.note(p.Own, "", payload)
	}
	return err
}

// listen gives the other end's next message that is no DEL.
func (p *Player) listen() ([]byte, error) {
	if p.Timeout > 0 { // DELs do not prolong it: another end may send nothing else
		_ = p.Stream.SetDeadline(time.Now().Add(p.Timeout))
	}
	for {
		payload, err := frame.Read(p.Stream, FrameLimit)
		if err != nil {
			return nil, err
		}
		p.note(p.other(), "", payload)
		m := Of(payload)
		if !m.Is(wire.Request, wire.HandleDel) {
			return payload, nil
		}
		answer := p.script.None(m)
		if err := frame.Write(p.Stream, answer); err == nil { // it need not listen
			p.note(p.Own, "", answer)
		}
	}
}

// listenFor waits for the message that comes in the place of one recorded.
func (p *Player) listenFor(was []byte, rest []Record) error {
	for i := 0; ; i++ {
		if i == len(p.early) {
			payload, err := p.listen()
			switch {
			case isTimeout(err):
				return &TimeoutError{p.Timeout, dumped(was)}
			case err != nil:
				return fmt.Errorf("the other end has hung up, where it had not before: %w", err)
			case i == maxEarly:
				return errors.New("the other end says other things than it had said")
			}
			if p.Strict && !p.comes(payload, was, rest) {
				return &MismatchError{dumped(was), dumped(payload)}
			}
			p.early = append(p.early, payload)
		}
		if p.Strict && !p.script.Same(was, p.early[i]) {
			continue
		}
		if p.script.Learn(was, p.early[i]) {
			p.early = slices.Delete(p.early, i, i+1)
			return nil
		}
	}
}

// comes tells whether a message is the one that is waited for, or one of those that come behind it.
func (p *Player) comes(payload, was []byte, rest []Record) bool {
	return p.script.Same(was, payload) || slices.ContainsFunc(rest, func(r Record) bool {
		return p.expects(&r) && p.script.Same(r.Payload, payload)
	})
}

func (p *Player) listenToEnd() error {
	for {
		if _, err := p.listen(); isTimeout(err) {
			return &TimeoutError{After: p.Timeout}
		} else if err != nil {
			p.note(p.other(), "hung up", nil)
			return nil
		}
	}
}

func dumped(payload []byte) string {
	d := Of(payload).Dialect
	if d == nil {
		return fmt.Sprintf("% x", payload[:min(len(payload), 40)])
	}
	return (&wire.Dumper{}).Dump(d, payload)
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}
