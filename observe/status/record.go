package status

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// What is kept, which bounds the memory.
const (
	slots      = 120             // of the plots
	slotTime   = 5 * time.Second // so they show 10 minutes
	maxMethods = 200             // those beyond are one
	maxSlow    = 20
	slowTime   = time.Hour // after which a slow call is forgotten
	maxErrors  = 50
	maxText    = 500  // bytes of an exception's text
	maxTrace   = 8192 // bytes of a traceback
	maxName    = 100  // bytes of a name that a peer has made up
	buckets    = 28   // of latencies, see bucketOf
	other      = "other"
)

// slot has what happened to a method in a while.
type slot struct {
	number        int64 // of the while; others' figures are out of date
	calls, failed uint32
	longest       time.Duration
	took          [buckets]uint32 // how many calls took how long
}

// bucketOf is where a duration is counted: bucket i has those up to 2 µs · 2^(i/1.25), so that each is 1.74 times as
// wide as the one before and the last one begins at 3.7 s.
func bucketOf(d time.Duration) int {
	if d <= smallest {
		return 0
	}
	return min(buckets-1, int(math.Ceil(math.Log2(float64(d)/float64(smallest))*perOctave)))
}

const (
	smallest  = 2 * time.Microsecond
	perOctave = 1.25
)

// upTo is the longest duration in a bucket.
func upTo(bucket int) time.Duration {
	return time.Duration(float64(smallest) * math.Exp2(float64(bucket)/perOctave))
}

// method is what is known of a method, or of another operation.
type method struct {
	calls, failed uint64
	slots         [slots]slot
}

// at is the slot of a number.
func (m *method) at(number int64) *slot {
	s := &m.slots[number%slots]
	if s.number != number {
		*s = slot{number: number}
	}
	return s
}

// peer is what is counted of a connection.
type peer struct{ calls, failed uint64 }

// ServeBegin implements protocol.ServeHook.
func (*recorder) ServeBegin(context.Context, *protocol.RequestInfo) context.Context { return nil }

// ServeEnd implements protocol.ServeHook.
func (rec *recorder) ServeEnd(ctx context.Context, r *protocol.RequestInfo) {
	s := (*Status)(rec)
	name := methodName(r)
	now := s.now()
	failed := r.Failed()
	var fault *Fault
	if failed {
		fault = s.faultOf(ctx, r, name, now)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.peers[r.Conn]; p != nil {
		p.calls++
		if failed {
			p.failed++
		}
	}
	m := s.methods[name]
	if m == nil {
		if len(s.methods) >= maxMethods {
			name = other
			m = s.methods[name]
		}
		if m == nil {
			m = new(method)
			s.methods[name] = m
		}
	}
	m.calls++
	slot := m.at(now.UnixNano() / int64(slotTime))
	slot.calls++
	slot.longest = max(slot.longest, r.Duration)
	slot.took[bucketOf(r.Duration)]++
	if failed {
		m.failed++
		slot.failed++
		s.faults[s.nextFault%maxErrors] = fault
		s.nextFault++
	}
	s.noteSlow(ctx, r, name, now)
}

// methodName is the class and method that are called, or the operation and the class. Names that a peer has made up are
// one method.
func methodName(r *protocol.RequestInfo) string {
	if !r.Known {
		return other
	}
	class := r.Class
	if r.Method != "" {
		class += "." + r.Method
	}
	if r.IsCall() {
		return class
	}
	return r.Op.String() + " " + class
}

// faultOf describes a failed request.
func (s *Status) faultOf(ctx context.Context, r *protocol.RequestInfo, name string, now time.Time) *Fault {
	f := &Fault{Time: now, Method: askedFor(r, name), Peer: nameOf(ctx, r.Conn)}
	f.Class = pyvalue.Shorten(r.ErrorClass(), maxName)
	if s.opts.HideErrors {
		return f
	}
	e := vinegar.FromError(r.Err)
	f.Text = pyvalue.Shorten(e.Message(), maxText)
	f.Traceback = pyvalue.Shorten(e.FormatTraceback(), maxTrace)
	return f
}

// askedFor is what a request was for, in the peer's words if it is known by none of ours.
func askedFor(r *protocol.RequestInfo, name string) string {
	if name == other {
		return pyvalue.Shorten(r.Op.String()+" "+r.Class+"."+r.Method, maxName)
	}
	return name
}

// noteSlow keeps a call if it is one of the slowest. The lock is held.
func (s *Status) noteSlow(ctx context.Context, r *protocol.RequestInfo, name string, now time.Time) {
	if len(s.slow) == maxSlow && r.Duration <= s.slow[maxSlow-1].took && now.Sub(s.oldestSlow) < slowTime {
		return
	}
	s.slow = slices.DeleteFunc(s.slow, func(c Slow) bool { return now.Sub(c.Time) >= slowTime })
	c := Slow{Time: now, Method: askedFor(r, name), Peer: nameOf(ctx, r.Conn), took: r.Duration,
		Seconds: r.Duration.Seconds(), Failed: r.Failed()}
	i, _ := slices.BinarySearchFunc(s.slow, c, func(a, b Slow) int { return cmp.Compare(b.took, a.took) })
	if i < maxSlow {
		s.slow = slices.Insert(s.slow, i, c)
		s.slow = s.slow[:min(len(s.slow), maxSlow)]
	}
	s.oldestSlow = now
	for _, c := range s.slow {
		if c.Time.Before(s.oldestSlow) {
			s.oldestSlow = c.Time
		}
	}
}

// nameOf is how a peer is called: by its identity, or its address.
func nameOf(ctx context.Context, c *protocol.Conn) string {
	if id := protocol.IdentityFromContext(ctx); id != nil {
		return pyvalue.Shorten(id.String(), maxName)
	}
	if a := c.RemoteAddr(); a != nil && a.String() != "" {
		return a.String()
	}
	return c.Name()
}

// ConnOpened implements protocol.ConnHook.
func (rec *recorder) ConnOpened(c *protocol.Conn) {
	s := (*Status)(rec)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.peers[c] = new(peer)
	s.opened++
}

// ConnClosed implements protocol.ConnHook.
func (rec *recorder) ConnClosed(c *protocol.Conn) {
	s := (*Status)(rec)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.peers, c)
}
