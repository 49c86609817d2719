package exposed

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/netref"
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

func defineTime(c *Class) {
	at := func(self any) (time.Time, error) {
		t, ok := timeOf(self)
		if !ok {
			return t, vinegar.TypeError.New("a datetime is required")
		}
		return t, nil
	}
	timeAttrs(c, timeOf, `year month day hour minute second microsecond nanosecond fold tzinfo timestamp weekday
		isoweekday utcoffset tzname dst date time ctime toordinal isocalendar timetuple utctimetuple astimezone`)
	defineReplace(c, "year month day hour minute second microsecond tzinfo fold", timeOf,
		func(t time.Time) any { return t })
	method := func(name string, least, most int, f func(ctx context.Context, t time.Time, args []any) (any, error)) {
		c.method(name, least, most, func(ctx context.Context, self any, args []any) (any, error) {
			t, err := at(self)
			if err != nil {
				return nil, err
			}
			return f(ctx, t, args)
		})
	}
	method("isoformat", 0, 1, func(_ context.Context, t time.Time, args []any) (any, error) {
		sep := "T"
		if len(args) == 1 {
			s, ok := args[0].(string)
			if !ok || len([]rune(s)) != 1 {
				return nil, vinegar.TypeError.Errorf("isoformat() argument 1 must be a unicode character, not %s",
					TypeName(args[0]))
			}
			sep = s
		}
		return isoFormat(t, sep), nil
	})
	format := func(_ context.Context, t time.Time, args []any) (any, error) {
		spec, ok := args[0].(string)
		if !ok {
			return nil, vinegar.TypeError.Errorf("strftime() argument 1 must be str, not %s", TypeName(args[0]))
		}
		return strftime(t, spec)
	}
	method("strftime", 1, 1, format)
	c.expose("isoformat", "strftime")
	method("__format__", 1, 1, func(ctx context.Context, t time.Time, args []any) (any, error) {
		if args[0] == "" {
			return isoFormat(t, " "), nil
		}
		return format(ctx, t, args)
	})
	method("__str__", 0, 0, func(_ context.Context, t time.Time, _ []any) (any, error) { return isoFormat(t, " "), nil })
	method("__repr__", 0, 0, func(_ context.Context, t time.Time, _ []any) (any, error) { return reprTime(t), nil })
	method("__hash__", 0, 0, func(_ context.Context, t time.Time, _ []any) (any, error) {
		return pyvalue.HashOf(t.Round(0).UTC().Truncate(time.Microsecond)), nil
	})
	for op := range compareOps {
		method(op, 1, 1, func(ctx context.Context, t time.Time, args []any) (any, error) {
			u, ok, err := otherTime(ctx, args[0])
			if !ok || err != nil {
				return brine.NotImplemented, err
			}
			return ordered(op, t.Truncate(time.Microsecond).Compare(u.Truncate(time.Microsecond))), nil
		})
	}
	add := func(ctx context.Context, t time.Time, args []any) (any, error) {
		d, ok, err := otherDuration(ctx, args[0])
		if !ok || err != nil {
			return brine.NotImplemented, err
		}
		return t.Add(d), nil
	}
	method("__add__", 1, 1, add)
	method("__radd__", 1, 1, add)
	method("__sub__", 1, 1, func(ctx context.Context, t time.Time, args []any) (any, error) {
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

// isoFormat is datetime.isoformat.
func isoFormat(t time.Time, sep string) string {
	s := t.Format("2006-01-02") + sep + t.Format("15:04:05")
	if us := t.Nanosecond() / 1000; us != 0 {
		s += fmt.Sprintf(".%06d", us)
	}
	return s + zoneOffset(t, ":")
}

// zoneOffset writes a zone as +HH:MM, and seconds if there are any.
func zoneOffset(t time.Time, colon string) string {
	_, s := t.Zone()
	sign := "+"
	if s < 0 {
		sign, s = "-", -s
	}
	text := fmt.Sprintf("%s%02d%s%02d", sign, s/3600, colon, s/60%60)
	if s%60 != 0 {
		text += fmt.Sprintf("%s%02d", colon, s%60)
	}
	return text
}

func reprTime(t time.Time) string {
	s := fmt.Sprintf("datetime.datetime(%d, %d, %d, %d, %d", t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute())
	us := t.Nanosecond() / 1000
	if t.Second() != 0 || us != 0 {
		s += fmt.Sprintf(", %d", t.Second())
	}
	if us != 0 {
		s += fmt.Sprintf(", %d", us)
	}
	return s + ", tzinfo=" + reprZone(t) + ")"
}

// reprZone is the repr of the zone as a datetime.timezone.
func reprZone(t time.Time) string {
	name, seconds := t.Zone()
	if name == "UTC" && seconds == 0 {
		return "datetime.timezone.utc"
	}
	days := ""
	if seconds < 0 { // as timedelta writes it
		days, seconds = "days=-1, ", seconds+86400
	}
	return fmt.Sprintf("datetime.timezone(datetime.timedelta(%sseconds=%d), %s)", days, seconds, vinegar.Repr(name))
}

// directives are those of strftime that do not depend on a locale, in the C locale.
var directives = map[byte]func(t time.Time) string{
	'a': layout("Mon"), 'A': layout("Monday"), 'b': layout("Jan"), 'B': layout("January"),
	'd': layout("02"), 'm': layout("01"),
	'y': layout("06"), 'Y': layout("2006"), 'H': layout("15"), 'I': layout("03"), 'p': layout("PM"), 'M': layout("04"),
	'S': layout("05"), 'j': layout("002"),
	'c': layout("Mon Jan _2 15:04:05 2006"), 'x': layout("01/02/06"), 'X': layout("15:04:05"),
	'D': layout("01/02/06"), 'e': layout("_2"), 'F': layout("2006-01-02"), 'R': layout("15:04"), 'T': layout("15:04:05"),
	'f': func(t time.Time) string { return fmt.Sprintf("%06d", t.Nanosecond()/1000) },
	'z': func(t time.Time) string { return zoneOffset(t, "") },
	'Z': func(t time.Time) string { name, _ := t.Zone(); return name },
	'w': func(t time.Time) string { return fmt.Sprint(int(t.Weekday())) },
	'u': func(t time.Time) string { return fmt.Sprint(int(t.Weekday()+6)%7 + 1) },
	'G': func(t time.Time) string { y, _ := t.ISOWeek(); return fmt.Sprintf("%04d", y) },
	'V': func(t time.Time) string { _, w := t.ISOWeek(); return fmt.Sprintf("%02d", w) },
	's': func(t time.Time) string { return fmt.Sprint(t.Unix()) },
	'n': func(time.Time) string { return "\n" }, 't': func(time.Time) string { return "\t" },
	'%': func(time.Time) string { return "%" },
}

func layout(l string) func(t time.Time) string {
	return func(t time.Time) string { return t.Format(l) }
}

// strftime is Python's; unknown directives are a ValueError.
func strftime(t time.Time, spec string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(spec); i++ {
		if spec[i] != '%' {
			b.WriteByte(spec[i])
			continue
		}
		i++
		if i == len(spec) {
			b.WriteByte('%')
			break
		}
		d := directives[spec[i]]
		if d == nil {
			return "", vinegar.ValueError.Errorf("Invalid format string: %%%c is not supported here", spec[i])
		}
		b.WriteString(d(t))
		if b.Len() > maxText {
			return "", vinegar.MemoryError.Errorf("text exceeds %d bytes", maxText)
		}
	}
	return b.String(), nil
}
