package brine

import (
	"encoding/binary"
	"math"
	"math/big"
	"strconv"
	"unicode/utf8"
)

// maxLen is the largest length or count the format can express.
const maxLen = math.MaxUint32

// AppendNone appends None.
func AppendNone(b []byte) []byte { return append(b, tagNone) }

// AppendEllipsis appends Ellipsis.
func AppendEllipsis(b []byte) []byte { return append(b, tagEllipsis) }

// AppendNotImplemented appends NotImplemented.
func AppendNotImplemented(b []byte) []byte { return append(b, tagNotImplemented) }

// AppendBool appends True or False.
func AppendBool(b []byte, v bool) []byte {
	if v {
		return append(b, tagTrue)
	}
	return append(b, tagFalse)
}

// AppendInt appends an integer.
func AppendInt(b []byte, v int64) []byte {
	if v >= minImmInt && v <= maxImmInt {
		return append(b, byte(v+tagIntZero))
	}
	start := len(b)
	b = append(b, tagIntL1, 0)
	b = strconv.AppendInt(b, v, 10)
	b[start+1] = byte(len(b) - start - 2)
	return b
}

// AppendUint appends an integer.
func AppendUint(b []byte, v uint64) []byte {
	if v <= math.MaxInt64 {
		return AppendInt(b, int64(v))
	}
	start := len(b)
	b = append(b, tagIntL1, 0)
	b = strconv.AppendUint(b, v, 10)
	b[start+1] = byte(len(b) - start - 2)
	return b
}

// AppendBigInt appends an integer of any size up to 4300 digits; a longer one is
// a [*LimitError], because no current CPython would read it. A nil v is an
// [*UnsupportedTypeError]. On error b is returned unchanged.
func AppendBigInt(b []byte, v *big.Int) ([]byte, error) {
	if v == nil {
		return b, unsupported(v)
	}
	if v.IsInt64() {
		return AppendInt(b, v.Int64()), nil
	}
	// Every four bits beyond the limit hold more than a digit: refuse before
	// doing the conversion, whose cost grows faster than the number.
	if v.BitLen() > 4*DefaultDigits {
		return b, &LimitError{What: "digits of an integer", Got: int64(float64(v.BitLen()) * math.Log10(2)),
			Limit: DefaultDigits}
	}
	const header = 5
	start := len(b)
	out := v.Append(append(b, tagIntL4, 0, 0, 0, 0), 10)
	n := len(out) - start - header
	digits := n
	if v.Sign() < 0 {
		digits--
	}
	switch {
	case digits > DefaultDigits:
		return b, &LimitError{What: "digits of an integer", Got: int64(digits), Limit: DefaultDigits}
	case n <= math.MaxUint8:
		out[start], out[start+1] = tagIntL1, byte(n)
		copy(out[start+2:], out[start+header:])
		return out[:start+2+n], nil
	}
	binary.BigEndian.PutUint32(out[start+1:], uint32(n))
	return out, nil
}

// AppendFloat appends a float. Every bit of v survives, those of a NaN too.
func AppendFloat(b []byte, v float64) []byte {
	return binary.BigEndian.AppendUint64(append(b, tagFloat), math.Float64bits(v))
}

// AppendComplex appends a complex number.
func AppendComplex(b []byte, v complex128) []byte {
	b = binary.BigEndian.AppendUint64(append(b, tagComplex), math.Float64bits(real(v)))
	return binary.BigEndian.AppendUint64(b, math.Float64bits(imag(v)))
}

// AppendString appends text. If s is not valid UTF-8 the error wraps
// [ErrInvalidUTF8]; if it is longer than 2³²−1 bytes it is a [*LimitError]. On
// error b is returned unchanged.
func AppendString(b []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return b, &encodeError{ErrInvalidUTF8}
	}
	if uint64(len(s)) > maxLen {
		return b, tooLong(len(s))
	}
	return append(AppendBytesHeader(append(b, tagString), len(s)), s...), nil
}

// AppendBytes appends a bytes object. It panics if p is longer than 2³²−1
// bytes, which no frame could carry.
func AppendBytes(b, p []byte) []byte {
	return append(AppendBytesHeader(b, len(p)), p...)
}

// AppendBytesHeader starts a bytes object: its n bytes must be appended next. It panics if n is negative or above
// 2³²−1.
func AppendBytesHeader(b []byte, n int) []byte {
	switch {
	case n < 0 || uint64(n) > maxLen:
		panic("brine: length of a byte string out of range")
	case n == 0:
		return append(b, tagEmptyBytes)
	case n <= 4:
		return append(b, byte(tagBytes1-1+n))
	case n <= math.MaxUint8:
		return append(b, tagBytesL1, byte(n))
	}
	return binary.BigEndian.AppendUint32(append(b, tagBytesL4), uint32(n))
}

// AppendTupleHeader starts a tuple: the n items must be appended next. It panics
// if n is negative or above 2³²−1.
func AppendTupleHeader(b []byte, n int) []byte {
	switch {
	case n == 0:
		return append(b, tagEmptyTuple)
	case n < 0 || uint64(n) > maxLen:
		panic("brine: tuple length out of range")
	case n <= 4:
		return append(b, byte(tagTuple1-1+n))
	case n <= math.MaxUint8:
		return append(b, tagTupleL1, byte(n))
	}
	return binary.BigEndian.AppendUint32(append(b, tagTupleL4), uint32(n))
}

// AppendFrozenSetHeader starts a frozenset: the n members must be appended
// next. It panics if n is negative or above 2³²−1.
func AppendFrozenSetHeader(b []byte, n int) []byte {
	return AppendTupleHeader(append(b, tagFrozenSet), n)
}

// AppendSliceHeader starts a slice: start, stop and step must be appended next.
func AppendSliceHeader(b []byte) []byte { return append(b, tagSlice, tagTuple3) }
