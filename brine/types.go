package brine

// Tuple is a Python tuple. A nil Tuple is the empty tuple.
type Tuple []any

// FrozenSet is a Python frozenset. Decoded sets hold no two members that Python
// calls equal, in the order in which they arrived. Encoding writes the members
// as they are; the receiver drops duplicates. Order carries no meaning.
type FrozenSet []any

// Slice is a Python slice object. The three members may be any brinable
// values, commonly int64 or nil.
type Slice struct{ Start, Stop, Step any }

// EllipsisType is the type of [Ellipsis].
type EllipsisType struct{}

// NotImplementedType is the type of [NotImplemented].
type NotImplementedType struct{}

// Type is one of the Python classes that rpyc-ng 7.0.13 and later send by value, by its name: NoneType, int, bool,
// float, bytes, str, complex, NotImplementedType or ellipsis. It is read if [Cursor.SetTypes] says so, and never
// written: older releases do not understand it, and all take a reference to the class.
type Type string

// String returns "<class 'int'>" and so on, as Python's repr does.
func (t Type) String() string { return "<class '" + string(t) + "'>" }

const (
	tagNoneType  = 0x1c // … 0x1f
	tagBytesType = 0xf0 // … 0xf4
)

// typeOf returns the class that a tag stands for, "" if it is none.
func typeOf(tag byte) Type {
	switch {
	case tag >= tagNoneType && tag < tagIntMin:
		return [...]Type{"NoneType", "int", "bool", "float"}[tag-tagNoneType]
	case tag >= tagBytesType && tag < tagBytesType+5:
		return [...]Type{"bytes", "str", "complex", "NotImplementedType", "ellipsis"}[tag-tagBytesType]
	}
	return ""
}

var (
	// Ellipsis is Python's Ellipsis, written "...". Compare with ==.
	Ellipsis EllipsisType
	// NotImplemented is Python's NotImplemented, which comparison methods
	// return when they cannot tell. Compare with ==.
	NotImplemented NotImplementedType
)

// String returns "Ellipsis", as Python's repr does.
func (EllipsisType) String() string { return "Ellipsis" }

// String returns "NotImplemented", as Python's repr does.
func (NotImplementedType) String() string { return "NotImplemented" }

// Boxed values that hold no data are made once: a peer that sends a million
// empty tuples in a megabyte must not cost a million allocations.
var (
	boxedTuple     any = Tuple{}
	boxedBytes     any = []byte{}
	boxedFrozenSet any = FrozenSet{}
)
