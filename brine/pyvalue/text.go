package pyvalue

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	stringType = reflect.TypeFor[string]()
	timeType   = reflect.TypeFor[time.Time]()
	textType   = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// TakesText reports whether values of a type are made of texts by an UnmarshalText method. big.Int has one, but a
// Python str is no int.
func TakesText(t reflect.Type) bool {
	return t != stringType && t.PkgPath() != "" && t != bigIntType.Elem() && t.Kind() != reflect.Interface &&
		reflect.PointerTo(t).Implements(textType)
}

// SetText stores what the UnmarshalText method of dst, of whose type [TakesText] is true, makes of a text; in a
// time.Time also a datetime as Python writes it.
func SetText(dst reflect.Value, s string) error {
	if dst.Type() == timeType {
		if t, ok := ParseTime(s); ok {
			dst.Set(reflect.ValueOf(t))
			return nil
		}
	}
	u, _ := dst.Addr().Interface().(encoding.TextUnmarshaler)
	if err := u.UnmarshalText([]byte(s)); err != nil {
		return notFit(s, dst.Type(), err.Error())
	}
	return nil
}

// timeLayouts are what str() and isoformat() of datetime and date give, with up to nine digits of a second and with the
// offset of the zone, if there is one, to the second.
var timeLayouts = []string{
	"2006-01-02 15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05Z07:00:00", "2006-01-02",
}

// ParseTime reads a datetime's text. Without a zone it is in UTC: what zone its peer means cannot be known here.
func ParseTime(s string) (time.Time, bool) {
	if len(s) > len("2006-01-02") && s[10] == 'T' {
		s = s[:10] + " " + s[11:]
	}
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// duration matches the text of a timedelta: "1 day, 2:03:04.000005", "-1 day, 23:59:59".
var duration = regexp.MustCompile(`^(?:(-?\d+) days?,? )?(\d+):(\d\d):(\d\d)(?:\.(\d{1,9}))?$`)

// unitsOfTime are the names in which numpy.timedelta64 gives its units.
var unitsOfTime = map[string]time.Duration{
	"weeks": 7 * 24 * time.Hour, "days": 24 * time.Hour, "hours": time.Hour, "minutes": time.Minute,
	"seconds": time.Second, "milliseconds": time.Millisecond, "microseconds": time.Microsecond,
	"nanoseconds": time.Nanosecond,
}

// ParseDuration reads a timedelta's text, and that of a numpy.timedelta64: "90 minutes".
func ParseDuration(s string) (time.Duration, bool) {
	if number, name, ok := strings.Cut(s, " "); ok && unitsOfTime[name] > 0 {
		unit := unitsOfTime[name]
		n, err := strconv.ParseInt(number, 10, 64)
		return time.Duration(n) * unit, err == nil && n <= math.MaxInt64/int64(unit) && n >= math.MinInt64/int64(unit)
	}
	m := duration.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	days := int64(0)
	if m[1] != "" {
		n, err := strconv.ParseInt(m[1], 10, 32)
		if err != nil {
			return 0, false
		}
		days = n
	}
	d, err := time.ParseDuration(fmt.Sprintf("%sh%sm%s.%ss", m[2], m[3], m[4], m[5]+"0"))
	if err != nil || days > maxDays || days < -maxDays {
		return 0, false
	}
	return time.Duration(days)*24*time.Hour + d, true
}

// maxDays is what a time.Duration can hold, less a day.
const maxDays = 106750

// Shorten returns s, or if it is longer than so many bytes, the characters in these and "…". It is for texts of peers
// in logs and reports.
func Shorten(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
