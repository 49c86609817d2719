package pickle

import (
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"math/big"
	"reflect"
	"unsafe"

	"github.com/gorpyc/gorpyc/brine"
)

// Marshal returns a pickle of a Go value (pickle.dumps), as the package's table says. protocol is 2 to 5; 0 and 1 mean
// 2, which every Python reads that reads those, and a negative one, which means the highest to Python, 4, which every
// Python 3 reads. What is shared in the value is shared in the pickle, and slices, maps and pointers may form rings.
//
// The errors are *[UnsupportedTypeError], *brine.LimitError for what is nested deeper than 1000 levels and one matching
// [ErrProtocol].
func Marshal(v any, protocol int) ([]byte, error) {
	e := Encoder{Protocol: protocol}
	return e.Encode(v)
}

// Encoder writes pickles. It may be used by several goroutines as long as its fields do not change.
type Encoder struct {
	// Protocol is as described at [Marshal]; 0 means 2.
	Protocol int
	// Substitute is asked about every value that is no scalar, before the package's table. It returns what to write in
	// its place, which it is not asked about again, or false. A [Raw] stands for what is in a pickle made elsewhere.
	Substitute func(v any) (instead any, ok bool, err error)
	// Length is how many bytes a pickle may have, a little more than which is a *brine.LimitError; 0 means any number.
	Length int64
}

// Raw is a pickle that is written as what loads it: the value that it holds takes its place.
type Raw []byte

// Encode is [Marshal].
func (e *Encoder) Encode(v any) ([]byte, error) {
	p := e.Protocol
	switch {
	case p > HighestProtocol:
		return nil, fmt.Errorf("%w: %d", ErrProtocol, p)
	case p < 0:
		p = 4
	case p < 2:
		p = 2
	}
	w := &writer{
		protocol: p, length: e.Length, substitute: e.Substitute, memo: map[any]uint32{}, texts: map[string]uint32{},
	}
	w.b = append(w.b, opProto, byte(p))
	if err := w.value(v, 0); err != nil {
		return nil, err
	}
	return append(w.b, opStop), nil
}

const lengthOfPickle = "length of a pickle"

// maxDepth bounds what is written. CPython's own pickler gives up at about as much.
const maxDepth = 1000

// writer is one pickle being written. It writes no frames, which readers do not need.
type writer struct {
	protocol   int
	length     int64 // the most that it may have, 0 for any
	substitute func(v any) (any, bool, error)
	b          []byte
	memo       map[any]uint32    // by identity
	texts      map[string]uint32 // short texts, attribute names among them, are written once
	next       uint32
	stands     any   // the identity of what the next value stands for, see identity
	keep       []any // what has an identity in the memo: its address must not be used again
}

func (w *writer) op(ops ...byte) { w.b = append(w.b, ops...) }

// put remembers what was written last and returns its index.
func (w *writer) put() uint32 {
	i := w.next
	w.next++
	switch {
	case w.protocol >= 4:
		w.op(opMemoize)
	case i < 256:
		w.op(opBinPut, byte(i))
	default:
		w.b = binary.LittleEndian.AppendUint32(append(w.b, opLongBinPut), i)
	}
	return i
}

func (w *writer) get(i uint32) {
	if i < 256 {
		w.op(opBinGet, byte(i))
		return
	}
	w.b = binary.LittleEndian.AppendUint32(append(w.b, opLongBinGet), i)
}

// value writes a value that may have a substitute.
func (w *writer) value(v any, depth int) error {
	if depth > maxDepth {
		return limit("nesting depth", depth, maxDepth)
	}
	if w.length > 0 && int64(len(w.b)) > w.length {
		return limit(lengthOfPickle, len(w.b), w.length)
	}
	if w.scalar(v) {
		return nil
	}
	if s, ok := v.(string); ok {
		return w.text(s)
	}
	if w.substitute != nil {
		instead, ok, err := w.substitute(v)
		if err != nil {
			return err
		}
		if ok {
			id, known := identity(v)
			if known {
				if i, ok := w.memo[id]; ok {
					w.get(i)
					return nil
				}
			}
			if !known {
				return w.plain(instead, depth)
			}
			w.keep = append(w.keep, v)
			w.stands = id
			if err := w.plain(instead, depth); err != nil {
				return err
			}
			if w.stands != nil { // nothing that has an identity was written
				w.stands = nil
				w.memo[id] = w.put()
			}
			return nil
		}
	}
	return w.plain(v, depth)
}

// scalar writes what needs no memo.
func (w *writer) scalar(v any) bool {
	switch x := v.(type) {
	case nil:
		w.op(opNone)
	case bool:
		w.bool(x)
	case int:
		w.int(int64(x))
	case int64:
		w.int(x)
	case float64:
		w.float(x)
	default:
		return false
	}
	return true
}

func (w *writer) bool(x bool) {
	if x {
		w.op(opNewTrue)
	} else {
		w.op(opNewFalse)
	}
}

func (w *writer) int(n int64) {
	switch {
	case n >= 0 && n < 256:
		w.op(opBinInt1, byte(n))
	case n >= 0 && n < 65536:
		w.op(opBinInt2, byte(n), byte(n>>8))
	case n >= math.MinInt32 && n <= math.MaxInt32:
		w.b = binary.LittleEndian.AppendUint32(append(w.b, opBinInt), uint32(int32(n)))
	default:
		w.b = binary.LittleEndian.AppendUint64(append(w.b, opLong1, 8), uint64(n))
	}
}

func (w *writer) float(f float64) {
	w.b = binary.BigEndian.AppendUint64(append(w.b, opBinFloat), math.Float64bits(f))
}

// big writes an integer in two's complement, the least byte first.
func (w *writer) big(n *big.Int) {
	if n.IsInt64() {
		w.int(n.Int64())
		return
	}
	size := n.BitLen()/8 + 1
	if n.Sign() < 0 { // -2**(8k-1) needs no byte more
		n = new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), uint(size)*8))
	}
	be := n.FillBytes(make([]byte, size))
	if size < 256 {
		w.op(opLong1, byte(size))
	} else {
		w.b = binary.LittleEndian.AppendUint32(append(w.b, opLong4), uint32(size))
	}
	for i := len(be) - 1; i >= 0; i-- {
		w.b = append(w.b, be[i])
	}
}

// text writes a str.
func (w *writer) text(s string) error {
	if i, ok := w.texts[s]; ok {
		w.get(i)
		return nil
	}
	place := longValue{text: true, at: unsafe.StringData(s), n: len(s)}
	if w.repeated(place) {
		return nil
	}
	if !validText([]byte(s)) {
		return fmt.Errorf("cannot pickle text: %w", brine.ErrInvalidUTF8)
	}
	switch {
	case len(s) < 256 && w.protocol >= 4:
		w.op(opShortBinUnicode, byte(len(s)))
	case uint64(len(s)) <= math.MaxUint32:
		w.b = binary.LittleEndian.AppendUint32(append(w.b, opBinUnicode), uint32(len(s)))
	case w.protocol >= 4:
		w.b = binary.LittleEndian.AppendUint64(append(w.b, opBinUnicode8), uint64(len(s)))
	default:
		return limit("length of a string", len(s), int64(math.MaxUint32))
	}
	w.b = append(w.b, s...)
	if len(s) > 1 && len(s) < 100 && len(w.texts) < 1<<16 {
		w.texts[s] = w.put()
	}
	w.noteLong(place)
	return nil
}

// longValue is where a long text or byte string is. One that is in several places is written once, as CPython does.
type longValue struct {
	text bool
	at   *byte
	n    int
}

const longEnough = 100

// repeated writes a reference to a long text or byte string that has been written; false if it has not.
func (w *writer) repeated(v longValue) bool {
	if v.n < longEnough {
		return false
	}
	i, ok := w.memo[v]
	if ok {
		w.get(i)
	}
	return ok
}

// noteLong notes that it was written just now. The memo keeps its memory.
func (w *writer) noteLong(v longValue) {
	if v.n >= longEnough {
		w.memo[v] = w.put()
	}
}

// bytes writes bytes. Before protocol 3 there were none; Python 3 writes a call that makes them then.
func (w *writer) bytes(p []byte) error {
	place := longValue{at: unsafe.SliceData(p), n: len(p)}
	if w.repeated(place) {
		return nil
	}
	err := w.freshBytes(p)
	if err == nil {
		w.noteLong(place)
	}
	return err
}

func (w *writer) freshBytes(p []byte) error {
	if w.protocol < 3 {
		if len(p) == 0 {
			w.global("__builtin__", "bytes")
			w.op(opEmptyTuple, opReduce)
			return nil
		}
		w.global("_codecs", "encode")
		if err := w.text(fromLatin1(p)); err != nil {
			return err
		}
		if err := w.text("latin1"); err != nil {
			return err
		}
		w.op(opTuple2, opReduce)
		return nil
	}
	switch {
	case len(p) < 256:
		w.op(opShortBinBytes, byte(len(p)))
	case uint64(len(p)) <= math.MaxUint32:
		w.b = binary.LittleEndian.AppendUint32(append(w.b, opBinBytes), uint32(len(p)))
	case w.protocol >= 4:
		w.b = binary.LittleEndian.AppendUint64(append(w.b, opBinBytes8), uint64(len(p)))
	default:
		return limit("length of a byte string", len(p), int64(math.MaxUint32))
	}
	w.b = append(w.b, p...)
	return nil
}

func fromLatin1(p []byte) string {
	r := make([]rune, len(p))
	for i, b := range p {
		r[i] = rune(b)
	}
	return string(r)
}

// bytearray writes a bytearray.
func (w *writer) bytearray(p []byte) error {
	if w.protocol >= 5 {
		w.b = binary.LittleEndian.AppendUint64(append(w.b, opByteArray8), uint64(len(p)))
		w.b = append(w.b, p...)
		return nil
	}
	if w.protocol < 3 {
		return w.call("__builtin__", "bytearray", fromLatin1(p), "latin-1")
	}
	return w.call("builtins", "bytearray", p)
}

// global writes the name of a class or function.
func (w *writer) global(module, name string) {
	w.op(opGlobal)
	w.b = append(append(append(append(w.b, module...), '\n'), name...), '\n')
}

// builtin is the module of builtins in the protocol: Python 3 translates the old name in old protocols.
func (w *writer) builtin() string {
	if w.protocol < 3 {
		return "__builtin__"
	}
	return "builtins"
}

// call writes a call of a class or function with arguments that refer to nothing that is being written.
func (w *writer) call(module, name string, args ...any) error {
	w.global(module, name)
	if err := w.tuple(args, 0); err != nil {
		return err
	}
	w.op(opReduce)
	return nil
}

// tuple writes a tuple.
func (w *writer) tuple(items []any, depth int) error {
	n := len(items)
	if n > 3 {
		w.op(opMark)
	}
	for _, v := range items {
		if err := w.value(v, depth+1); err != nil {
			return err
		}
	}
	w.op([]byte{opEmptyTuple, opTuple1, opTuple2, opTuple3, opTuple}[min(n, 4)])
	return nil
}

// batch is how many items are added at a time, as CPython does it, so that readers need not hold them all twice.
const batch = 1000

// items writes the items of a list or a set that has been written, or the pairs of a dict, with op.
func (w *writer) items(op byte, items iter.Seq2[any, any], pairs bool, depth int) error {
	n := 0
	for k, v := range items {
		if n%batch == 0 {
			if n > 0 {
				w.op(op)
			}
			w.op(opMark)
		}
		n++
		if pairs {
			if err := w.value(k, depth+1); err != nil {
				return err
			}
		}
		if err := w.value(v, depth+1); err != nil {
			return err
		}
	}
	if n > 0 {
		w.op(op)
	}
	return nil
}

func (w *writer) appendAll(n int, at func(i int) any, op byte, depth int) error {
	return w.items(op, func(yield func(k, v any) bool) {
		for i := range n {
			if !yield(nil, at(i)) {
				return
			}
		}
	}, false, depth)
}

// identity is identity, or, for a substitute, that of what it stands for.
func (w *writer) identity(v any) (any, bool) {
	if id := w.stands; id != nil {
		w.stands = nil
		return id, true
	}
	return identity(v)
}

// identity is a key for what several places can share.
func identity(v any) (any, bool) {
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.Pointer, reflect.Map:
		if rv.IsNil() {
			return nil, false
		}
		return [3]any{rv.Type(), rv.UnsafePointer(), 0}, true
	case reflect.Slice:
		if rv.Len() == 0 {
			return nil, false
		}
		return [3]any{rv.Type(), rv.UnsafePointer(), rv.Len()}, true
	}
	return nil, false
}
