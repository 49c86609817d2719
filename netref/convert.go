package netref

import (
	"context"
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
)

// Valuer is implemented by local objects that stand for a Go value of another type, so that one that comes back from
// the peer can be converted like the value.
type Valuer interface {
	// GoValue returns the value stood for, or an error that says why there is none.
	GoValue() any
}

var (
	anyType      = reflect.TypeFor[any]()
	objectType   = reflect.TypeFor[*Object]()
	tupleType    = reflect.TypeFor[brine.Tuple]()
	bigIntType   = reflect.TypeFor[*big.Int]()
	durationType = reflect.TypeFor[time.Duration]()
)

// Assign converts v, a value as received from a peer, to dst's type and stores it there. dst must be settable; after an
// error it may be filled in part.
//
//	from the peer                to
//	any value                    an interface it implements, any
//	None                         nil of a pointer, interface, slice, map or func; otherwise an error
//	bool, int                    integer kinds (range checked), *big.Int, *big.Rat, *big.Float, float and complex kinds
//	float                        float and complex kinds, *big.Rat and *big.Float (exactly); time.Duration (seconds)
//	str                          string kinds; types with an UnmarshalText method, time.Time
//	bytes                        []byte kinds
//	tuple                        slices and arrays item by item, brine.Tuple; a struct, field by field in their order
//	frozenset                    the same but for structs; map[T]struct{} and map[T]bool
//	remote list, set, iterable   slices and arrays; map[T]struct{}; a set also map[T]bool; iter.Seq[T] and
//	                             iter.Seq2[T, error], item by item as they are ranged over
//	remote dict, mapping         maps; a struct, from the items: what has keys(), as dict() takes it
//	remote object                *Object; a struct, from its attributes, or its items if it lacks them; a func, which calls it
//	datetime, date, timedelta    time.Time (UTC if it says no zone), time.Duration; numpy's and pandas', too
//	objects with __index__       integer kinds and *big.Int: members of IntEnum, numpy's integers
//	objects with __float__       float kinds: Decimal, Fraction, numpy's floats; otherwise by __index__
//	objects with __complex__     complex kinds: numpy's complex numbers; if the peer keeps the method from us, an error
//	objects with a str()         types with an UnmarshalText method: Decimal to *big.Float, UUID, IPv4Address …
//	subclasses of str            string kinds: numpy.str_, members of StrEnum
//	numpy's arrays, pandas'      slices; a structured array and a DataFrame also slices of structs or maps, row by row;
//	Series and DataFrame         a Series also a map or a struct, by its index
//	pandas' NA and NaT           nil of a pointer, as are numpy's masked, and NaN unless the pointer is to a float
//	file-like objects            io.Reader, io.Writer, io.Closer, io.Seeker and their combinations: see [File]
//	exceptions and their classes error, *vinegar.Error: with the peer's text, and the arguments as far as it tells them
//	any of these                 a pointer to what takes it
//	object of ours come back     its own type, or as the value it stands for ([Valuer]); otherwise what an object of the
//	                             peer's of the same kind would be converted to
//
// The fields of a struct are looked for under the name in their tag `rpyc:"name"`, or [PythonName] of their own. All of
// them must be there, and be readable for us, but those tagged `rpyc:",optional"`, which keep their zero value.
//
// What has to be asked of the peer for a value nested in others is asked for together: a list takes one round trip, a
// dict two, a list of dicts three, whatever their size; but no more than 512 requests are under way at a time, and a
// dict takes one for each item unless the peer lets us call items(). Where the peer allows pickles (allow_pickle, as
// classic servers do; elsewhere it is found out for lists and dicts of more than 1,000 objects), long lists of
// containers go over as pickles of about a MiB, and numpy's arrays and long dicts as one, with the same result. Each of
// them is bounded by the connection's default timeout if ctx has no deadline.
//
// ctx is for what has to be asked of the peer, and for calls of funcs that take no context of their own.
func Assign(ctx context.Context, dst reflect.Value, v any) error {
	v = byteText(ctx, dst.Type(), v)
	if done, err := assignValue(dst, v); done {
		return err
	}
	c := conversion{ctx: ctx}
	return c.convert(dst, v)
}

// assignValue converts a value that is neither the peer's object nor contains others. It reports whether v is one.
func assignValue(dst reflect.Value, v any) (done bool, err error) {
	done, err = pyvalue.Set(dst, v)
	return done, fitted(err)
}

// byteText returns v, or the text that it is if it is bytes of a peer on Python 2 and t takes text.
func byteText(ctx context.Context, t reflect.Type, v any) any {
	if b, ok := v.([]byte); ok && (t.Kind() == reflect.String || pyvalue.TakesText(t)) &&
		ctx.Value(byteTexts{}) != nil && utf8.Valid(b) {
		return string(b)
	}
	return v
}

type byteTexts struct{}

// WithByteTexts returns a context for conversions of what a peer on Python 2 sends, where texts are bytes: those that
// hold UTF-8 do as text.
func WithByteTexts(ctx context.Context) context.Context {
	return context.WithValue(ctx, byteTexts{}, true)
}

// IsByteTexts reports whether key is the one by which conversions ask a context if it is for what Python 2 sends. It is
// for implementations of context.Context that answer what [WithByteTexts] would.
func IsByteTexts(key any) bool { return key == byteTexts{} }

// fitted makes a ConvertError of a pyvalue.FitError. Other errors are left alone.
func fitted(err error) error {
	if e, ok := err.(*pyvalue.FitError); ok {
		return notFit(e.Value, e.To, e.Reason)
	}
	return err
}

// AssignRaw converts the value the cursor stands before, which is in brine's encoding and has been checked by
// Cursor.Skip, as [Assign] would convert its decoded form. Numbers, texts and tuples of them go straight into dst.
func AssignRaw(ctx context.Context, dst reflect.Value, c *brine.Cursor) error {
	if done, err := pyvalue.SetEncoded(dst, c); done {
		return fitted(err)
	}
	if dst.Kind() == reflect.Slice && c.Kind() == brine.KindTuple && dst.Type() != tupleType {
		return assignRawItems(ctx, dst, c)
	}
	v, err := c.Value()
	if err != nil {
		return err
	}
	return Assign(ctx, dst, v)
}

func assignRawItems(ctx context.Context, dst reflect.Value, c *brine.Cursor) error {
	n, err := c.Tuple()
	if err != nil {
		return err
	}
	s := reflect.MakeSlice(dst.Type(), n, n)
	for i := range n {
		if err := AssignRaw(ctx, s.Index(i), c); err != nil {
			return within(err, step{i: i}.String())
		}
	}
	dst.Set(s)
	return nil
}

// typeName gives the Python type of a received value.
func typeName(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case *Object:
		return strings.TrimPrefix(v.ClassName(), "builtins.")
	case interface{ ClassName() string }: // of a pickle
		return strings.TrimPrefix(v.ClassName(), "builtins.")
	case []any:
		return "list"
	case time.Time:
		return "datetime.datetime"
	case time.Duration:
		return "datetime.timedelta"
	case *big.Rat:
		return "fractions.Fraction"
	}
	if name := pyvalue.TypeName(v); name != "" {
		return name
	}
	return fmt.Sprintf("Go %T", v)
}
