package netref

import (
	"encoding"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/gorpyc/gorpyc/protocol/wire"
)

var (
	timeType = reflect.TypeFor[time.Time]()
	textType = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// takesText reports whether values of a type are made of texts by an UnmarshalText method. big.Int has one, but a Python
// str is no int.
func takesText(t reflect.Type) bool {
	return t != stringType && t.PkgPath() != "" && t != bigIntType.Elem() && t.Kind() != reflect.Interface &&
		reflect.PointerTo(t).Implements(textType)
}

func assignText(dst reflect.Value, s string) error {
	if dst.Type() == timeType {
		if t, ok := parseTime(s); ok {
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

// text asks for an object's str(), which every peer tells, and makes a value of it.
func (c *conversion) text(dst reflect.Value, o *Object) error {
	t := dst.Type()
	if o.IsClass() || strings.HasPrefix(o.ClassName(), "builtins.") {
		return &ConvertError{From: typeName(o), To: t}
	}
	return c.ask(o, wire.HandleStr, func(v any, exc error) error {
		if exc != nil {
			return notThat(exc, o, t)
		}
		s, ok := v.(string)
		if !ok {
			return &ConvertError{From: typeName(o), To: t}
		}
		var err error
		switch t {
		case timeType:
			parsed, ok := parseTime(s)
			if !ok {
				return &ConvertError{From: typeName(o), To: t, Value: s}
			}
			dst.Set(reflect.ValueOf(parsed))
		case durationType:
			d, ok := parseDuration(s)
			if !ok {
				return &ConvertError{From: typeName(o), To: t, Value: s}
			}
			dst.SetInt(int64(d))
		default:
			if err = assignText(dst, s); err != nil {
				err = &ConvertError{From: typeName(o), To: t, Value: s, Reason: err.(*ConvertError).Reason}
			}
		}
		return err
	})
}

// timeLayouts are what str() and isoformat() of datetime and date give, with up to nine digits of a second and with the
// offset of the zone, if there is one, to the second.
var timeLayouts = []string{
	"2006-01-02 15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05Z07:00:00", "2006-01-02",
}

// parseTime reads a datetime's text. Without a zone it is in UTC: what zone its peer means cannot be known here.
func parseTime(s string) (time.Time, bool) {
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

func parseDuration(s string) (time.Duration, bool) {
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
