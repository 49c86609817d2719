package exposed

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/big"
	"strings"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Timedelta is a duration that peers see as a datetime.timedelta, by reference; a plain time.Duration is a float of
// seconds to them. It never changes and has a resolution of microseconds. Given back to a Go parameter or variable of
// type time.Duration, it is one.
type Timedelta struct{ micro int64 }

// NewTimedelta makes a Timedelta; what is shorter than a microsecond is cut off.
func NewTimedelta(d time.Duration) *Timedelta { return &Timedelta{d.Microseconds()} }

// GoValue returns the time.Duration, or one as long as that can be.
func (t *Timedelta) GoValue() any {
	const most = math.MaxInt64 / 1000
	return time.Duration(min(max(t.micro, -most), most)) * time.Microsecond
}

var (
	timedeltaClass = builtin("datetime.timedelta", objectClass)
	_              = show[*Timedelta](timedeltaClass)
	_              = define(timedeltaClass, defineTimedelta)
)

const dayMicros = 24 * 3600 * 1_000_000

// parts are days, seconds and microseconds, of which only the first can be negative.
func (t *Timedelta) parts() (days, seconds, micro int64) {
	days, rest := t.micro/dayMicros, t.micro%dayMicros
	if rest < 0 {
		days, rest = days-1, rest+dayMicros
	}
	return days, rest / 1_000_000, rest % 1_000_000
}

// text is Python's str.
func (t *Timedelta) text() string {
	days, s, micro := t.parts()
	var b strings.Builder
	if days != 0 {
		fmt.Fprintf(&b, "%d day", days)
		if days != 1 && days != -1 {
			b.WriteByte('s')
		}
		b.WriteString(", ")
	}
	fmt.Fprintf(&b, "%d:%02d:%02d", s/3600, s/60%60, s%60)
	if micro != 0 {
		fmt.Fprintf(&b, ".%06d", micro)
	}
	return b.String()
}

// repr is Python's repr.
func (t *Timedelta) repr() string {
	days, seconds, micro := t.parts()
	var parts []string
	for i, n := range []int64{days, seconds, micro} {
		if n != 0 {
			parts = append(parts, fmt.Sprintf("%s=%d", [...]string{"days", "seconds", "microseconds"}[i], n))
		}
	}
	if len(parts) == 0 {
		parts = []string{"0"}
	}
	return "datetime.timedelta(" + strings.Join(parts, ", ") + ")"
}

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

// deltaOf makes a timedelta of a number of microseconds, rounded half to even as in Python.
func deltaOf(micro *big.Rat) (any, error) {
	twice := new(big.Int).Mul(micro.Num(), big.NewInt(2))
	n := twice.Div(twice.Add(twice, micro.Denom()), new(big.Int).Mul(micro.Denom(), big.NewInt(2))) // floor(x + 1/2)
	if half := new(big.Rat).SetInt(n); half.Sub(half, micro).Cmp(big.NewRat(1, 2)) == 0 && n.Bit(0) == 1 {
		n.Sub(n, big.NewInt(1))
	}
	if !n.IsInt64() {
		return nil, vinegar.OverflowError.New("Python int too large to convert to C int")
	}
	return &Timedelta{n.Int64()}, nil
}

// factor is an int or a float by which a timedelta is multiplied or divided; nil for anything else.
func factor(v any) (*big.Rat, error) {
	switch v := v.(type) {
	case bool:
		if v {
			return big.NewRat(1, 1), nil
		}
		return new(big.Rat), nil
	case int64:
		return new(big.Rat).SetInt64(v), nil
	case *big.Int:
		return new(big.Rat).SetInt(v), nil
	case float64:
		if r := new(big.Rat).SetFloat64(v); r != nil {
			return r, nil
		}
		if math.IsNaN(v) {
			return nil, vinegar.ValueError.New("cannot convert NaN to integer ratio")
		}
		return nil, vinegar.OverflowError.New("cannot convert Infinity to integer ratio")
	}
	return nil, nil
}

func defineTimedelta(c *Class) {
	method := func(name string, args int, f func(ctx context.Context, t *Timedelta, arg any) (any, error)) {
		c.method(name, args, args, func(ctx context.Context, self any, args []any) (any, error) {
			t, ok := self.(*Timedelta)
			switch {
			case !ok || t == nil:
				return nil, vinegar.TypeError.New("a timedelta is required")
			case len(args) == 0:
				return f(ctx, t, nil)
			}
			v, _ := ByValue(args[0])
			return f(ctx, t, v)
		})
	}
	plain := func(name string, f func(t *Timedelta) any) {
		method(name, 0, func(_ context.Context, t *Timedelta, _ any) (any, error) { return f(t), nil })
	}
	for i, name := range []string{"days", "seconds", "microseconds"} {
		c.getter(name, func(self any) (any, error) {
			t, ok := self.(*Timedelta)
			if !ok {
				return nil, vinegar.TypeError.New("a timedelta is required")
			}
			days, seconds, micro := t.parts()
			return [...]int64{days, seconds, micro}[i], nil
		})
	}
	plain("total_seconds", func(t *Timedelta) any { return float64(t.micro) / 1e6 })
	c.expose("days", "seconds", "microseconds", "total_seconds")
	plain("__str__", func(t *Timedelta) any { return t.text() })
	plain("__repr__", func(t *Timedelta) any { return t.repr() })
	plain("__bool__", func(t *Timedelta) any { return t.micro != 0 })
	plain("__pos__", func(t *Timedelta) any { return t })
	plain("__neg__", func(t *Timedelta) any { return &Timedelta{-t.micro} })
	plain("__abs__", func(t *Timedelta) any { return &Timedelta{max(t.micro, -t.micro)} })
	plain("__hash__", func(t *Timedelta) any {
		return pyvalue.HashOf(t.micro)
	})
	other := func(name string, f func(t, u *Timedelta) (any, error)) {
		method(name, 1, func(ctx context.Context, t *Timedelta, arg any) (any, error) {
			u, ok, err := otherDelta(ctx, arg)
			if !ok || err != nil {
				return brine.NotImplemented, err
			}
			return f(t, u)
		})
	}
	for op := range compareOps {
		other(op, func(t, u *Timedelta) (any, error) { return ordered(op, cmp.Compare(t.micro, u.micro)), nil })
	}
	sum := func(t, u *Timedelta, sign int64) (any, error) {
		n := new(big.Int).Add(big.NewInt(t.micro), new(big.Int).Mul(big.NewInt(sign), big.NewInt(u.micro)))
		return deltaOf(new(big.Rat).SetInt(n))
	}
	other("__add__", func(t, u *Timedelta) (any, error) { return sum(t, u, 1) })
	other("__radd__", func(t, u *Timedelta) (any, error) { return sum(t, u, 1) })
	other("__sub__", func(t, u *Timedelta) (any, error) { return sum(t, u, -1) })
	other("__rsub__", func(t, u *Timedelta) (any, error) { return sum(u, t, -1) })
	other("__mod__", func(t, u *Timedelta) (any, error) {
		if u.micro == 0 {
			return nil, vinegar.ZeroDivisionError.New("integer modulo by zero")
		}
		n := t.micro % u.micro
		if n != 0 && (n < 0) != (u.micro < 0) {
			n += u.micro
		}
		return &Timedelta{n}, nil
	})
	multiply := func(_ context.Context, t *Timedelta, arg any) (any, error) {
		by, err := factor(arg)
		if by == nil || err != nil {
			return brine.NotImplemented, err
		}
		return deltaOf(by.Mul(by, new(big.Rat).SetInt64(t.micro)))
	}
	method("__mul__", 1, multiply)
	method("__rmul__", 1, multiply)
	divide := func(floor bool) func(ctx context.Context, t *Timedelta, arg any) (any, error) {
		return func(ctx context.Context, t *Timedelta, arg any) (any, error) {
			u, isDelta, err := otherDelta(ctx, arg)
			if err != nil {
				return nil, err
			}
			by := new(big.Rat)
			if isDelta {
				by.SetInt64(u.micro)
			} else if by, err = factor(arg); by == nil || err != nil {
				return brine.NotImplemented, err
			}
			if _, isFloat := arg.(float64); floor && isFloat {
				return brine.NotImplemented, nil
			}
			if by.Sign() == 0 {
				text := "integer division or modulo by zero"
				if _, isFloat := arg.(float64); isFloat || isDelta && !floor {
					text = "division by zero"
				}
				return nil, vinegar.ZeroDivisionError.New(text)
			}
			q := by.Quo(new(big.Rat).SetInt64(t.micro), by)
			if floor {
				q.SetInt(new(big.Int).Div(q.Num(), q.Denom()))
			}
			switch {
			case isDelta && floor:
				return q.Num().Int64(), nil
			case isDelta:
				f, _ := q.Float64()
				return f, nil
			}
			return deltaOf(q)
		}
	}
	method("__truediv__", 1, divide(false))
	method("__floordiv__", 1, divide(true))
}
