package brine

import (
	"math/big"
	"reflect"
)

// encodeError gives a cause the package's prefix.
type encodeError struct{ err error }

func (e *encodeError) Error() string { return "brine: " + e.err.Error() }
func (e *encodeError) Unwrap() error { return e.err }

func unsupported(v any) error { return &UnsupportedTypeError{Type: reflect.TypeOf(v)} }

func tooLong(n int) error {
	return &LimitError{What: "length of a byte string", Got: int64(n), Limit: maxLen}
}

// Marshal returns the encoding of v, which must be of one of the types in the
// package's table. It is rpyc.core.brine.dump. See [Append] for the errors.
func Marshal(v any) ([]byte, error) {
	b, err := Append(make([]byte, 0, 64), v)
	if err != nil {
		return nil, err
	}
	return b, nil
}

// Append appends the encoding of v, which must be of one of the types in the
// package's table. The errors are [*UnsupportedTypeError], [*LimitError]
// (nesting deeper than 300, integers of more than 4300 digits, strings above
// 2³²−1 bytes) and one wrapping [ErrInvalidUTF8]. On error b is returned
// unchanged.
func Append(b []byte, v any) ([]byte, error) {
	out, err := appendValue(b, v, 0)
	if err != nil {
		return b, err
	}
	return out, nil
}

// appendValue appends v, which lies inside depth containers.
func appendValue(b []byte, v any, depth int) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return AppendNone(b), nil
	case bool:
		return AppendBool(b, v), nil
	case int:
		return AppendInt(b, int64(v)), nil
	case int64:
		return AppendInt(b, v), nil
	case string:
		return AppendString(b, v)
	case []byte:
		if uint64(len(v)) > maxLen {
			return b, tooLong(len(v))
		}
		return AppendBytes(b, v), nil
	case float64:
		return AppendFloat(b, v), nil
	case Tuple:
		if uint64(len(v)) > maxLen {
			return b, tooMany(len(v))
		}
		return appendItems(AppendTupleHeader(b, len(v)), v, depth)
	case Slice:
		b, err := appendMember(AppendSliceHeader(b), v.Start, depth)
		if err != nil {
			return b, err
		}
		if b, err = appendMember(b, v.Stop, depth); err != nil {
			return b, err
		}
		return appendMember(b, v.Step, depth)
	case FrozenSet:
		if uint64(len(v)) > maxLen {
			return b, tooMany(len(v))
		}
		return appendItems(AppendFrozenSetHeader(b, len(v)), v, depth)
	case *big.Int:
		return AppendBigInt(b, v)
	case complex128:
		return AppendComplex(b, v), nil
	case EllipsisType:
		return AppendEllipsis(b), nil
	case NotImplementedType:
		return AppendNotImplemented(b), nil
	case int8:
		return AppendInt(b, int64(v)), nil
	case int16:
		return AppendInt(b, int64(v)), nil
	case int32:
		return AppendInt(b, int64(v)), nil
	case uint:
		return AppendUint(b, uint64(v)), nil
	case uint8:
		return AppendUint(b, uint64(v)), nil
	case uint16:
		return AppendUint(b, uint64(v)), nil
	case uint32:
		return AppendUint(b, uint64(v)), nil
	case uint64:
		return AppendUint(b, v), nil
	case float32:
		return AppendFloat(b, float64(v)), nil
	case complex64:
		return AppendComplex(b, complex128(v)), nil
	}
	return b, unsupported(v)
}

func tooMany(n int) error {
	return &LimitError{What: "items of a tuple", Got: int64(n), Limit: maxLen}
}

// appendItems appends the members of a container that itself lies inside depth
// others.
func appendItems(b []byte, items []any, depth int) ([]byte, error) {
	if depth >= DefaultDepth {
		return b, tooDeep(DefaultDepth)
	}
	var err error
	for _, item := range items {
		if b, err = appendValue(b, item, depth+1); err != nil {
			return b, err
		}
	}
	return b, nil
}

func appendMember(b []byte, v any, depth int) ([]byte, error) {
	if depth >= DefaultDepth {
		return b, tooDeep(DefaultDepth)
	}
	return appendValue(b, v, depth+1)
}

func tooDeep(limit int) error {
	return &LimitError{What: "nesting depth", Got: int64(limit) + 1, Limit: int64(limit)}
}

// Dumpable reports whether [Append] can encode v as far as types go: it may still
// refuse invalid UTF-8 and integers that are too long. Containers nested
// deeper than 300 are not dumpable. It is rpyc.core.brine.dumpable, which
// decides whether RPyC passes a value by value or by reference.
func Dumpable(v any) bool { return dumpable(v, 0) }

func dumpable(v any, depth int) bool {
	switch v := v.(type) {
	case nil, bool, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64,
		float32, float64, complex64, complex128, string, []byte, EllipsisType, NotImplementedType:
		return true
	case *big.Int:
		return v != nil
	case Tuple:
		return allDumpable(v, depth)
	case FrozenSet:
		return allDumpable(v, depth)
	case Slice:
		return depth < DefaultDepth &&
			dumpable(v.Start, depth+1) && dumpable(v.Stop, depth+1) && dumpable(v.Step, depth+1)
	}
	return false
}

func allDumpable(items []any, depth int) bool {
	if depth >= DefaultDepth {
		return false
	}
	for _, item := range items {
		if !dumpable(item, depth+1) {
			return false
		}
	}
	return true
}
