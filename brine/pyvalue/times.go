package pyvalue

import (
	"fmt"
	"strings"
	"time"
)

// What Python's module datetime says of times.

// Naive is the zone of a datetime without a zone. Its times are as long after each other as those of UTC.
var Naive = time.FixedZone("naive", 0)

// ISOFormat is datetime.isoformat with a separator.
func ISOFormat(t time.Time, sep string) string {
	s := t.Format("2006-01-02") + sep + t.Format("15:04:05")
	if us := t.Nanosecond() / 1000; us != 0 {
		s += fmt.Sprintf(".%06d", us)
	}
	return s + zoneOffset(t, ":")
}

// zoneOffset writes a zone as +HH:MM, and seconds if there are any.
func zoneOffset(t time.Time, colon string) string {
	if t.Location() == Naive {
		return ""
	}
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

// ReprTime is the repr of a datetime.
func ReprTime(t time.Time) string {
	s := fmt.Sprintf("datetime.datetime(%d, %d, %d, %d, %d", t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute())
	us := t.Nanosecond() / 1000
	if t.Second() != 0 || us != 0 {
		s += fmt.Sprintf(", %d", t.Second())
	}
	if us != 0 {
		s += fmt.Sprintf(", %d", us)
	}
	if t.Location() == Naive {
		return s + ")"
	}
	return s + ", tzinfo=" + ReprZone(t) + ")"
}

// ReprZone is the repr of the zone as a datetime.timezone.
func ReprZone(t time.Time) string {
	name, seconds := t.Zone()
	if name == "UTC" && seconds == 0 {
		return "datetime.timezone.utc"
	}
	days := ""
	if seconds < 0 { // as timedelta writes it
		days, seconds = "days=-1, ", seconds+86400
	}
	return fmt.Sprintf("datetime.timezone(datetime.timedelta(%sseconds=%d), %s)", days, seconds, Repr(name))
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
	'Z': zoneName,
	'w': func(t time.Time) string { return fmt.Sprint(int(t.Weekday())) },
	'u': func(t time.Time) string { return fmt.Sprint(weekday(t) + 1) },
	'G': func(t time.Time) string { y, _ := t.ISOWeek(); return fmt.Sprintf("%04d", y) },
	'V': func(t time.Time) string { _, w := t.ISOWeek(); return fmt.Sprintf("%02d", w) },
	's': func(t time.Time) string { return fmt.Sprint(t.Unix()) },
	'n': func(time.Time) string { return "\n" }, 't': func(time.Time) string { return "\t" },
	'%': func(time.Time) string { return "%" },
}

func layout(l string) func(t time.Time) string {
	return func(t time.Time) string { return t.Format(l) }
}

// Strftime is datetime.strftime for the directives that need no locale; others are a ValueError. A text of more than
// limit bytes is a MemoryError.
func Strftime(t time.Time, spec string, limit int) (string, error) {
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
			return "", raise("ValueError", "Invalid format string: %%%c is not supported here", spec[i])
		}
		b.WriteString(d(t))
		if b.Len() > limit {
			return "", raise("MemoryError", "text exceeds %d bytes", limit)
		}
	}
	return b.String(), nil
}

// Ordinal is the number of a day, of which the first of January of the year 1 is the first.
func Ordinal(t time.Time) int64 {
	first := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	return (time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC).Unix()-first.Unix())/86400 + 1
}

// ReprDate is the repr of a date.
func ReprDate(t time.Time) string {
	return fmt.Sprintf("datetime.date(%d, %d, %d)", t.Year(), t.Month(), t.Day())
}

// ClockText is time.isoformat of a time of day.
func ClockText(t time.Time) string {
	s := t.Format(time.TimeOnly)
	if us := t.Nanosecond() / 1000; us != 0 {
		s += fmt.Sprintf(".%06d", us)
	}
	return s
}

// ReprClock is the repr of a time of day.
func ReprClock(t time.Time) string {
	s := fmt.Sprintf("datetime.time(%d, %d", t.Hour(), t.Minute())
	us := t.Nanosecond() / 1000
	if t.Second() != 0 || us != 0 {
		s += fmt.Sprintf(", %d", t.Second())
	}
	if us != 0 {
		s += fmt.Sprintf(", %d", us)
	}
	return s + ")"
}

// ReplaceTime is datetime.replace: the parts, such as "month", take the places of t's.
func ReplaceTime(t time.Time, parts map[string]int64, zone *time.Location) (time.Time, error) {
	part := func(name string, old int) int {
		if n, ok := parts[name]; ok {
			return int(max(min(n, 1<<30), -1<<30))
		}
		return old
	}
	year, month, day := part("year", t.Year()), part("month", int(t.Month())), part("day", t.Day())
	hour, minute, second := part("hour", t.Hour()), part("minute", t.Minute()), part("second", t.Second())
	micros, nanos := part("microsecond", t.Nanosecond()/1000), t.Nanosecond()
	if _, given := parts["microsecond"]; given {
		nanos = micros * 1000
	}
	last := time.Date(year, time.Month(month+1), 0, 0, 0, 0, 0, time.UTC).Day()
	for _, limit := range []struct {
		n, low, high int
		text         string
	}{
		{year, 1, 9999, fmt.Sprintf("year %d is out of range", year)},
		{month, 1, 12, "month must be in 1..12"},
		{day, 1, last, "day is out of range for month"},
		{hour, 0, 23, "hour must be in 0..23"},
		{minute, 0, 59, "minute must be in 0..59"},
		{second, 0, 59, "second must be in 0..59"},
		{micros, 0, 999999, "microsecond must be in 0..999999"},
	} {
		if limit.n < limit.low || limit.n > limit.high {
			return t, raise("ValueError", "%s", limit.text)
		}
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, nanos, zone), nil
}
