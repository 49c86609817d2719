package pickle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
)

// keyNumbers numbers Go values that stand for hashable Python values, equal ones alike. The dicts of one pickle share
// one, so it is locked when programs look something up.
type keyNumbers struct {
	mu       sync.Mutex
	interner *brine.Interner
	identity map[any]int
}

func newKeyNumbers() *keyNumbers { return &keyNumbers{interner: brine.NewInterner()} }

// numbered is a key in the index of a Dict that is known by its number.
type numbered int

// directKey is the key itself if that is cheap and Go's equality is Python's: short texts and numbers that are
// integers.
func directKey(v any) (key any, ok bool) {
	switch x := v.(type) {
	case int:
		return int64(x), true
	case *big.Rat:
		if x.IsInt() {
			return directKey(x.Num())
		}
	case Decimal:
		if r, ok := exactDecimal(x); ok {
			return directKey(r)
		}
	}
	return pyvalue.DirectKey(v)
}

// key is the form of a key in the index of a Dict. What is only looked up is not remembered: without learn, the form of
// what has never been in one is not ok.
func (k *keyNumbers) key(v any, learn bool) (key any, ok bool, err error) {
	v = scalar(v)
	if key, ok := directKey(v); ok {
		return key, true, nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.interner.Fix(!learn)
	defer k.interner.Fix(false)
	n, err := k.of(v, 0)
	return numbered(n), err == nil && n != brine.Unknown, err
}

// errUnknown says that a member of a set is not known.
var errUnknown = errors.New("unknown")

// maxKeyDepth bounds keys that a program gives; those of a pickle have their own limit.
const maxKeyDepth = 1000

// of numbers a key. What has no form in brine is described by a tuple that begins with a name nothing else begins with.
func (k *keyNumbers) of(v any, depth int) (int, error) {
	if depth > maxKeyDepth {
		return 0, limit("nesting depth", depth, maxKeyDepth)
	}
	switch x := v.(type) {
	case nil, bool, int64, *big.Int, float64, complex128, string, []byte, brine.EllipsisType, brine.NotImplementedType:
		return k.interner.Scalar(v), nil
	case *big.Rat:
		if x.IsInt() {
			return k.of(x.Num(), depth)
		}
		if f, exact := x.Float64(); exact {
			return k.interner.Scalar(f), nil
		}
		return k.named("rat", x.String()), nil
	case Decimal:
		if x, ok := exactDecimal(x); ok {
			return k.of(x, depth)
		}
		return k.named("decimal", string(x)), nil
	case time.Time:
		return k.named("time", fmt.Sprint(x.Location() == Naive, x.Unix(), x.Nanosecond())), nil
	case time.Duration:
		return k.named("duration", fmt.Sprint(int64(x))), nil
	case UUID, Date, Clock, Class, Range:
		return k.named("value", fmt.Sprintf("%T%v", v, v)), nil
	case brine.Tuple:
		ids, err := k.all(x, depth)
		return k.interner.Tuple(ids), err
	case brine.FrozenSet:
		ids, err := k.all(x, depth)
		if err != nil {
			return 0, err
		}
		_, ids = k.interner.Distinct(make([]any, len(ids)), ids)
		return k.interner.Set(ids), nil
	case ByteArray, Set, *Dict, []any, brine.Slice:
		return 0, unhashable(pythonType(v))
	}
	return k.other(v)
}

// exactDecimal is the value of a decimal that is written without an exponent and not too long.
func exactDecimal(d Decimal) (*big.Rat, bool) {
	if len(d) > 100 || strings.Trim(string(d), "+-.0123456789") != "" {
		return nil, false
	}
	return new(big.Rat).SetString(string(d))
}

func (k *keyNumbers) all(items []any, depth int) ([]int, error) {
	ids := make([]int, len(items))
	for i, v := range items {
		var err error
		if ids[i], err = k.of(v, depth+1); err != nil {
			return nil, err
		}
		if ids[i] == brine.Unknown {
			return nil, errUnknown
		}
	}
	return ids, nil
}

func (k *keyNumbers) named(kind, s string) int {
	key := binary.AppendUvarint(nil, uint64(len(kind)))
	return k.interner.Tuple([]int{k.interner.Scalar("\x00gorpyc"), k.interner.Scalar(string(key) + kind),
		k.interner.Scalar(s)})
}

// scalar brings Go's other numbers and strings into the forms of the package's table.
func scalar(v any) any {
	switch v.(type) {
	case nil, bool, int64, float64, complex128, string, time.Duration, Decimal:
		return v
	}
	if form, ok := pyvalue.FromGo(reflect.ValueOf(v)); ok {
		return form
	}
	return v
}

// other numbers pointers by identity.
func (k *keyNumbers) other(v any) (int, error) {
	if w := scalar(v); reflect.TypeOf(w) != reflect.TypeOf(v) {
		return k.of(w, 0)
	}
	if reflect.TypeOf(v).Kind() != reflect.Pointer {
		return 0, unhashable(pythonType(v))
	}
	id, ok := k.identity[v]
	if !ok {
		if k.identity == nil {
			k.identity = map[any]int{}
		}
		if id = k.interner.Fresh(); id != brine.Unknown {
			k.identity[v] = id
		}
	}
	return id, nil
}

// pythonType names the Python type of a value in the package's table.
func pythonType(v any) string {
	switch v.(type) {
	case ByteArray:
		return "bytearray"
	case Set:
		return "set"
	case *Dict:
		return "dict"
	case []any:
		return "list"
	}
	if name := pyvalue.TypeName(v); name != "" {
		return name
	}
	return fmt.Sprintf("Go %T", v)
}
