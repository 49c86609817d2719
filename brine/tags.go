package brine

// Tag bytes. Tags 07, 1c–1f and f0–ff are unassigned, except that rpyc-ng has
// classes of its own there (see typeOf); 20–ef are the integers −48 … 159 in
// one byte.
const (
	tagNone           = 0x00
	tagEmptyBytes     = 0x01
	tagEmptyTuple     = 0x02
	tagTrue           = 0x03
	tagFalse          = 0x04
	tagNotImplemented = 0x05
	tagEllipsis       = 0x06
	tagString         = 0x08 // a byte string value follows, holding UTF-8
	tagLong           = 0x09 // any value int() takes follows; Python 2 only
	tagBytes1         = 0x0a // … 0x0d: 1 to 4 bytes follow
	tagBytes4         = 0x0d
	tagBytesL1        = 0x0e // uint8 length
	tagBytesL4        = 0x0f // uint32 length
	tagTuple1         = 0x10 // … 0x13: 1 to 4 values follow
	tagTuple2         = 0x11
	tagTuple3         = 0x12
	tagTuple4         = 0x13
	tagTupleL1        = 0x14 // uint8 count
	tagTupleL4        = 0x15 // uint32 count
	tagIntL1          = 0x16 // uint8 length, decimal text
	tagIntL4          = 0x17 // uint32 length, decimal text
	tagFloat          = 0x18 // 8 bytes
	tagSlice          = 0x19 // an iterable value of three items follows
	tagFrozenSet      = 0x1a // an iterable value follows
	tagComplex        = 0x1b // 16 bytes
	tagIntMin         = 0x20
	tagIntMax         = 0xef

	tagIntZero = 0x50 // the tag of the integer 0
	minImmInt  = tagIntMin - tagIntZero
	maxImmInt  = tagIntMax - tagIntZero
)

// Kind classifies an encoded value by the Python type it decodes to.
type Kind uint8

// The kinds of value. KindInvalid stands for the end of the data and for
// tags that are not assigned.
const (
	KindInvalid Kind = iota
	KindNone
	KindBool
	KindInt
	KindFloat
	KindComplex
	KindString
	KindBytes
	KindTuple
	KindSlice
	KindFrozenSet
	KindEllipsis
	KindNotImplemented
	KindType
	KindCoded // of a codec that a program has registered
)

var kindNames = [...]string{
	"invalid", "None", "bool", "int", "float", "complex", "str", "bytes",
	"tuple", "slice", "frozenset", "Ellipsis", "NotImplemented", "type", "coded",
}

// String returns the name Python users know: "str", "int", "frozenset", …
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "invalid"
}

// kinds maps a tag byte to the kind of the value it starts.
var kinds = func() (k [256]Kind) {
	k[tagNone] = KindNone
	k[tagEmptyBytes] = KindBytes
	k[tagEmptyTuple] = KindTuple
	k[tagTrue], k[tagFalse] = KindBool, KindBool
	k[tagNotImplemented] = KindNotImplemented
	k[tagEllipsis] = KindEllipsis
	k[tagString] = KindString
	k[tagLong] = KindInt
	for t := tagBytes1; t <= tagBytesL4; t++ {
		k[t] = KindBytes
	}
	for t := tagTuple1; t <= tagTupleL4; t++ {
		k[t] = KindTuple
	}
	k[tagIntL1], k[tagIntL4] = KindInt, KindInt
	k[tagFloat] = KindFloat
	k[tagSlice] = KindSlice
	k[tagFrozenSet] = KindFrozenSet
	k[tagComplex] = KindComplex
	for t := tagIntMin; t <= tagIntMax; t++ {
		k[t] = KindInt
	}
	return k
}()
