package exposed

import (
	"context"
	"errors"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/names"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// timeClass is what a time.Time is to Python: by its name and its attributes a datetime with a zone. RPyC's proxies
// take an object's class from the name, so isinstance(t, datetime.datetime) is true there; C code that wants a real
// datetime still refuses the proxy.
var (
	timeClass = builtin("datetime.datetime", objectClass)

	_ = show[time.Time](timeClass)
	_ = define(timeClass, defineTime)
)

func timeOf(v any) (time.Time, bool) {
	switch t := v.(type) {
	case time.Time:
		return t, true
	case *time.Time:
		if t != nil {
			return *t, true
		}
	}
	return time.Time{}, false
}

// otherTime is the operand of an operator: a time of ours, or a datetime of the peer's.
func otherTime(ctx context.Context, v any) (time.Time, bool, error) {
	if t, ok := timeOf(v); ok {
		return t, true, nil
	}
	o, foreign := v.(*netref.Object)
	if !foreign || o.ClassName() != timeClass.Name() {
		return time.Time{}, false, nil
	}
	t, err := netref.As[time.Time](ctx, o)
	return t, err == nil, err
}

// otherDuration is an operand that says how long: a number of seconds, or a timedelta of the peer's.
func otherDuration(ctx context.Context, v any) (time.Duration, bool, error) {
	d, err := netref.As[time.Duration](ctx, v)
	var misfit *netref.ConvertError
	if errors.As(err, &misfit) {
		return 0, false, nil
	}
	return d, err == nil, err
}

func defineTime(class *Class) {
	c := typed[time.Time]{class, timeOf}
	timeAttrs(c, `year month day hour minute second microsecond nanosecond fold timestamp weekday
		isoweekday utcoffset tzname dst date time ctime toordinal isocalendar timetuple utctimetuple astimezone`)
	c.getter("tzinfo", func(t time.Time) any {
		if t.Location() == pyvalue.Naive {
			return nil
		}
		return &zoneOf{t}
	})
	c.expose("tzinfo")
	defineReplace(c, "year month day hour minute second microsecond tzinfo fold", func(t time.Time) any { return t })
	c.method("isoformat", 0, 1, func(_ context.Context, t time.Time, _ any, args []any) (any, error) {
		sep := "T"
		if len(args) == 1 {
			s, ok := args[0].(string)
			if !ok || len([]rune(s)) != 1 {
				return nil, vinegar.TypeError.Errorf("isoformat() argument 1 must be a unicode character, not %s",
					TypeName(args[0]))
			}
			sep = s
		}
		return pyvalue.ISOFormat(t, sep), nil
	})
	c.expose("isoformat")
	text := func(t time.Time) string { return pyvalue.ISOFormat(t, " ") }
	defineFormat(c, text)
	c.says("__str__", func(t time.Time) any { return text(t) })
	c.says("__repr__", func(t time.Time) any { return pyvalue.ReprTime(t) })
	c.says("__hash__", func(t time.Time) any {
		return pyvalue.HashOf(t.Round(0).UTC().Truncate(time.Microsecond))
	})
	for op := range names.Comparisons {
		c.method(op, 1, 1, func(ctx context.Context, t time.Time, _ any, args []any) (any, error) {
			u, ok, err := otherTime(ctx, args[0])
			if !ok || err != nil {
				return brine.NotImplemented, err
			}
			return ordered(op, t.Truncate(time.Microsecond).Compare(u.Truncate(time.Microsecond))), nil
		})
	}
	add := func(ctx context.Context, t time.Time, _ any, args []any) (any, error) {
		d, ok, err := otherDuration(ctx, args[0])
		if !ok || err != nil {
			return brine.NotImplemented, err
		}
		return t.Add(d), nil
	}
	c.method("__add__", 1, 1, add)
	c.method("__radd__", 1, 1, add)
	c.method("__sub__", 1, 1, func(ctx context.Context, t time.Time, _ any, args []any) (any, error) {
		if u, ok, err := otherTime(ctx, args[0]); ok || err != nil {
			return t.Sub(u), err
		}
		d, ok, err := otherDuration(ctx, args[0])
		if !ok || err != nil {
			return brine.NotImplemented, err
		}
		return t.Add(-d), nil
	})
}
