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
