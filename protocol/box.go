package protocol

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"slices"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/frame"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// boxer encodes the values of one message: by value what brine can carry, tuples item by item, handles of this
// connection as references to the peer's own objects, and everything else by reference through the table of exports.
// This is the only boxing there is (Connection._box).
type boxer struct {
	ctx  context.Context // for asking which object a root handle stands for, if that is not known
	c    *Conn
	d    *wire.Dialect
	refs []*exported // entries of what this message gives the peer a reference to

	depth int   // how many containers the next value is nested in
	room  int   // of an answer, how long it may become before isFull looks closer; 0 is for requests, which have no limit
	taken int64 // of the budget, for that
	full  error // says that it has become too long

	lends bool // a long byte string may be lent
	loan  loan
}

// reset makes it ready for another message.
func (m *boxer) reset() {
	refs := m.refs
	*m = boxer{}
	if cap(refs) <= 64 {
		clear(refs)
		m.refs = refs[:0]
	}
}

// args appends the boxed argument tuple of a request.
func (m *boxer) args(b []byte, args []any) ([]byte, error) {
	m.depth++ // the request's own tuple
	return m.tuple(b, args)
}

// bareTarget replaces the target by its number, as family A has it.
func (m *boxer) bareTarget(args []any) []any {
	o, ok := args[0].(*netref.Object)
	if !ok || !m.c.owns(o) {
		return args
	}
	ref, _ := o.Ref()
	args = slices.Clone(args)
	args[0] = ref.Tuple()
	return args
}

// value appends v, boxed.
func (m *boxer) value(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return brine.AppendNone(m.d.AppendLabel(b, wire.LabelValue)), nil
	case int:
		return brine.AppendInt(m.d.AppendLabel(b, wire.LabelValue), int64(v)), nil
	case bool, int64, float64, string, []byte:
		start := len(b)
		nb, err := m.plain(m.d.AppendLabel(b, wire.LabelValue), v)
		if err != nil {
			return b[:start], err
		}
		return nb, nil
	case brine.Tuple:
		return m.tuple(b, v)
	case *netref.Object:
		return m.handle(b, v)
	}
	if cs := m.c.cfg.Codecs; cs.Has(v) {
		return cs.Append(m.d.AppendLabel(b, wire.LabelValue), v, m.depth)
	}
	form, byValue := exposed.ByValue(v)
	if t, ok := form.(brine.Tuple); ok {
		return m.tuple(b, t)
	}
	if !byValue {
		return m.export(b, form)
	}
	b = m.d.AppendLabel(b, wire.LabelValue)
	if set, ok := form.(brine.FrozenSet); ok {
		lends := m.lends
		if nb, ok := m.plainItems(brine.AppendFrozenSetHeader(b, len(set)), set, m.depth+2); ok || m.full != nil {
			return nb, m.full // otherwise the same again says why not
		}
		m.unlend(lends)
	}
	return brine.Append(b, form)
}

// tuple appends a tuple: as one value if all its items can be carried by value, otherwise item by item.
func (m *boxer) tuple(b []byte, items []any) ([]byte, error) {
	m.depth += 2 // the boxed pair and the tuple
	if m.depth >= maxDepth {
		return b, &brine.LimitError{What: "nesting depth", Got: int64(m.depth), Limit: maxDepth}
	}
	start, lends := len(b), m.lends
	if v, ok := m.plainTuple(m.d.AppendLabel(b, wire.LabelValue), items, m.depth); ok {
		m.depth -= 2
		return v, nil
	}
	m.unlend(lends)
	b = m.d.AppendLabel(b[:start], wire.LabelTuple)
	b = brine.AppendTupleHeader(b, len(items))
	for i, v := range items {
		var err error
		if b, err = m.fit(b, items[i:]); err != nil {
			return b, err
		}
		if b, err = m.value(b, v); err != nil {
			return b, err
		}
	}
	m.depth -= 2
	return b, nil
}

// maxDepth bounds the containers nested in each other in a message, as readers do: CPython gives up at about 490, and a
// tuple that contains itself would never end.
const maxDepth = brine.DefaultDepth

// plainTuple appends a tuple by value if that is possible.
func (m *boxer) plainTuple(b []byte, items []any, depth int) ([]byte, bool) {
	if depth >= maxDepth {
		return b, false
	}
	return m.plainItems(brine.AppendTupleHeader(b, len(items)), items, depth)
}

// plainItems appends the items of a tuple or frozenset.
func (m *boxer) plainItems(b []byte, items []any, depth int) ([]byte, bool) {
	for i, v := range items {
		var err error
		if b, err = m.fit(b, items[i:]); err != nil {
			return b, false
		}
		switch t := v.(type) {
		case nil:
			b = brine.AppendNone(b)
			continue
		case bool:
			b = brine.AppendBool(b, t)
			continue
		case int:
			b = brine.AppendInt(b, int64(t))
			continue
		case int64:
			b = brine.AppendInt(b, t)
			continue
		case float64:
			b = brine.AppendFloat(b, t)
			continue
		case brine.Tuple:
			nb, ok := m.plainTuple(b, t, depth+1)
			if !ok {
				return b, false
			}
			b = nb
			continue
		case string, []byte, *big.Int:
		case *netref.Object:
			return b, false
		default:
			if cs := m.c.cfg.Codecs; cs.Has(v) {
				nb, err := cs.Append(b, v, depth+1)
				if err != nil {
					return b, false // the same again, item by item, says why
				}
				b = nb
				continue
			}
			form, ok := exposed.ByValue(v)
			if !ok {
				return b, false
			}
			if set, isSet := form.(brine.FrozenSet); isSet && depth < maxDepth {
				if b, ok = m.plainItems(brine.AppendFrozenSetHeader(b, len(set)), set, depth+1); !ok {
					return b, false
				}
				continue
			}
			v = form
		}
		nb, err := m.plain(b, v)
		if err != nil {
			return b, false
		}
		b = nb
	}
	return b, true
}

// valueExtra is more than what stands before a long text or byte string, and behind the last one of a message.
const valueExtra = 64

// plain appends a value that brine can carry, for which it makes room if it is long, or lends it.
func (m *boxer) plain(b []byte, v any) ([]byte, error) {
	switch t := v.(type) {
	case []byte:
		if m.lends && len(t) >= lendMin && uint64(len(t)) <= math.MaxUint32 && len(b) <= chunkSize/2 {
			b = brine.AppendBytesHeader(b, len(t))
			m.lends, m.loan = false, loan{at: len(b), data: t}
			return b, nil
		}
		b = frame.Extend(b, len(t)+valueExtra)
	case string:
		b = frame.Extend(b, len(t)+valueExtra)
	}
	return brine.Append(b, v)
}

// handle appends a reference to an object of the peer, or exports one of another peer.
func (m *boxer) handle(b []byte, o *netref.Object) ([]byte, error) {
	if o == nil {
		return brine.AppendNone(m.d.AppendLabel(b, wire.LabelValue)), nil
	}
	if v, own := o.Own(); own {
		return m.value(b, v)
	}
	ref, ok := o.Ref()
	if !ok {
		if err := fetchRoot(m.ctx, o); err != nil {
			return b, err
		}
		ref, _ = o.Ref()
	}
	if !m.c.owns(o) {
		return m.export(b, o)
	}
	if o.Released() {
		return b, fmt.Errorf("%w: %v", netref.ErrReleased, o)
	}
	return m.d.AppendLocalRef(b, ref), nil
}

// export appends a reference to an object of ours, which the peer then holds one reference more to.
func (m *boxer) export(b []byte, v any) ([]byte, error) {
	class := exposed.ClassOf(v) // may ask an error for its text: not under the lock
	l := m.c.lock()
	e, err := l.addExport(v, class)
	l.unlock()
	if err != nil {
		return b, err
	}
	m.refs = append(m.refs, e)
	return m.d.AppendRemoteRef(b, e.ref), nil
}

// undo takes back the references of a message that is not sent.
func (m *boxer) undo() {
	for _, e := range m.refs {
		if d := m.c.decref(e.ref, 1); d != nil {
			go m.c.tellDropped(d) // this may be the reader
		}
	}
}

// scratch is a buffer that a frame is encoded in.
type scratch struct {
	b       []byte
	payload int // where the payload begins
	size    int // of the payload, once the frame is complete: its length before compression
	loan    loan
}

// scratchSize is what a scratch begins with.
const scratchSize = 512

// begin starts a frame, dropping what was in the scratch.
func (s *scratch) begin() {
	s.b, _ = frame.Begin(s.b[:0])
	s.payload, s.loan = len(s.b), loan{}
}

// trim empties the scratch. Its memory is for other messages if it has become so large that keeping it here would be a
// waste.
func (s *scratch) trim() {
	if cap(s.b) > chunkSize {
		frame.FreeLong(s.b)
		s.b = make([]byte, 0, scratchSize)
	}
	s.b, s.loan = s.b[:0], loan{}
}

// endFrame completes the frame in s.
func (c *Conn) endFrame(d *wire.Dialect, s *scratch) (err error) {
	s.b = c.greetBack(s.b)
	s.size = len(s.b) - s.payload + len(s.loan.data)
	c.traceOut(d, s.b[s.payload:])
	if s.loan.data != nil {
		s.b, err = frame.EndAround(s.b, 0, len(s.loan.data))
	} else {
		s.b, err = frame.End(s.b, 0, c.cfg.compression())
	}
	return err
}

// send hands the frame in s to the outbox.
func (c *Conn) send(ctx context.Context, s *scratch, mode sendMode) error {
	if s.loan.data != nil {
		if ctx.Done() != nil {
			c.passRole(true) // a handler's peer may have to write before it reads
		}
		if written, err := c.out.sendLent(ctx, s.b, s.loan, mode); written {
			return err
		}
		s.repay()
	}
	copied, err := c.out.send(ctx, s.b, mode)
	if !copied {
		s.b = nil // the outbox keeps it
	}
	return err
}
