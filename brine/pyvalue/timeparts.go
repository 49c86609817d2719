package pyvalue

import (
	"fmt"
	"strings"
	"time"

	"github.com/gorpyc/gorpyc/brine"
)

// TimeParts are the attributes of datetimes, dates and times of day that are numbers.
var TimeParts = map[string]func(t time.Time) int64{
	"year":        func(t time.Time) int64 { return int64(t.Year()) },
	"month":       func(t time.Time) int64 { return int64(t.Month()) },
	"day":         func(t time.Time) int64 { return int64(t.Day()) },
	"hour":        func(t time.Time) int64 { return int64(t.Hour()) },
	"minute":      func(t time.Time) int64 { return int64(t.Minute()) },
	"second":      func(t time.Time) int64 { return int64(t.Second()) },
	"microsecond": func(t time.Time) int64 { return int64(t.Nanosecond() / 1000) },
	"nanosecond":  func(t time.Time) int64 { return int64(t.Nanosecond()) },
	"fold":        func(time.Time) int64 { return 0 },
}

// TimeMethods are the methods of datetimes and dates that take no arguments and return plain values.
var TimeMethods = map[string]func(t time.Time) any{
	"timestamp":  func(t time.Time) any { return float64(t.Unix()) + float64(t.Nanosecond())/1e9 },
	"weekday":    func(t time.Time) any { return weekday(t) },
	"isoweekday": func(t time.Time) any { return weekday(t) + 1 },
	"ctime":      func(t time.Time) any { return t.Format("Mon Jan _2 15:04:05 2006") },
	"toordinal":  func(t time.Time) any { return Ordinal(t) },
	"isocalendar": func(t time.Time) any {
		y, w := t.ISOWeek()
		return brine.Tuple{int64(y), int64(w), weekday(t) + 1}
	},
	"dst": func(time.Time) any { return nil },
	"utcoffset": func(t time.Time) any {
		if t.Location() == Naive {
			return nil
		}
		_, s := t.Zone()
		return float64(s)
	},
	"tzname": func(t time.Time) any {
		if t.Location() == Naive {
			return nil
		}
		return zoneName(t)
	},
}

// zoneName is "" of a naive time.
func zoneName(t time.Time) string {
	if t.Location() == Naive {
		return ""
	}
	name, _ := t.Zone()
	return name
}

// weekday is the day of the week as Python counts it: Monday is 0.
func weekday(t time.Time) int64 { return int64(t.Weekday()+6) % 7 }

// StructTimeNames are the attributes of a time.struct_time, in the order of its items.
var StructTimeNames = strings.Fields("tm_year tm_mon tm_mday tm_hour tm_min tm_sec tm_wday tm_yday tm_isdst")

// StructTime is the items of the time.struct_time of t; dst is its tm_isdst.
func StructTime(t time.Time, dst int64) brine.Tuple {
	return brine.Tuple{int64(t.Year()), int64(t.Month()), int64(t.Day()), int64(t.Hour()), int64(t.Minute()),
		int64(t.Second()), weekday(t), int64(t.YearDay()), dst}
}

// ReprStructTime is the repr of a time.struct_time.
func ReprStructTime(items brine.Tuple) string {
	parts := make([]string, len(items))
	for i, v := range items {
		parts[i] = fmt.Sprintf("%s=%d", StructTimeNames[i], v)
	}
	return "time.struct_time(" + strings.Join(parts, ", ") + ")"
}
