package shadow

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol/pickle"
	"github.com/gorpyc/gorpyc/protocol/talk"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// Kinds of differences.
const (
	result          = "result"
	typeOf          = "type"
	exception       = "exception"
	attributes      = "attributes"
	identity        = "identity"
	callbackMade    = "callback"
	noAnswer        = "no answer"
	endOfConnection = "end"
)

// compare compares the answers of both servers to a request.
func (w *watcher) compare(x *exchange, e event) {
	m := e.message
	r := w.proxy.Report
	if x.tainted != "" {
		w.countNames(m)
		r.skip(x.tainted)
		return
	}
	if x.long { // which the answering server's was not
		w.countNames(m)
		r.count(compared)
		w.differ(x, result, w.showAnswer(m.Kind, m.Body), fmt.Sprintf("more than %d MiB", maxCompared>>20))
		return
	}
	if x.kind == wire.Reply && m.Kind == wire.Reply {
		defer w.named(m.Body, x.body, x)
	} else {
		defer w.countNames(m)
	}
	if matches(w.proxy.Ignore, strings.TrimSuffix(x.path, "()")) || matches(w.proxy.Ignore, x.name) && x.name != "" {
		r.skip(ignored)
		return
	}
	r.count(compared)
	w.missed(x)
	if x.handler == wire.HandleCall || x.handler == wire.HandleCallAttr {
		r.latency(x.path, e.at.Sub(x.begun), x.took, w.byNew)
	}
	switch {
	case x.kind == 0:
		w.differ(x, endOfConnection, "an answer", "hung up")
	case x.kind != m.Kind:
		w.differ(x, exception, w.showAnswer(m.Kind, m.Body), w.showAnswer(x.kind, x.body))
	case m.Kind == wire.Exception:
		w.compareExceptions(x, m.Body)
	case x.handler == wire.HandleHash && !w.hashSays(x, m.Body):
		r.count(equal)
	case x.handler == wire.HandlePickle:
		w.comparePickles(x, m.Body)
	case x.handler == wire.HandleDir || x.handler == wire.HandleInspect:
		w.compareNames(x, m.Body)
	default:
		w.compareResults(x, m.Body)
	}
}

func (w *watcher) compareResults(x *exchange, answering any) {
	other := x.body
	if x.handler == wire.HandleRepr || x.handler == wire.HandleStr {
		answering, other = withoutAddresses(answering), withoutAddresses(other)
	}
	found := w.differences(answering, other)
	switch {
	case len(found) == 0:
		w.proxy.Report.count(equal)
	case slices.Contains(found, typeOf):
		w.differ(x, typeOf, w.showTyped(answering), w.showTyped(other))
	default:
		w.differ(x, result, w.show(answering), w.show(other))
	}
}

// maxOwnHash is what hashes that a class computes of numbers hardly exceed, and those of texts and identities, which
// differ from process to process, hardly stay below.
const maxOwnHash = 1 << 32

// hashSays tells whether a hash is one that both servers should agree on: a class's own, by the old server's answer.
func (w *watcher) hashSays(x *exchange, answering any) bool {
	old := answering
	if w.byNew {
		old = x.body
	}
	n, ok := talk.Item(old, 1).(int64)
	return ok && n > -maxOwnHash && n < maxOwnHash && !x.builtin
}

// comparePickles compares what is pickled: servers write it in different ways.
func (w *watcher) comparePickles(x *exchange, answering any) {
	a, ok1 := talk.Item(answering, 1).([]byte)
	b, ok2 := talk.Item(x.body, 1).([]byte)
	if !ok1 || !ok2 {
		w.compareResults(x, answering)
		return
	}
	v, err1 := pickle.Unmarshal(a)
	u, err2 := pickle.Unmarshal(b)
	switch {
	case err1 != nil:
		w.proxy.Report.skip(ignored)
	case err2 != nil:
		w.differ(x, result, "a pickle", err2.Error())
	case !reflect.DeepEqual(v, u):
		w.differ(x, result, w.pickled(v), w.pickled(u))
	default:
		w.proxy.Report.count(equal)
	}
}

// pickled shows what was pickled.
func (w *watcher) pickled(v any) string {
	if w.proxy.Redact {
		return fmt.Sprintf("[%T]", v)
	}
	return pyvalue.Shorten(fmt.Sprintf("%v", v), maxShown)
}

var addresses = regexp.MustCompile(`0x[0-9a-fA-F]+`)

// withoutAddresses leaves the addresses of objects out of all text in a value.
func withoutAddresses(v any) any {
	switch v := v.(type) {
	case string:
		return addresses.ReplaceAllString(v, "0x…")
	case brine.Tuple:
		out := make(brine.Tuple, len(v))
		for i := range v {
			out[i] = withoutAddresses(v[i])
		}
		return out
	}
	return v
}

// differences lists the kinds of what is different in two boxed values.
func (w *watcher) differences(answering, other any) (found []string) {
	a, b := talk.Item(answering, 1), talk.Item(other, 1)
	labels := [2]any{talk.Item(answering, 0), talk.Item(other, 0)}
	if labels[0] != labels[1] {
		return []string{typeOf}
	}
	label, _ := labels[0].(int64)
	switch wire.Label(label) {
	case wire.LabelTuple:
		x, _ := a.(brine.Tuple)
		y, _ := b.(brine.Tuple)
		if len(x) != len(y) {
			return []string{result}
		}
		for i := range x {
			found = append(found, w.differences(x[i], y[i])...)
		}
	case wire.LabelRemoteRef:
		if !w.sameClass(talk.Item(a, 0), talk.Item(b, 0)) {
			return []string{typeOf}
		}
	case wire.LabelLocalRef:
		if refKey(a) != refKey(b) {
			return []string{result}
		}
	default:
		if !sameValue(a, b) {
			if pyvalue.TypeName(a) != pyvalue.TypeName(b) {
				return []string{typeOf}
			}
			return []string{result}
		}
	}
	return found
}

// sameClass tells whether the class of the one server's object stands for that of the other's.
func (w *watcher) sameClass(answering, other any) bool {
	a, _ := answering.(string)
	b, _ := other.(string)
	if w.byNew {
		a, b = b, a
	}
	same := w.proxy.Same[a]
	return a == b || same != "" && same == b
}

// sameValue compares values as they are on the wire, where 1, True and 1.0 differ. The order of a frozenset's members
// says nothing.
func sameValue(a, b any) bool {
	switch a := a.(type) {
	case brine.Tuple:
		t, ok := b.(brine.Tuple)
		return ok && slices.EqualFunc(a, t, sameValue)
	case brine.FrozenSet:
		t, ok := b.(brine.FrozenSet)
		if !ok || len(a) != len(t) {
			return false
		}
		in := map[string]bool{}
		for _, v := range a {
			in[talk.Key(v)] = true
		}
		return !slices.ContainsFunc(t, func(v any) bool { return !in[talk.Key(v)] })
	}
	return talk.Key(a) == talk.Key(b)
}

// compareNames compares what DIR and INSPECT list: the names that clients can use. Of INSPECT in RPyC 4.1 to 5.3 these
// are the operators only: a server of these lists classes among the methods and leaves out class methods.
func (w *watcher) compareNames(x *exchange, answering any) {
	a, b := usable(answering), usable(x.body)
	if x.handler == wire.HandleInspect && w.dialect.Family() == wire.FamilyC {
		a, b = slices.DeleteFunc(a, isExposed), slices.DeleteFunc(b, isExposed)
	}
	var missing, extra []string
	for _, n := range a {
		if !slices.Contains(b, n) {
			missing = append(missing, n)
		}
	}
	for _, n := range b {
		if !slices.Contains(a, n) {
			extra = append(extra, n)
		}
	}
	if len(missing)+len(extra) == 0 {
		w.proxy.Report.count(equal)
		return
	}
	w.differ(x, attributes, "has "+strings.Join(missing, ", "), "has "+strings.Join(extra, ", "))
}

// operators are the special methods whose presence clients see.
var operators = strings.Fields(`__len__ __iter__ __next__ __getitem__ __setitem__ __delitem__ __contains__ __call__
	__enter__ __add__ __sub__ __mul__ __rmul__ __neg__ __bool__ __int__ __float__ __index__`)

func isExposed(name string) bool { return strings.HasPrefix(name, "exposed_") }

func usable(boxed any) []string {
	items, _ := talk.Item(boxed, 1).(brine.Tuple)
	var names []string
	for _, it := range items {
		name, ok := it.(string)
		if !ok {
			name, _ = talk.Item(it, 0).(string)
		}
		if isExposed(name) || slices.Contains(operators, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// compareExceptions compares class, arguments and attributes; texts of tracebacks are each server's own.
func (w *watcher) compareExceptions(x *exchange, answering any) {
	a, b := answering, x.body
	if talk.Key(a) == talk.Key(b) {
		w.proxy.Report.count(equal)
		return
	}
	same := w.sameClass(className(a), className(b)) &&
		sameValue(withoutAddresses(talk.Item(a, 1)), withoutAddresses(talk.Item(b, 1))) &&
		sameValue(ownAttributes(a), ownAttributes(b))
	if same {
		w.proxy.Report.count(equal)
		return
	}
	w.differ(x, exception, w.showAnswer(wire.Exception, a), w.showAnswer(wire.Exception, b))
}

func className(payload any) any {
	if payload == any(int64(1)) {
		return "StopIteration"
	}
	module, _ := talk.Item(talk.Item(payload, 0), 0).(string)
	name, _ := talk.Item(talk.Item(payload, 0), 1).(string)
	if module == "builtins" {
		return name
	}
	return module + "." + name
}

// ownAttributes are those of an exception that its class has not for every instance: without methods and versions.
func ownAttributes(payload any) brine.Tuple {
	attrs, _ := talk.Item(payload, 2).(brine.Tuple)
	var own brine.Tuple
	for _, a := range attrs {
		name, _ := talk.Item(a, 0).(string)
		if text, ok := talk.Item(a, 1).(string); name == "_remote_version" || ok && strings.HasPrefix(text, "<") {
			continue
		}
		if talk.Item(a, 1) != nil {
			own = append(own, a)
		}
	}
	slices.SortFunc(own, func(a, b any) int { return strings.Compare(talk.Key(a), talk.Key(b)) })
	return own
}

// differ reports a difference.
func (w *watcher) differ(x *exchange, kind, answering, other string) {
	if matches(w.proxy.Ignore, strings.TrimSuffix(x.path, "()")) {
		return
	}
	w.proxy.Report.difference(difference{method: x.path, kind: kind, byNew: w.byNew, answering: answering, other: other})
}

func (w *watcher) showAnswer(k wire.Kind, body any) string {
	if k != wire.Exception {
		return w.show(body)
	}
	name, _ := className(body).(string)
	args, _ := talk.Item(body, 1).(brine.Tuple)
	return name + w.plain(args)
}

func (w *watcher) showTyped(boxed any) string {
	if talk.Item(boxed, 0) == any(int64(wire.LabelValue)) {
		v := talk.Item(boxed, 1)
		return pyvalue.TypeName(v) + " " + w.plain(v)
	}
	return w.show(boxed)
}

// show is a boxed value for people.
func (w *watcher) show(boxed any) string {
	value := talk.Item(boxed, 1)
	label, _ := talk.Item(boxed, 0).(int64)
	switch wire.Label(label) {
	case wire.LabelTuple:
		items, _ := value.(brine.Tuple)
		parts := make([]string, 0, len(items))
		for _, it := range items[:min(len(items), 10)] {
			parts = append(parts, w.show(it))
		}
		return pyvalue.Shorten("("+strings.Join(parts, ", ")+")", maxShown)
	case wire.LabelRemoteRef:
		return fmt.Sprintf("<%v>", talk.Item(value, 0))
	case wire.LabelLocalRef:
		return fmt.Sprintf("<the client's %v>", talk.Item(value, 0))
	}
	return w.plain(value)
}

const maxShown = 100

// plain is a plain value for people, or only its type if values are not to be shown.
func (w *watcher) plain(v any) string {
	if !w.proxy.Redact {
		return pyvalue.Shorten(vinegar.Repr(v), maxShown)
	}
	size := ""
	switch v := v.(type) {
	case string:
		size = fmt.Sprintf(" of %d", len(v))
	case []byte:
		size = fmt.Sprintf(" of %d", len(v))
	case brine.Tuple:
		size = fmt.Sprintf(" of %d", len(v))
	}
	return "[" + pyvalue.TypeName(v) + size + "]"
}
