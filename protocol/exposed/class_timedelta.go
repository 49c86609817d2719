package exposed

import (
	"cmp"
	"context"
	"math"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/names"
)

// Timedelta is a duration that peers see as a datetime.timedelta, by reference; a plain time.Duration is a float of
// seconds to them. It never changes and has a resolution of microseconds. Given back to a Go parameter or variable of
// type time.Duration, it is one.
type Timedelta struct{ d pyvalue.Timedelta }

// NewTimedelta makes a Timedelta; what is shorter than a microsecond is cut off.
func NewTimedelta(d time.Duration) *Timedelta { return &Timedelta{pyvalue.Timedelta(d.Microseconds())} }

// GoValue returns the time.Duration, or one as long as that can be.
func (t *Timedelta) GoValue() any {
	const most = math.MaxInt64 / 1000
	return time.Duration(min(max(t.d, -most), most)) * time.Microsecond
}

var (
	timedeltaClass = builtin("datetime.timedelta", objectClass)
	_              = show[*Timedelta](timedeltaClass)
	_              = define(timedeltaClass, defineTimedelta)
)

// otherDelta is an operand that is a timedelta, of ours or the peer's.
func otherDelta(ctx context.Context, v any) (*Timedelta, bool, error) {
	switch v := v.(type) {
	case *Timedelta:
		return v, v != nil, nil
	case *netref.Object:
		if v.ClassName() == timedeltaClass.Name() {
			d, err := netref.As[time.Duration](ctx, v)
			return NewTimedelta(d), err == nil, err
		}
	}
	return nil, false, nil
}

// asDelta makes an object of what arithmetic has come to, if that is a timedelta.
func asDelta[T any](v T, err error) (any, error) {
	if d, ok := any(v).(pyvalue.Timedelta); ok && err == nil {
		return &Timedelta{d}, nil
	}
	return raised[any](v, err)
}

func defineTimedelta(class *Class) {
	c := typed[pyvalue.Timedelta]{class, func(self any) (d pyvalue.Timedelta, ok bool) {
		t, ok := self.(*Timedelta)
		if ok = ok && t != nil; ok {
			d = t.d
		}
		return d, ok
	}}
	for i, name := range []string{"days", "seconds", "microseconds"} {
		c.getter(name, func(d pyvalue.Timedelta) any {
			days, seconds, micro := d.Parts()
			return [...]int64{days, seconds, micro}[i]
		})
	}
	c.says("total_seconds", func(d pyvalue.Timedelta) any { return float64(d) / 1e6 })
	c.expose("days", "seconds", "microseconds", "total_seconds")
	c.says("__str__", func(d pyvalue.Timedelta) any { return d.String() })
	c.says("__repr__", func(d pyvalue.Timedelta) any { return d.Repr() })
	c.says("__bool__", func(d pyvalue.Timedelta) any { return d != 0 })
	c.says("__pos__", func(d pyvalue.Timedelta) any { return &Timedelta{d} })
	c.says("__neg__", func(d pyvalue.Timedelta) any { return &Timedelta{-d} })
	c.says("__abs__", func(d pyvalue.Timedelta) any { return &Timedelta{max(d, -d)} })
	c.says("__hash__", func(d pyvalue.Timedelta) any { return pyvalue.HashOf(int64(d)) })
	other := func(name string, f func(d, u pyvalue.Timedelta) (any, error)) {
		c.method(name, 1, 1, func(ctx context.Context, d pyvalue.Timedelta, _ any, args []any) (any, error) {
			u, ok, err := otherDelta(ctx, norm(args[0]))
			if !ok || err != nil {
				return brine.NotImplemented, err
			}
			return f(d, u.d)
		})
	}
	for op := range names.Comparisons {
		other(op, func(d, u pyvalue.Timedelta) (any, error) { return ordered(op, cmp.Compare(d, u)), nil })
	}
	other("__add__", func(d, u pyvalue.Timedelta) (any, error) { return asDelta(d.Add(u)) })
	other("__radd__", func(d, u pyvalue.Timedelta) (any, error) { return asDelta(d.Add(u)) })
	other("__sub__", func(d, u pyvalue.Timedelta) (any, error) { return asDelta(d.Sub(u)) })
	other("__rsub__", func(d, u pyvalue.Timedelta) (any, error) { return asDelta(u.Sub(d)) })
	other("__mod__", func(d, u pyvalue.Timedelta) (any, error) { return asDelta(d.Mod(u)) })
	for _, name := range []string{"__mul__", "__rmul__"} {
		c.method(name, 1, 1, func(_ context.Context, d pyvalue.Timedelta, _ any, args []any) (any, error) {
			return asDelta(d.Mul(norm(args[0])))
		})
	}
	for _, name := range []string{"__truediv__", "__floordiv__"} {
		c.method(name, 1, 1, func(ctx context.Context, d pyvalue.Timedelta, _ any, args []any) (any, error) {
			v := norm(args[0])
			u, isDelta, err := otherDelta(ctx, v)
			if err != nil {
				return nil, err
			}
			if isDelta {
				v = u.d
			}
			return asDelta(d.Div(v, name == "__floordiv__"))
		})
	}
}
