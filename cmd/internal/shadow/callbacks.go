package shadow

import (
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/talk"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// serve answers what the other server asks the client. The client is never asked twice: it has what the client has told
// the answering server, to the same question.
func (w *watcher) serve(m talk.Message, x *exchange) error {
	boxed := talk.Item(m.Body, 1)
	if m.Handler == wire.HandleDel || m.Handler == wire.HandlePing {
		return w.reply(m, brine.Tuple{int64(wire.LabelValue), nil})
	}
	c := w.recorded(m.Handler, boxed, x)
	if c != nil && c.lost {
		x.tainted = tooLong
		return w.refuse(m)
	}
	if c == nil || c.answer == nil {
		// A call of a function that the request did not bring may be one in the background.
		own := m.Handler != wire.HandleCall || x.brought[targetOf(boxed)]
		if own {
			x.tainted = noCallback
		}
		if own && m.Handler == wire.HandleCall {
			w.differ(x, callbackMade, "none", w.show(boxed))
		}
		return w.refuse(m)
	}
	if m.Handler == wire.HandleCall {
		if x.called == nil {
			x.called = map[string]bool{}
		}
		x.called[targetOf(boxed)] = true
		w.compareCallback(c, boxed, x)
	}
	answer := *c.answer
	if answer.Kind == wire.Exception {
		return w.send(talk.Message{Dialect: m.Dialect, Kind: wire.Exception, Seq: m.Seq, Body: answer.Body})
	}
	body, ok := w.translate(answer.Body, m.Handler == wire.HandleInspect)
	if !ok {
		x.tainted = unpaired
		return w.refuse(m)
	}
	return w.reply(m, body)
}

// refuse answers what the client was not asked, or what it has answered at too great a length.
func (w *watcher) refuse(m talk.Message) error {
	return w.send(talk.Message{Dialect: m.Dialect, Kind: wire.Exception, Seq: m.Seq, Body: notAsked})
}

func (w *watcher) reply(m talk.Message, body any) error {
	return w.send(talk.Message{Dialect: m.Dialect, Kind: wire.Reply, Seq: m.Seq, Body: body})
}

// notAsked is the exception that a server gets which asks the client what the answering one has not.
var notAsked = brine.Tuple{brine.Tuple{"builtins", "RuntimeError"},
	brine.Tuple{"gorpyc shadow: the client was not asked this"}, brine.Tuple{}, "Traceback (most recent call last):\n"}

// lateCallbacks is how long after its answer to a request the answering server may still call a function that the
// request has brought, in the background.
const lateCallbacks = time.Second

// recorded finds what the answering server has asked the client, waiting for it and for the client's answer. It is nil
// once that server has answered the request without asking.
func (w *watcher) recorded(h wire.Handler, boxed any, x *exchange) *callback {
	var until time.Time
	for {
		if c := w.find(h, boxed); c != nil {
			for c.answer == nil && !c.lost && w.step(0) {
			}
			return c
		}
		patience := time.Duration(0)
		if x.ended {
			if h != wire.HandleCall || !x.brought[targetOf(boxed)] {
				return nil
			}
			if until.IsZero() {
				until = time.Now().Add(lateCallbacks)
			}
			if patience = time.Until(until); patience <= 0 {
				return nil
			}
		}
		if !w.step(patience) {
			return nil
		}
	}
}

// find looks among the callbacks for one with the same arguments, and a call with others will do. What only reads may
// be answered any number of times.
func (w *watcher) find(h wire.Handler, boxed any) *callback {
	target := targetOf(boxed)
	var other *callback
	for _, c := range w.callbacks {
		theirs := talk.Item(c.Body, 1)
		if c.Handler != h || targetOf(theirs) != target || c.used && h == wire.HandleCall {
			continue
		}
		if h == wire.HandleCall && other == nil {
			other = c
		}
		if w.equalArguments(theirs, boxed) {
			c.used = true
			return c
		}
	}
	if other != nil {
		other.used = true
	}
	return other
}

// targetOf is the object of the client's that a request is about.
func targetOf(boxed any) string {
	first := talk.Item(talk.Item(boxed, 1), 0)
	if talk.Item(boxed, 0) == any(int64(wire.LabelTuple)) {
		first = talk.Item(first, 1)
	}
	return refKey(first)
}

// equalArguments tells whether two requests to the client say the same.
func (w *watcher) equalArguments(answering, other any) bool {
	return len(w.differences(answering, other)) == 0
}

// compareCallback compares the arguments of a call of the client's function, and pairs the objects among them.
func (w *watcher) compareCallback(c *callback, boxed any, x *exchange) {
	theirs := talk.Item(c.Body, 1)
	if !w.equalArguments(theirs, boxed) {
		w.differ(x, callbackMade, w.show(theirs), w.show(boxed))
	}
	w.named(theirs, boxed, &exchange{handler: wire.HandleCall, path: x.path + " callback"})
}

// missed reports calls of functions of the client's which the answering server has made and the other has not, though
// it has called the same function for the same request. What belongs to no request, such as a call in the background,
// may come at any time.
func (w *watcher) missed(x *exchange) {
	if len(w.asked)+len(w.waiting) > 0 { // it may be one of theirs
		return
	}
	for _, c := range w.callbacks {
		boxed := talk.Item(c.Body, 1)
		if c.number >= x.marks && c.Handler == wire.HandleCall && !c.used && x.called[targetOf(boxed)] {
			w.differ(x, callbackMade, w.show(boxed), "none")
			return
		}
	}
}

// brought collects the client's objects that a request brings.
func brought(boxed any, into map[string]bool) {
	label, _ := talk.Item(boxed, 0).(int64)
	value := talk.Item(boxed, 1)
	switch wire.Label(label) {
	case wire.LabelRemoteRef:
		into[refKey(value)] = true
	case wire.LabelTuple:
		items, _ := value.(brine.Tuple)
		for _, it := range items {
			brought(it, into)
		}
	}
}
