package pickle

import (
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"strconv"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
)

var errYear = errors.New("cannot pickle a time of a year that Python does not have")

// datetime writes a time: without a zone if it is [Naive], otherwise with its offset from UTC. Python 2 has no zones,
// so protocol 2 writes UTC without saying so.
func (w *writer) datetime(t time.Time) error {
	naive := t.Location() == Naive
	if !naive && w.protocol < 3 {
		t, naive = t.UTC(), true
	}
	_, offset := t.Zone()
	year := t.Year()
	if year < 1 || year > 9999 {
		return fmt.Errorf("%w: %d", errYear, year)
	}
	us := t.Nanosecond() / 1000
	state := []byte{byte(year >> 8), byte(year), byte(t.Month()), byte(t.Day()), byte(t.Hour()), byte(t.Minute()),
		byte(t.Second()),
		byte(us >> 16), byte(us >> 8), byte(us)}
	if naive {
		return w.call("datetime", "datetime", state)
	}
	return w.call("datetime", "datetime", state, zone{offset})
}

// zone is a fixed offset from UTC in seconds.
type zone struct{ offset int }

// timedelta writes a duration, cut to microseconds.
func (w *writer) timedelta(d time.Duration) error {
	us := int64(d / time.Microsecond)
	const day = 86400 * 1e6
	days := us / day
	if us %= day; us < 0 {
		us += day
		days--
	}
	return w.call("datetime", "timedelta", days, us/1e6, us%1e6)
}

func (w *writer) clock(c Clock) error {
	state := []byte{byte(c.Hour), byte(c.Minute), byte(c.Second), byte(c.Microsecond >> 16), byte(c.Microsecond >> 8),
		byte(c.Microsecond)}
	if c.Zone == nil || w.protocol < 3 {
		return w.call("datetime", "time", state)
	}
	_, offset := time.Date(2000, 1, 1, c.Hour, c.Minute, c.Second, 0, c.Zone).Zone()
	return w.call("datetime", "time", state, zone{offset})
}

func (w *writer) uuid(u UUID) error {
	return w.call("uuid", "UUID", fmt.Sprintf("%x", u[:]))
}

func (w *writer) fraction(r *big.Rat) error {
	return w.call("fractions", "Fraction", r.Num(), r.Denom())
}

// array writes a numpy array as ndarray(shape, dtype, buffer): in one piece, and writable at the other end. One with a
// mask is ma.MaskedArray(array, mask).
func (w *writer) array(a *Array) error {
	if a.Objects != nil {
		return &UnsupportedTypeError{Type: reflect.TypeFor[*Array]()}
	}
	a = a.rowMajor()
	if a.Mask != nil {
		plain := *a
		plain.Mask = nil
		return w.call("numpy.ma", "MaskedArray", &plain, &Array{DType: "|b1", Shape: a.Shape, Data: a.Mask})
	}
	var data any = ByteArray(a.Data)
	if len(a.Data) == 0 {
		data = nil
	}
	return w.call("numpy", "ndarray", tupleOf(a.Shape), element(&Layout{DType: a.DType, Fields: a.Fields}), data)
}

// record writes an element of a structured array, as array[()] of one without dimensions.
func (w *writer) record(r *Record) error {
	return w.call("operator", "getitem", r.array(), brine.Tuple{})
}

func tupleOf(shape []int) brine.Tuple {
	t := make(brine.Tuple, len(shape))
	for i, n := range shape {
		t[i] = int64(n)
	}
	return t
}

// element is what numpy.dtype makes the element type of.
func element(l *Layout) any {
	var d any = l.DType
	if l.Fields != nil {
		names, formats, offsets := make([]any, len(l.Fields)), make([]any, len(l.Fields)), make([]any, len(l.Fields))
		for i := range l.Fields {
			f := &l.Fields[i]
			names[i], formats[i], offsets[i] = f.Name, element(&f.Layout), f.Offset
		}
		dict := new(Dict)
		size, _ := DType(l.DType).size()
		for _, kv := range []netref.Keyword{{Name: "names", Value: names}, {Name: "formats", Value: formats},
			{Name: "offsets", Value: offsets}, {Name: "itemsize", Value: size}} {
			_ = dict.Set(kv.Name, kv.Value) // a text is always hashable
		}
		d = dict
	}
	if l.Shape != nil {
		return brine.Tuple{d, tupleOf(l.Shape)}
	}
	return d
}

func decimal(d Decimal) error {
	s := string(d)
	if s == "" || len(s) > 1<<20 {
		return errors.New("cannot pickle a Decimal that is no number")
	}
	if _, err := strconv.ParseFloat(s, 64); err != nil && !errors.Is(err, strconv.ErrRange) && len(s) > 40 {
		return fmt.Errorf("cannot pickle the Decimal %.40q", s)
	}
	return nil
}
