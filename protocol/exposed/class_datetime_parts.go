package exposed

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/names"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// The parts of a datetime that are objects themselves: what its methods date, time and timetuple and its attribute
// tzinfo return. They have the methods that need no further classes.

// Date is what peers see as a datetime.date, by reference. It never changes. Given back to a Go parameter or variable
// of type time.Time, it is its first moment, in UTC.
type Date struct{ t time.Time }

// NewDate makes the Date that t has in its zone.
func NewDate(t time.Time) *Date { return &Date{t} }

// GoValue returns the first moment of the date, in UTC.
func (d *Date) GoValue() any {
	year, month, day := d.t.Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

type (
	clockOf  struct{ t time.Time } // datetime.time, without a zone
	zoneOf   struct{ t time.Time } // datetime.timezone: that of t
	timeList struct{ parts brine.Tuple }
)

var (
	dateClass     = builtin("datetime.date", objectClass)
	clockClass    = builtin("datetime.time", objectClass)
	zoneClass     = builtin("datetime.timezone", objectClass)
	timeListClass = builtin("time.struct_time", objectClass)

	_ = show[*Date](dateClass)
	_ = show[*clockOf](clockClass)
	_ = show[*zoneOf](zoneClass)
	_ = show[*timeList](timeListClass)

	_ = define(dateClass, defineDate)
	_ = define(clockClass, defineClock)
	_ = define(zoneClass, defineZone)
	_ = define(timeListClass, defineTimeList)
)

// expose makes attributes of a builtin class exposed under their own names, which dir() lists.
func (c *Class) expose(names ...string) {
	for _, name := range names {
		a := c.own[name]
		a.exposed, a.goName = true, name
	}
}

// timeAttrs enters attributes of times into a class: those that it has are named.
func timeAttrs(c typed[time.Time], names string) {
	attrs := strings.Fields(names)
	for _, name := range attrs {
		if part := pyvalue.TimeParts[name]; part != nil {
			c.getter(name, func(t time.Time) any { return part(t) })
		} else if says := pyvalue.TimeMethods[name]; says != nil {
			c.says(name, says)
		} else {
			m := timeMethods[name]
			c.method(name, 0, m.most, func(ctx context.Context, t time.Time, _ any, args []any) (any, error) {
				return m.call(ctx, t, args)
			})
		}
	}
	c.expose(attrs...)
}

type timeMethod struct {
	most int
	call func(ctx context.Context, t time.Time, args []any) (any, error)
}

// timeMethods are methods of times whose results are objects.
var timeMethods = map[string]timeMethod{
	"date":         of(func(t time.Time) any { return &Date{t} }),
	"time":         of(func(t time.Time) any { return &clockOf{t} }),
	"timetuple":    of(func(t time.Time) any { return &timeList{pyvalue.StructTime(t, -1)} }),
	"utctimetuple": of(func(t time.Time) any { return &timeList{pyvalue.StructTime(t.UTC(), 0)} }),
	"astimezone": {1, func(ctx context.Context, t time.Time, args []any) (any, error) {
		if t.Location() == pyvalue.Naive { // Python takes it for local time
			t = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.Local)
		}
		if len(args) == 0 || args[0] == nil {
			return t.Local(), nil
		}
		zone, err := location(ctx, args[0])
		if err != nil {
			return nil, err
		}
		return t.In(zone), nil
	}},
}

func of(f func(t time.Time) any) timeMethod {
	return timeMethod{0, func(_ context.Context, t time.Time, _ []any) (any, error) { return f(t), nil }}
}

// location is the zone of a tzinfo: one of ours, or the peer's, which is asked for its offset and, if that depends on
// the time, for the name of a zone that is known here.
func location(ctx context.Context, v any) (*time.Location, error) {
	switch z := v.(type) {
	case *zoneOf:
		return z.t.Location(), nil
	case *netref.Object:
		name, err := z.Str(ctx)
		if err != nil {
			return nil, err
		}
		offset, err := z.CallMethod(ctx, "utcoffset", nil)
		if err != nil {
			return nil, err
		}
		if offset == nil {
			if zone, err := time.LoadLocation(name); err == nil {
				return zone, nil
			}
			return nil, vinegar.ValueError.Errorf("no such time zone here: %s", vinegar.Repr(name))
		}
		if d, ok, err := otherDuration(ctx, offset); ok || err != nil {
			return time.FixedZone(name, int(d/time.Second)), err
		}
	}
	return nil, vinegar.TypeError.Errorf("tz argument must be an instance of tzinfo, not %s", TypeName(v))
}

// replaced is the method replace: the parts named by keywords, or in order by position, take the places of t's.
func replaced(ctx context.Context, t time.Time, names []string, a *Args) (time.Time, error) {
	pos, kw, err := a.Both()
	if err != nil {
		return t, err
	}
	given := map[string]any{}
	for i, v := range pos {
		if i == len(names) {
			return t, vinegar.TypeError.Errorf("replace() takes at most %d arguments (%d given)", len(names), len(pos)+len(kw))
		}
		given[names[i]] = v
	}
	for _, k := range kw {
		if !slices.Contains(names, k.Name) {
			return t, vinegar.TypeError.Errorf("'%s' is an invalid keyword argument for replace()", k.Name)
		}
		given[k.Name] = k.Value
	}
	zone, parts := t.Location(), map[string]int64{}
	for name, v := range given {
		switch name {
		case "fold":
		case "tzinfo":
			if zone, err = location(ctx, v); err != nil {
				return t, err
			}
		default:
			n, ok := norm(v).(int64)
			if !ok {
				return t, vinegar.TypeError.Errorf("'%s' object cannot be interpreted as an integer", TypeName(v))
			}
			parts[name] = n
		}
	}
	return raised(pyvalue.ReplaceTime(t, parts, zone))
}

// defineReplace enters the method replace of a class, whose objects build makes.
func defineReplace(c typed[time.Time], names string, build func(t time.Time) any) {
	c.implement("replace", func(ctx context.Context, self any, a *Args) (any, error) {
		t, err := c.of("replace", self)
		if err == nil {
			t, err = replaced(ctx, t, strings.Fields(names), a)
		}
		if err != nil {
			return nil, err
		}
		return build(t), nil
	})
	c.expose("replace")
}

// defineFormat enters what formats a time by strftime's directives; text is what the empty format gives.
func defineFormat(c typed[time.Time], text func(t time.Time) string) {
	for _, name := range []string{"strftime", "__format__"} {
		c.method(name, 1, 1, func(_ context.Context, t time.Time, _ any, args []any) (any, error) {
			spec, ok := args[0].(string)
			switch {
			case !ok:
				return nil, vinegar.TypeError.Errorf("%s() argument 1 must be str, not %s", name, TypeName(args[0]))
			case name == "__format__" && spec == "":
				return text(t), nil
			}
			return raised(pyvalue.Strftime(t, spec, maxText))
		})
	}
	c.expose("strftime")
}

// defineTimePart gives the class of dates or of times of day what both have: text is isoformat, repr is repr, and key
// is what is compared.
func defineTimePart(c typed[time.Time], text, repr func(t time.Time) string, key func(t time.Time) int64) {
	c.says("isoformat", func(t time.Time) any { return text(t) })
	c.says("__str__", func(t time.Time) any { return text(t) })
	c.says("__repr__", func(t time.Time) any { return repr(t) })
	c.says("__hash__", func(t time.Time) any { return pyvalue.HashOf(key(t)) })
	defineFormat(c, text)
	for op := range names.Comparisons {
		c.method(op, 1, 1, func(_ context.Context, t time.Time, _ any, args []any) (any, error) {
			if u, ok := c.to(args[0]); ok {
				return ordered(op, cmp.Compare(key(t), key(u))), nil
			}
			return brine.NotImplemented, nil
		})
	}
	c.expose("isoformat")
}

func defineDate(class *Class) {
	c := typed[time.Time]{class, func(self any) (time.Time, bool) {
		d, ok := self.(*Date)
		if !ok || d == nil {
			return time.Time{}, false
		}
		return d.GoValue().(time.Time), true
	}}
	timeAttrs(c, "year month day weekday isoweekday isocalendar toordinal ctime timetuple")
	defineReplace(c, "year month day", func(t time.Time) any { return &Date{t} })
	text := func(t time.Time) string { return t.Format(time.DateOnly) }
	defineTimePart(c, text, pyvalue.ReprDate, pyvalue.Ordinal)
	operator := func(name string, sign int64) {
		c.method(name, 1, 1, func(ctx context.Context, t time.Time, _ any, args []any) (any, error) {
			if u, isDate := c.to(args[0]); isDate && sign < 0 {
				return &Timedelta{pyvalue.Timedelta(pyvalue.Ordinal(t)-pyvalue.Ordinal(u)) * pyvalue.Day}, nil
			}
			delta, ok, err := otherDelta(ctx, args[0])
			if !ok || err != nil {
				return brine.NotImplemented, err
			}
			days, _, _ := delta.d.Parts()
			if t = t.AddDate(0, 0, int(sign*days)); t.Year() < 1 || t.Year() > 9999 {
				return nil, vinegar.OverflowError.New("date value out of range")
			}
			return &Date{t}, nil
		})
	}
	operator("__add__", 1)
	operator("__radd__", 1)
	operator("__sub__", -1)
}

func defineClock(class *Class) {
	c := typed[time.Time]{class, func(self any) (time.Time, bool) {
		d, ok := self.(*clockOf)
		if !ok {
			return time.Time{}, false
		}
		return time.Date(1900, 1, 1, d.t.Hour(), d.t.Minute(), d.t.Second(), d.t.Nanosecond(), time.UTC), true
	}}
	timeAttrs(c, "hour minute second microsecond nanosecond fold")
	none := func(time.Time) any { return nil } // it has no zone
	c.getter("tzinfo", none)
	for _, name := range []string{"utcoffset", "tzname", "dst"} {
		c.says(name, none)
	}
	c.expose("tzinfo", "utcoffset", "tzname", "dst")
	defineReplace(c, "hour minute second microsecond", func(t time.Time) any { return &clockOf{t} })
	defineTimePart(c, pyvalue.ClockText, pyvalue.ReprClock, time.Time.UnixMicro)
}

// defineZone gives tzinfo objects what Python's timezone has.
func defineZone(class *Class) {
	c := typed[*zoneOf]{class, as[*zoneOf]}
	offset := func(z *zoneOf) int { _, s := z.t.Zone(); return s }
	name := func(z *zoneOf) any { name, _ := z.t.Zone(); return name }
	for method, f := range map[string]func(z *zoneOf) any{
		"utcoffset": func(z *zoneOf) any { return float64(offset(z)) },
		"tzname":    name,
		"dst":       func(*zoneOf) any { return nil },
	} {
		c.method(method, 1, 1, func(_ context.Context, z *zoneOf, _ any, _ []any) (any, error) { return f(z), nil })
	}
	c.says("__str__", name)
	c.says("__repr__", func(z *zoneOf) any { return pyvalue.ReprZone(z.t) })
	c.says("__hash__", func(z *zoneOf) any { return pyvalue.HashOf(offset(z)) })
	c.method("__eq__", 1, 1, func(_ context.Context, z *zoneOf, _ any, args []any) (any, error) {
		if other, ok := args[0].(*zoneOf); ok {
			return offset(z) == offset(other), nil
		}
		return brine.NotImplemented, nil
	})
	c.expose("utcoffset", "tzname", "dst")
}

func defineTimeList(class *Class) {
	c := typed[*timeList]{class, as[*timeList]}
	for i, name := range pyvalue.StructTimeNames {
		c.getter(name, func(l *timeList) any { return l.parts[i] })
	}
	c.expose(pyvalue.StructTimeNames...)
	// The rest is as the tuple has it.
	for _, name := range []string{"__len__", "__iter__", "__contains__", "__getitem__", "__hash__", "__eq__"} {
		c.method(name, 0, 1, func(ctx context.Context, l *timeList, _ any, args []any) (any, error) {
			if len(args) == 1 {
				if other, ok := args[0].(*timeList); ok {
					args = []any{other.parts}
				}
			}
			return tupleClass.own[name].invoke(ctx, l.parts, NewArgs(args, nil))
		})
	}
	c.says("__repr__", func(l *timeList) any { return pyvalue.ReprStructTime(l.parts) })
}
