package wire

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
)

// Dumper renders the messages of one conversation as lines that two runs of the same program have in common: ids,
// which differ from run to run, are replaced by numbers in the order of their first appearance. It is not safe for
// concurrent use.
type Dumper struct {
	// MaxText cuts texts and byte strings longer than this many bytes; 0 means 64.
	MaxText int
	// Codecs are those of the connection, nil if there are none.
	Codecs *brine.Codecs

	classes, objects, threads map[any]int // by id, or by the whole pack if it is an odd one
	packs                     bool        // id packs stand among the values of this message
}

// Dump renders one payload, without a newline:
//
//	REQUEST 0 GETROOT ()
//	REPLY 0 +main.Calculator#1
//	REQUEST 1 CALLATTR (-main.Calculator#1, "div", (7, 0), ())
//	EXCEPTION 1 builtins.ZeroDivisionError("division by zero")
//	REQUEST 2 INSPECT (main.Calculator#1)
//
// "+" marks an object of the sender, "-" one of the receiver. Where threads are bound, those that a message is from
// and for stand before it, as in "1>2 REQUEST", with "-" for any. A [Trailer] follows the message in braces. What
// cannot be decoded is said to be malformed, with the reason.
func (p *Dumper) Dump(d *Dialect, payload []byte) string {
	kind, seq, c, err := d.ReadHeaderUnchecked(payload)
	if err == nil {
		c.SetCodecs(p.Codecs)
		err = CheckBody(c)
	}
	if err != nil {
		return "MALFORMED " + err.Error()
	}
	var w strings.Builder
	if d.BindsThreads() {
		t := d.ReadThreads(payload)
		fmt.Fprintf(&w, "%s>%s ", p.thread(t.Sender), p.thread(t.Recipient))
	}
	fmt.Fprintf(&w, "%v %v ", kind, seq)
	switch kind {
	case Request:
		h, odd, err := d.ReadHandler(&c)
		if err != nil {
			return w.String() + "MALFORMED " + err.Error()
		}
		if odd != nil {
			fmt.Fprintf(&w, "HANDLER(%v) ", odd)
		} else {
			fmt.Fprintf(&w, "%v ", h)
		}
		p.packs = h == HandleInspect || h == HandleInstanceCheck
		p.boxed(&w, d, &c)
		p.packs = false
	case Reply:
		p.boxed(&w, d, &c)
	case Exception:
		p.exception(&w, &c)
	}
	if t, ok := d.ReadTrailer(payload, p.Codecs); ok {
		w.WriteString(" " + t.String())
	}
	return w.String()
}

func (p *Dumper) thread(id uint64) string {
	if id == 0 {
		return "-"
	}
	return strconv.Itoa(number(&p.threads, id))
}

// boxed renders a boxed value; false if it is malformed, and nothing behind it can be read.
func (p *Dumper) boxed(w *strings.Builder, d *Dialect, c *brine.Cursor) bool {
	malformed := func(err error) bool {
		w.WriteString("MALFORMED " + err.Error())
		return false
	}
	l, err := d.ReadLabel(c)
	if err != nil {
		return malformed(err)
	}
	switch l {
	case LabelValue:
		v, err := c.Value()
		if err != nil {
			return malformed(err)
		}
		p.value(w, v)
	case LabelTuple:
		n := 0
		if c.Kind() == brine.KindTuple {
			n, _ = c.Tuple()
		}
		w.WriteByte('(')
		for i := range n {
			if i > 0 {
				w.WriteString(", ")
			}
			if !p.boxed(w, d, c) {
				return false
			}
		}
		w.WriteByte(')')
	default:
		read := d.ReadRef
		if l == LabelRemoteRef {
			read = d.ReadRemoteRef
		}
		r, err := read(c, &Names{})
		if err != nil {
			return malformed(err)
		}
		w.WriteByte("-+"[l-LabelLocalRef])
		p.ref(w, r)
	}
	return true
}

func (p *Dumper) ref(w *strings.Builder, r Ref) {
	w.WriteString(r.Name)
	if r.odd != "" {
		w.WriteByte('#')
		w.WriteString(strconv.Itoa(number(&p.objects, r.odd)))
		return
	}
	if r.Object == 0 {
		w.WriteByte('@')
		w.WriteString(strconv.Itoa(number(&p.classes, r.Class)))
		return
	}
	w.WriteByte('#')
	w.WriteString(strconv.Itoa(number(&p.objects, r.Object)))
}

func number(m *map[any]int, id any) int {
	if *m == nil {
		*m = make(map[any]int)
	}
	n, ok := (*m)[id]
	if !ok {
		n = len(*m) + 1
		(*m)[id] = n
	}
	return n
}

func (p *Dumper) exception(w *strings.Builder, c *brine.Cursor) {
	v, err := c.Value()
	if err != nil {
		w.WriteString("MALFORMED " + err.Error())
		return
	}
	// The payload is (class, args, attributes, traceback); attributes and traceback vary with paths and releases.
	if t, ok := v.(brine.Tuple); ok && len(t) == 4 {
		if class, ok := t[0].(brine.Tuple); ok && len(class) == 2 {
			fmt.Fprintf(w, "%v.%v", class[0], class[1])
			p.value(w, t[1])
			return
		}
	}
	if v == int64(1) {
		w.WriteString("StopIteration")
		return
	}
	p.value(w, v)
}

func (p *Dumper) value(w *strings.Builder, v any) {
	limit := p.MaxText
	if limit == 0 {
		limit = 64
	}
	switch v := v.(type) {
	case nil:
		w.WriteString("None")
	case bool:
		w.WriteString(map[bool]string{true: "True", false: "False"}[v])
	case string:
		w.WriteString(cut(strconv.Quote, v, limit))
	case []byte:
		w.WriteByte('b')
		w.WriteString(cut(strconv.QuoteToASCII, string(v), limit))
	case brine.Tuple:
		if r, ok := refOf(v); ok && p.packs {
			p.ref(w, r)
			return
		}
		p.items(w, "(", v, ")")
	case brine.FrozenSet:
		p.items(w, "frozenset(", v, ")")
	case brine.Slice:
		p.items(w, "slice(", []any{v.Start, v.Stop, v.Step}, ")")
	case brine.EllipsisType:
		w.WriteString("Ellipsis")
	case brine.NotImplementedType:
		w.WriteString("NotImplemented")
	default:
		fmt.Fprint(w, v)
	}
}

// refOf takes a value as an id pack.
func refOf(v brine.Tuple) (r Ref, ok bool) {
	if len(v) == 3 {
		var name, class, object bool
		r.Name, name = v[0].(string)
		r.Class, class = v[1].(int64)
		r.Object, object = v[2].(int64)
		ok = name && class && object
	}
	return r, ok
}

func (p *Dumper) items(w *strings.Builder, open string, vs []any, end string) {
	w.WriteString(open)
	for i, v := range vs {
		if i > 0 {
			w.WriteString(", ")
		}
		p.value(w, v)
	}
	w.WriteString(end)
}

func cut(quote func(string) string, s string, limit int) string {
	if len(s) <= limit {
		return quote(s)
	}
	return quote(s[:limit]) + "…" + strconv.Itoa(len(s))
}
