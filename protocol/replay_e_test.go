package protocol_test

import (
	"bytes"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// What is different in replays of rpyc-ng, beside the form of messages: the Conn finds out by its first DEL which of
// two forms the release takes, and sends the others when that is known. So its DELs are not expected where they were
// recorded, but answered as that release answers them, whenever they come.

// dels are the DELs of the Conn, in families A, B and E.
type dels struct {
	recorded map[int64]bool   // their recorded numbers
	due      map[string]int64 // references that the replaced peer gave back, by id pack
}

// ourRequestE makes the Conn send a recorded request, and compares.
func (r *replay) ourRequestE(line int, want []byte, rec message) {
	body := rec.body.(brine.Tuple)
	if wire.Handler(body[0].(int64)) == wire.HandleDel {
		r.dels.recorded[rec.seq.(int64)] = true
		r.dels.due[rec.refs[0].raw] += delCount(body)
		r.ask(rec)
		r.count.skip["a DEL, which is answered when it comes"]++
		return
	}
	a := r.ask(rec)
	got := r.nextRequest()
	n := got.seq.(int64)
	r.numbers[rec.seq.(int64)] = n
	if a != nil {
		r.asked[n] = a
	}
	r.bind(rec, got)
	want = r.translate(withSeq(r.t, want, n), r.peer.parse(withSeq(r.t, want, n)).refs, wire.LabelRemoteRef)
	if !bytes.Equal(want, got.payload) {
		r.t.Fatalf("line %d\nrecorded %x %s\n     got %x %s", line+2, want, r.peer.parse(want).text, got.payload, got.text)
	}
	r.count.exact++
}

// nextRequest waits for the next request of the Conn. Answers that come before are kept.
func (r *replay) nextRequest() message {
	for {
		m, err := r.peer.read()
		require.NoError(r.t, err)
		switch {
		case r.dels.take(r, m):
		case m.kind == wire.Request:
			return m
		default:
			r.keepFrame(m)
		}
	}
}

// looseDels reports whether the Conn's DELs are not those recorded: in family E, and in A and B, where some are of one
// reference each.
func (r *replay) looseDels() bool { return r.d.HasKinds() || oids(r.d) }

// delCount is how many references a DEL gives back.
func delCount(body brine.Tuple) int64 {
	args := body[1].(brine.Tuple)[1].(brine.Tuple)
	if len(args) == 1 {
		return 1
	}
	if n, byValue := args[1].(int64); byValue {
		return n
	}
	return args[1].(brine.Tuple)[1].(int64)
}

// take answers m if it is a DEL of the Conn.
func (d *dels) take(r *replay, m message) bool {
	body, ok := m.body.(brine.Tuple)
	if m.kind != wire.Request || !ok || wire.Handler(body[0].(int64)) != wire.HandleDel {
		return false
	}
	byRef := body[1].(brine.Tuple)[0] == int64(wire.LabelTuple)
	answer := r.peer.encode(wire.Reply, m.seq, val(nil))
	if older := strings.HasPrefix(r.rec.name, "7.0.2-"); older && !byRef {
		answer = r.peer.encode(wire.Exception, m.seq, brine.Tuple{brine.Tuple{"builtins", "KeyError"},
			brine.Tuple{"builtins.tuple"}, brine.Tuple{}, "Traceback\n"})
	} else {
		raw := m.refs[0].raw
		d.due[raw] -= delCount(body)
		require.GreaterOrEqual(r.t, d.due[raw], int64(0), "more given back than the replaced peer did: %s", m.text)
	}
	_, _ = r.peer.rw.Write(answer) // the Conn may have hung up meanwhile
	return true
}

// askedE returns the question that stands for the one of a peer of the family where an object of another family is
// asked in another way: its truth by a method, and comparisons by two operations.
func (r *replay) askedE(q *question) *question {
	switch {
	case q.of.h == wire.HandleBool && q.h == wire.HandleCallAttr:
		require.Equal(r.t, "__bool__", q.args[1])
	case q.of.h == wire.HandleCmp && q.h == wire.HandleGetAttr:
		method := netref.New(r.oracle, wire.Ref{Name: "builtins.method-wrapper", Class: 1, Object: int64(len(r.served)) + 1})
		of := q.of
		q.finish(method, nil)
		q = r.oracle.next(r.t, r.oracle.asks)
		require.Equal(r.t, wire.HandleCall, q.h)
		q.of = of
	default:
		return q
	}
	q.h = q.of.h
	return q
}

// standsForClass reports whether a request is about what the Conn gave in answer to TYPE, of which only the methods are
// asked of the owner of the object.
func (r *replay) standsForClass(o *ourRef, raw string, h wire.Handler) bool {
	return r.d.HasKinds() && o.object == nil && h != wire.HandleInspect && r.refOf(raw).IsClass()
}
