package pyvalue

import (
	"fmt"
	"math"
	"math/big"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
)

// Timedelta is a datetime.timedelta, in microseconds.
type Timedelta int64

// Day is timedelta(days=1).
const Day Timedelta = 24 * 3600 * 1_000_000

// Parts are days, seconds and microseconds, of which only the first can be negative.
func (d Timedelta) Parts() (days, seconds, micro int64) {
	days, rest := int64(d/Day), int64(d%Day)
	if rest < 0 {
		days, rest = days-1, rest+int64(Day)
	}
	return days, rest / 1_000_000, rest % 1_000_000
}

// String is Python's str.
func (d Timedelta) String() string {
	days, s, micro := d.Parts()
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

// Repr is Python's repr.
func (d Timedelta) Repr() string {
	days, seconds, micro := d.Parts()
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

// timedeltaOf makes a timedelta of a number of microseconds, rounded half to even as in Python.
func timedeltaOf(micro *big.Rat) (Timedelta, error) {
	twice := new(big.Int).Mul(micro.Num(), big.NewInt(2))
	n := twice.Div(twice.Add(twice, micro.Denom()), new(big.Int).Mul(micro.Denom(), big.NewInt(2))) // floor(x + 1/2)
	if half := new(big.Rat).SetInt(n); half.Sub(half, micro).Cmp(big.NewRat(1, 2)) == 0 && n.Bit(0) == 1 {
		n.Sub(n, big.NewInt(1))
	}
	if !n.IsInt64() {
		return 0, raise("OverflowError", "Python int too large to convert to C int")
	}
	return Timedelta(n.Int64()), nil
}

func (d Timedelta) rat() *big.Rat { return new(big.Rat).SetInt64(int64(d)) }

// Add is d + u.
func (d Timedelta) Add(u Timedelta) (Timedelta, error) {
	return timedeltaOf(new(big.Rat).Add(d.rat(), u.rat()))
}

// Sub is d - u.
func (d Timedelta) Sub(u Timedelta) (Timedelta, error) {
	return timedeltaOf(new(big.Rat).Sub(d.rat(), u.rat()))
}

// Mod is d % u.
func (d Timedelta) Mod(u Timedelta) (Timedelta, error) {
	if u == 0 {
		return 0, raise("ZeroDivisionError", "integer modulo by zero")
	}
	n := d % u
	if n != 0 && (n < 0) != (u < 0) {
		n += u
	}
	return n, nil
}

// Mul is d * v, for an int or float; [brine.NotImplemented] for anything else.
func (d Timedelta) Mul(v any) (any, error) {
	by, err := factor(v)
	if by == nil || err != nil {
		return brine.NotImplemented, err
	}
	return timedeltaOf(by.Mul(by, d.rat()))
}

// Div is d / v or, with floor, d // v, for a Timedelta or a number; [brine.NotImplemented] for anything else.
func (d Timedelta) Div(v any, floor bool) (any, error) {
	u, isDelta := v.(Timedelta)
	_, isFloat := v.(float64)
	by, err := u.rat(), error(nil)
	if !isDelta {
		by, err = factor(v)
	}
	switch {
	case err != nil || by == nil || floor && isFloat:
		return brine.NotImplemented, err
	case by.Sign() == 0 && isDelta && !floor:
		return nil, raise("ZeroDivisionError", "division by zero")
	case by.Sign() == 0:
		return nil, raise("ZeroDivisionError", "integer division or modulo by zero")
	}
	q := by.Quo(d.rat(), by)
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
	return timedeltaOf(q)
}

// factor is an int or a float by which a timedelta is multiplied or divided; nil for anything else.
func factor(v any) (*big.Rat, error) {
	switch n := NumberOf(v); n.Kind {
	case Int:
		return new(big.Rat).SetInt(n.BigInt()), nil
	case Float:
		if r := new(big.Rat).SetFloat64(n.Float); r != nil {
			return r, nil
		}
		if math.IsNaN(n.Float) {
			return nil, raise("ValueError", "cannot convert NaN to integer ratio")
		}
		return nil, raise("OverflowError", "cannot convert Infinity to integer ratio")
	}
	return nil, nil
}
