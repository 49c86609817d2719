package pickle

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/big"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/nlpodyssey/gopickle/types"
)

// makers are the classes and functions that are known by name, as data: what becomes of a call of them. errForm leaves
// the object as it is.
var makers map[Class]func(*call) (any, error)

func init() { // because a pickle can hold a pickle, makers refer to themselves
	makers = map[Class]func(*call) (any, error){
		{"builtins", "complex"}:   makeComplex,
		{"builtins", "bytes"}:     makeBytes,
		{"builtins", "bytearray"}: makeByteArray,
		{"builtins", "set"}:       makeSet,
		{"builtins", "frozenset"}: makeSet,
		{"builtins", "slice"}:     makeSlice,
		{"builtins", "range"}:     makeRange,
		{"builtins", "type"}:      makeType,
		{"_codecs", "encode"}:     makeEncoded,
		{"pickle", "loads"}:       makePickled,
		{"operator", "getitem"}:   makeItem,

		{"collections", "OrderedDict"}: makeDict,
		{"collections", "defaultdict"}: makeDict,
		{"collections", "Counter"}:     makeDict,
		{"collections", "deque"}:       makeDeque,
		{"decimal", "Decimal"}:         makeDecimal,
		{"fractions", "Fraction"}:      makeFraction,
		{"uuid", "UUID"}:               makeUUID,

		{"datetime", "datetime"}:           makeDatetime,
		{"datetime", "date"}:               makeDate,
		{"datetime", "time"}:               makeClock,
		{"datetime", "timedelta"}:          makeTimedelta,
		{"datetime", "timezone"}:           makeTimezone,
		{"zoneinfo", "ZoneInfo._unpickle"}: makeZoneInfo,

		{"numpy", "dtype"}:                        makeDType,
		{"numpy", "ndarray"}:                      makeArrayOver,
		{"numpy.core.multiarray", "_reconstruct"}: makeArray,
		{"numpy.core.numeric", "_frombuffer"}:     makeArrayFrom,
		{"numpy.core.multiarray", "scalar"}:       makeScalar,
		{"numpy.ma.core", "_mareconstruct"}:       makeArray,
		{"array", "_array_reconstructor"}:         makeTypedArray,
		{"array", "array"}:                        makeTypedArray,

		{"pandas._libs.tslibs.timestamps", "_unpickle_timestamp"}: makeTimestamp,
		{"pandas._libs.tslibs.timedeltas", "_timedelta_unpickle"}: makePandasTimedelta,
	}
}

// machineFormats are the formats of numbers in an array.array's memory, by their numbers.
var machineFormats = strings.Fields("|u1 |i1 <u2 >u2 <i2 >i2 <u4 >u4 <i4 >i4 <u8 >u8 <i8 >i8 <f4 >f4 <f8 >f8")

// typeCodes are the element types of an array.array by its type code; its longs are read as the longest there are.
var typeCodes = map[string]string{
	"b": "|i1", "B": "|u1", "h": "<i2", "H": "<u2", "i": "<i4", "I": "<u4", "l": "<i8", "L": "<u8", "q": "<i8",
	"Q": "<u8", "f": "<f4", "d": "<f8",
}

// makeTypedArray takes _array_reconstructor(array, code, format, memory), and array(code, list), which protocols below
// 3 write. Arrays of characters stay what they are.
func makeTypedArray(c *call) (any, error) {
	if !c.bare() {
		return nil, errForm
	}
	if n := len(c.args); n == 4 {
		format, ok := c.args[2].(int64)
		b, isBytes := c.bytes(3)
		if !ok || !isBytes || format < 0 || int(format) >= len(machineFormats) {
			return nil, errForm
		}
		d := DType(machineFormats[format])
		size, _ := d.size()
		return c.array(brine.Tuple{int64(len(b) / size)}, d, false, b)
	}
	items, ok := at(c.args, 1).([]any)
	code, isCode := c.str(0)
	d, known := typeCodes[code]
	if !ok || !isCode || !known || len(c.args) != 2 || c.r.spend(8*len(items)) != nil {
		return nil, errForm
	}
	size, _ := DType(d).size()
	var data []byte
	for _, v := range items {
		var bits uint64
		switch x := v.(type) {
		case int64:
			bits = uint64(x)
		case float64:
			if bits = math.Float64bits(x); code == "f" {
				bits = uint64(math.Float32bits(float32(x)))
			}
		case *big.Int:
			bits = x.Uint64()
		default:
			return nil, errForm
		}
		data = append(data, binary.LittleEndian.AppendUint64(nil, bits)[:size]...)
	}
	return c.array(brine.Tuple{int64(len(items))}, DType(d), false, data)
}

func makeComplex(c *call) (any, error) {
	if len(c.args) != 2 || !c.bare() {
		return nil, errForm
	}
	re, ok1 := c.args[0].(float64)
	im, ok2 := c.args[1].(float64)
	if !ok1 || !ok2 {
		return nil, errForm
	}
	return complex(re, im), nil
}

func makeBytes(c *call) (any, error) {
	switch {
	case !c.bare():
	case len(c.args) == 0:
		return []byte{}, nil
	case len(c.args) == 1:
		switch b := c.args[0].(type) {
		case []byte:
			return b, nil
		case ByteArray:
			return []byte(b), c.r.spend(len(b))
		}
	}
	return nil, errForm
}

func makeByteArray(c *call) (any, error) {
	if !c.bare() {
		return nil, errForm
	}
	switch len(c.args) {
	case 0:
		return ByteArray{}, nil
	case 1:
		if b, ok := c.args[0].([]byte); ok {
			return ByteArray(bytes.Clone(b)), c.r.spend(len(b))
		}
		if b, ok := c.args[0].(string); ok && b == "" {
			return ByteArray{}, nil
		}
	case 2, 3: // Python 2 has a third argument, None
		b, ok := c.bytes(0)
		if coding, _ := c.str(1); ok && coding == "latin-1" {
			return ByteArray(bytes.Clone(b)), c.r.spend(2 * len(b))
		}
	}
	return nil, errForm
}

func makeSet(c *call) (any, error) {
	if len(c.args) > 1 || !c.bare() {
		return nil, errForm
	}
	var nodes []any
	if len(c.args) == 1 {
		var ok bool
		if nodes, ok = c.list(0); !ok {
			return nil, errForm
		}
		if err := c.r.spend(16 * len(nodes)); err != nil {
			return nil, err
		}
	}
	items, size, err := c.r.members(nodes, c.depth)
	c.size = size
	if c.class.Name == "set" {
		return Set(items), err
	}
	return brine.FrozenSet(items), err
}

func makeSlice(c *call) (any, error) {
	if len(c.args) != 3 || !c.bare() {
		return nil, errForm
	}
	return brine.Slice{Start: c.args[0], Stop: c.args[1], Step: c.args[2]}, nil
}

func makeRange(c *call) (any, error) {
	if len(c.args) != 3 || !c.bare() {
		return nil, errForm
	}
	for _, v := range c.args {
		if n, ok := bigInt(v); !ok || n.BitLen() > 4096 {
			return nil, errForm
		}
	}
	return Range{c.args[0], c.args[1], c.args[2]}, nil
}

// makeType takes type(None) and its like, which is how CPython names the types of its singletons.
func makeType(c *call) (any, error) {
	if len(c.args) != 1 || !c.bare() {
		return nil, errForm
	}
	switch c.args[0].(type) {
	case nil:
		return Class{"builtins", "NoneType"}, nil
	case brine.EllipsisType:
		return Class{"builtins", "ellipsis"}, nil
	case brine.NotImplementedType:
		return Class{"builtins", "NotImplementedType"}, nil
	}
	return nil, errForm
}

// makeEncoded takes bytes as Python 3 writes them for protocols 0 to 2.
func makeEncoded(c *call) (any, error) {
	if len(c.args) != 2 || !c.bare() {
		return nil, errForm
	}
	s, ok := c.str(0)
	coding, _ := c.str(1)
	if !ok || coding != "latin1" && coding != "latin-1" {
		return nil, errForm
	}
	if err := c.r.spend(len(s)); err != nil {
		return nil, err
	}
	b, ok := latin1(s)
	if !ok {
		return nil, errForm
	}
	return b, nil
}

// makePickled takes a pickle inside a pickle, which is how a netref is pickled.
func makePickled(c *call) (any, error) {
	b, ok := c.bytes(0)
	if len(c.args) != 1 || !ok || !c.bare() {
		return nil, errForm
	}
	if err := c.r.spend(16 * len(b)); err != nil {
		return nil, err
	}
	if c.depth >= c.r.limit.Depth {
		return nil, limit("nesting depth", c.depth+1, c.r.limit.Depth)
	}
	v, size, err := c.r.load(b, c.depth+10)
	c.size = add(c.size, size)
	return v, err
}

func makeDict(c *call) (any, error) {
	if len(c.node.items) > 0 || len(c.args) > 1 || c.node.hasState {
		return nil, errForm
	}
	d := &Dict{Class: c.class, numbers: c.r.keys}
	c.r.early(c.node, d)
	if c.class.Name != "defaultdict" && len(c.args) == 1 {
		switch n := c.nodes[0].(type) {
		case *types.Dict:
			if err := c.fillCopy(d, *n); err != nil {
				return nil, err
			}
		case *types.List: // of pairs, as Python 2 writes an OrderedDict
			var entries []types.DictEntry
			for _, p := range *n {
				switch p := p.(type) {
				case *types.List:
					if p.Len() != 2 {
						return nil, errForm
					}
					entries = append(entries, types.DictEntry{Key: p.Get(0), Value: p.Get(1)})
				case *types.Tuple:
					if p.Len() != 2 {
						return nil, errForm
					}
					entries = append(entries, types.DictEntry{Key: p.Get(0), Value: p.Get(1)})
				default:
					return nil, errForm
				}
			}
			if err := c.fillCopy(d, entries); err != nil {
				return nil, err
			}
		default:
			return nil, errForm
		}
	}
	_, err := c.pairs(d)
	return d, err
}

// fillCopy is fillDict with what the memo may hold many times.
func (c *call) fillCopy(d *Dict, entries []types.DictEntry) error {
	if err := c.r.spend(64 * len(entries)); err != nil {
		return err
	}
	size, err := c.r.fillDict(d, entries, c.depth)
	c.size = add(c.size, size)
	return err
}

func makeDeque(c *call) (any, error) {
	if len(c.node.pairs) > 0 || len(c.args) > 2 {
		return nil, errForm
	}
	if len(c.args) == 0 || c.args[0] == nil {
		items, err := c.items()
		if items == nil {
			items = []any{}
		}
		return items, err
	}
	first, ok := c.args[0].([]any)
	if t, isTuple := c.args[0].(brine.Tuple); isTuple {
		first, ok = t, true
	}
	if !ok {
		return nil, errForm
	}
	if err := c.r.spend(16 * len(first)); err != nil {
		return nil, err
	}
	more, err := c.items()
	return append(append(make([]any, 0, len(first)+len(more)), first...), more...), err
}

func makeDecimal(c *call) (any, error) {
	s, ok := c.str(0)
	if !ok || len(c.args) != 1 || !c.bare() || len(s) > c.r.limit.Digits+20 {
		return nil, errForm
	}
	return Decimal(s), nil
}

func makeFraction(c *call) (any, error) {
	if !c.bare() {
		return nil, errForm
	}
	if s, ok := c.str(0); ok && len(c.args) == 1 && c.r.spend(16*len(s)) == nil {
		num, den, both := strings.Cut(s, "/")
		if !both {
			den = "1"
		}
		n, err1 := parseInt(num, c.r.limit.Digits)
		d, err2 := parseInt(den, c.r.limit.Digits)
		if err1 != nil || err2 != nil {
			return nil, errForm
		}
		c.args = []any{n, d}
	}
	if len(c.args) != 2 {
		return nil, errForm
	}
	n, ok1 := bigInt(c.args[0])
	d, ok2 := bigInt(c.args[1])
	if !ok1 || !ok2 || d.Sign() == 0 || n.BitLen()+d.BitLen() > 1<<16 || c.r.spend(8*(n.BitLen()+d.BitLen())) != nil {
		return nil, errForm // reducing a fraction is quadratic
	}
	return new(big.Rat).SetFrac(n, d), nil
}

func bigInt(v any) (*big.Int, bool) {
	switch x := v.(type) {
	case int64:
		return big.NewInt(x), true
	case *big.Int:
		return x, true
	}
	return nil, false
}

func makeUUID(c *call) (any, error) {
	if s, ok := c.str(0); ok && len(c.args) == 1 && len(s) == 32 && c.bare() {
		var u UUID
		if _, err := hex.Decode(u[:], []byte(s)); err != nil {
			return nil, errForm
		}
		return u, nil
	}
	if len(c.args) != 0 || len(c.node.items)+len(c.node.pairs) > 0 {
		return nil, errForm
	}
	state, err := c.state()
	if err != nil {
		return nil, err
	}
	d, ok := state.(*Dict)
	if !ok {
		return nil, errForm
	}
	v, _ := d.Get("int")
	n, ok := bigInt(v)
	if !ok || n.Sign() < 0 || n.BitLen() > 128 {
		return nil, errForm
	}
	var u UUID
	n.FillBytes(u[:])
	return u, nil
}
