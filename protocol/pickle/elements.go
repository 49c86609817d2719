package pickle

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// slice decodes all elements. It is an error that matches ErrArray if Go has no type for them.
func (a *Array) slice() (any, error) {
	c := a.rowMajor()
	if a.DType == "|O" {
		return c.Objects, nil
	}
	if a.Fields != nil {
		return c.records()
	}
	if len(a.DType) < 3 {
		return nil, a.unknown()
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if a.DType[0] == '>' {
		order = binary.BigEndian
	}
	n := a.Len()
	switch kind := a.DType[1:]; kind {
	case "b1":
		xs := make([]bool, len(c.Data))
		for i, b := range c.Data {
			xs[i] = b != 0
		}
		return xs, nil
	case "i1":
		return decode[int8](c, n, order)
	case "i2":
		return decode[int16](c, n, order)
	case "i4":
		return decode[int32](c, n, order)
	case "i8":
		return decode[int64](c, n, order)
	case "u1":
		return bytes.Clone(c.Data), nil
	case "u2":
		return decode[uint16](c, n, order)
	case "u4":
		return decode[uint32](c, n, order)
	case "u8":
		return decode[uint64](c, n, order)
	case "f2":
		return c.halves(n, order)
	case "f4":
		return decode[float32](c, n, order)
	case "f8":
		return decode[float64](c, n, order)
	case "c8":
		return decode[complex64](c, n, order)
	case "c16":
		return decode[complex128](c, n, order)
	default:
		return c.other(kind, n, order)
	}
}

// unknown is the error for elements that Go has no type for.
func (a *Array) unknown() error { return fmt.Errorf("%w: Go has no type for %s", ErrArray, a.DType) }

func decode[T any](a *Array, n int, order binary.ByteOrder) (any, error) {
	xs := make([]T, n)
	if _, err := binary.Decode(a.Data, order, xs); err != nil {
		return nil, a.unknown()
	}
	return xs, nil
}

// halves are floats of 16 bits: a sign, 5 bits of exponent and 10 of the fraction.
func (a *Array) halves(n int, order binary.ByteOrder) (any, error) {
	if len(a.Data) != 2*n {
		return nil, a.unknown()
	}
	xs := make([]float32, n)
	for i := range xs {
		h := order.Uint16(a.Data[2*i:])
		exponent, fraction := int(h>>10&31), float64(h&1023)
		switch {
		case exponent == 31 && fraction != 0:
			xs[i] = float32(math.NaN())
			continue
		case exponent == 31:
			fraction = math.Inf(1)
		case exponent == 0:
			fraction = math.Ldexp(fraction, -24)
		default:
			fraction = math.Ldexp(1024+fraction, exponent-25)
		}
		if h>>15 != 0 {
			fraction = -fraction
		}
		xs[i] = float32(fraction)
	}
	return xs, nil
}

// other decodes dates, differences of dates, text and bytes.
func (a *Array) other(kind string, n int, order binary.ByteOrder) (any, error) {
	if unit, ok := strings.CutPrefix(kind, "M8"); ok {
		return a.dates(unit, n, order)
	}
	if unit, ok := strings.CutPrefix(kind, "m8"); ok {
		return a.durations(unit, n, order)
	}
	width, err := strconv.Atoi(kind[1:])
	if err != nil || n > 0 && len(a.Data)%n != 0 {
		return nil, a.unknown()
	}
	size := 0
	if n > 0 {
		size = len(a.Data) / n
	}
	switch {
	case kind[0] == 'U' && (width*4 == size || n == 0):
		texts := make([]string, n)
		for i := range texts {
			runes := make([]rune, 0, width)
			for p := a.Data[i*size : (i+1)*size]; len(p) > 0; p = p[4:] {
				runes = append(runes, rune(order.Uint32(p)))
			}
			texts[i] = strings.TrimRight(string(runes), "\x00")
		}
		return texts, nil
	case kind[0] == 'S' && (width == size || n == 0):
		strs := make([][]byte, n)
		for i := range strs {
			strs[i] = bytes.TrimRight(a.Data[i*size:(i+1)*size], "\x00")
		}
		return strs, nil
	}
	return nil, a.unknown()
}

// unit is a unit of numpy's dates and differences: a number of nanoseconds, of months, or of parts of a nanosecond.
type unit struct{ ns, months, parts int64 }

var units = map[string]unit{
	"as": {parts: 1e9}, "fs": {parts: 1e6}, "ps": {parts: 1e3}, "ns": {ns: 1}, "us": {ns: 1e3}, "ms": {ns: 1e6},
	"s": {ns: 1e9}, "m": {ns: 60e9}, "h": {ns: 3600e9}, "D": {ns: 86400e9}, "W": {ns: 7 * 86400e9}, "M": {months: 1},
	"Y": {months: 12},
}

// unitOf reads a unit, which may be a multiple of one, such as "[ns]" or "[15m]".
func unitOf(text string) (u unit, times int64, ok bool) {
	name, ok1 := strings.CutPrefix(text, "[")
	name, ok2 := strings.CutSuffix(name, "]")
	digits := name[:len(name)-len(strings.TrimLeft(name, "0123456789"))]
	times = 1
	if digits != "" {
		var err error
		if times, err = strconv.ParseInt(digits, 10, 32); err != nil {
			return unit{}, 0, false
		}
	}
	u, known := units[name[len(digits):]]
	return u, times, ok1 && ok2 && known && times > 0
}

// notATime is numpy's NaT.
const notATime = math.MinInt64

// dates are in UTC; NaT is the zero time.
func (a *Array) dates(text string, n int, order binary.ByteOrder) (any, error) {
	u, times, ok := unitOf(text)
	if !ok || len(a.Data) != 8*n {
		return nil, a.unknown()
	}
	ts := make([]time.Time, n)
	for i := range ts {
		v := int64(order.Uint64(a.Data[i*8:]))
		if v == notATime {
			continue
		}
		if ts[i], ok = u.date(v, times); !ok {
			return nil, fmt.Errorf("%w: %s has a date that no time.Time can hold", ErrArray, a.DType)
		}
	}
	return ts, nil
}

// maxSeconds is far from where time.Time's arithmetic overflows.
const maxSeconds = 1 << 55

// date is v times a number of units after the beginning of 1970; not ok if that is too far away or between nanoseconds.
func (u unit) date(v, times int64) (t time.Time, ok bool) {
	if v > math.MaxInt64/times || v < math.MinInt64/times {
		return t, false
	}
	v *= times
	switch {
	case u.months > 0:
		if v > 1e6 || v < -1e6 {
			return t, false
		}
		return time.Date(1970, time.Month(1+v*u.months), 1, 0, 0, 0, 0, time.UTC), true
	case u.parts > 0:
		return time.Unix(0, v/u.parts).UTC(), v%u.parts == 0
	case u.ns < 1e9:
		per := 1e9 / u.ns
		return time.Unix(v/per, v%per*u.ns).UTC(), true
	}
	seconds := u.ns / 1e9
	if v > maxSeconds/seconds || v < -maxSeconds/seconds {
		return t, false
	}
	return time.Unix(v*seconds, 0).UTC(), true
}

// durations are of any if one is NaT, which is None.
func (a *Array) durations(text string, n int, order binary.ByteOrder) (any, error) {
	u, times, ok := unitOf(text)
	if !ok || u.months > 0 || len(a.Data) != 8*n {
		return nil, a.unknown()
	}
	ds, all := make([]time.Duration, n), make([]any, n)
	none := false
	for i := range ds {
		v := int64(order.Uint64(a.Data[i*8:]))
		if v == notATime {
			none = true
			continue
		}
		switch ns := u.ns * times; {
		case u.parts > 0:
			ok = v < math.MaxInt64/times && v > math.MinInt64/times && v*times%u.parts == 0
			ds[i] = time.Duration(v * times / u.parts)
		default:
			ok = ns/times == u.ns && v <= math.MaxInt64/ns && v >= math.MinInt64/ns
			ds[i] = time.Duration(v * ns)
		}
		if !ok {
			return nil, fmt.Errorf("%w: %s has a difference that no time.Duration can hold", ErrArray, a.DType)
		}
		all[i] = ds[i]
	}
	if none {
		return all, nil
	}
	return ds, nil
}
