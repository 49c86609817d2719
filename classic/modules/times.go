//go:build unix

package modules

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/classic/internal/pytypes"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/transport/pause"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

type structTime struct{ record }

var (
	timeNames = []string{"tm_year", "tm_mon", "tm_mday", "tm_hour", "tm_min", "tm_sec", "tm_wday", "tm_yday", "tm_isdst"}
	timeClass = exposed.Register[structTime](recordOptions("time.struct_time"))
)

func newStructTime(t time.Time) *structTime {
	r := new(structTime)
	dst := int64(0)
	if t.IsDST() {
		dst = 1
	}
	zone, offset := t.Zone()
	r.set("time.struct_time", timeNames, brine.Tuple{int64(t.Year()), int64(t.Month()), int64(t.Day()), int64(t.Hour()),
		int64(t.Minute()), int64(t.Second()),
		int64((t.Weekday() + 6) % 7), int64(t.YearDay()), dst}, "tm_zone", zone, "tm_gmtoff", int64(offset))
	return r
}

// seconds takes a number of seconds; None is now.
func secondsOf(v any) (time.Time, error) {
	switch n := v.(type) {
	case nil:
		return time.Now(), nil
	case int64:
		return time.Unix(n, 0), nil
	case float64:
		if math.IsNaN(n) || math.Abs(n) > 1<<53 {
			return time.Time{}, vinegar.OverflowError.New("timestamp out of range for platform time_t")
		}
		whole := math.Floor(n)
		return time.Unix(int64(whole), int64((n-whole)*1e9)), nil
	}
	return time.Time{}, vinegar.TypeError.Errorf("'%s' object cannot be interpreted as an integer", exposed.TypeName(v))
}

// partsOf takes a struct_time or a tuple of nine numbers.
func partsOf(ctx context.Context, v any) (p [9]int, err error) {
	n := 0
	for item, err := range exposed.Iterate(ctx, v) {
		if err != nil {
			return p, vinegar.TypeError.New("Tuple or struct_time argument required")
		}
		x, ok := item.(int64)
		if !ok || n == 9 {
			return p, vinegar.TypeError.New("time tuple must have exactly 9 integers")
		}
		p[n] = int(x)
		n++
	}
	if n != 9 {
		return p, vinegar.TypeError.New("time tuple must have exactly 9 integers")
	}
	return p, nil
}

func newTime(*Interpreter) *Module {
	m := New("time", "This module provides various functions to manipulate time values.")
	now := func() float64 { return float64(time.Now().UnixNano()) / 1e9 }
	since := func() float64 { return float64(time.Since(started)) / 1e9 }
	m.Def("time", now).Def("time_ns", func() int64 { return time.Now().UnixNano() })
	m.Def("monotonic", since).Def("perf_counter", since)
	m.Def("monotonic_ns", func() int64 {
		return int64(time.Since(started))
	}).Def("perf_counter_ns", func() int64 { return int64(time.Since(started)) })
	m.Def("sleep", func(ctx context.Context, v any) error {
		f, err := exposed.Call(ctx, pytypes.Class("float"), exposed.NewArgs([]any{v}, nil))
		if _, text := v.(string); err != nil || text {
			return vinegar.TypeError.Errorf("'%s' object cannot be interpreted as an integer", exposed.TypeName(v))
		}
		switch s := f.(float64); {
		case math.IsNaN(s):
			return vinegar.ValueError.New("Invalid value NaN (not a number)")
		case s < 0:
			return vinegar.ValueError.New("sleep length must be non-negative")
		case s > 9e9:
			return vinegar.OverflowError.New("timestamp too large to convert to C _PyTime_t")
		default:
			return pause.For(ctx, time.Duration(s*1e9))
		}
	}, "seconds", "/")
	m.Def("gmtime", func(v any) (any, error) {
		t, err := secondsOf(v)
		r := newStructTime(t.UTC())
		r.Set("tm_zone", "GMT")
		return r, err
	}, "seconds=None", "/")
	m.Def("localtime", func(v any) (any, error) {
		t, err := secondsOf(v)
		return newStructTime(t.Local()), err
	}, "seconds=None", "/")
	m.Def("mktime", func(ctx context.Context, v any) (float64, error) {
		p, err := partsOf(ctx, v)
		return float64(time.Date(p[0], time.Month(p[1]), p[2], p[3], p[4], p[5], 0, time.Local).Unix()), err
	}, "tuple", "/")
	m.Def("ctime", func(v any) (string, error) {
		t, err := secondsOf(v)
		return t.Local().Format("Mon Jan _2 15:04:05 2006"), err
	}, "seconds=None", "/")
	m.Def("asctime", func(ctx context.Context, v any) (string, error) {
		if v == nil {
			return time.Now().Format("Mon Jan _2 15:04:05 2006"), nil
		}
		return strftime(ctx, "%a %b %e %H:%M:%S %Y", v)
	}, "tuple=None", "/")
	m.Def("strftime", func(ctx context.Context, format string, v any) (string, error) {
		if v == nil {
			v = newStructTime(time.Now())
		}
		return strftime(ctx, format, v)
	}, "format", "tuple=None", "/")
	winter, summer := time.Date(2026, 1, 1, 0, 0, 0, 0, time.Local), time.Date(2026, 7, 1, 0, 0, 0, 0, time.Local)
	if winter.IsDST() {
		winter, summer = summer, winter
	}
	std, offset := winter.Zone()
	other, otherOffset := summer.Zone()
	m.Const("timezone", int64(-offset), "altzone", int64(-otherOffset), "daylight", int64(btoi(offset != otherOffset)),
		"tzname", brine.Tuple{std, other},
		"struct_time", timeClass)
	return m
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// strftime is time.strftime in the C locale.
func strftime(ctx context.Context, format string, v any) (string, error) {
	p, err := partsOf(ctx, v)
	if err != nil {
		return "", err
	}
	for i, limit := range [9][2]int{{math.MinInt32, math.MaxInt32}, {0, 12}, {0, 31}, {0, 23}, {0, 59}, {0, 61}, {-1, 6},
		{0, 366}, {math.MinInt32, math.MaxInt32}} {
		if p[i] < limit[0] || p[i] > limit[1] {
			return "", vinegar.ValueError.New([]string{"year", "month", "day of month", "hour", "minute", "seconds",
				"day of week", "day of year", "dst"}[i] + " out of range")
		}
	}
	p[1], p[2], p[7] = max(p[1], 1), max(p[2], 1), max(p[7], 1)
	date := time.Date(p[0], time.Month(p[1]), p[2], p[3], p[4], p[5], 0, time.Local)
	weekday := (p[6] + 1) % 7
	hour12 := (p[3]+11)%12 + 1
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		two := func(n int) { fmt.Fprintf(&b, "%02d", n) }
		var err error
		part := ""
		switch format[i] {
		case 'a':
			b.WriteString(time.Weekday(weekday).String()[:3])
		case 'A':
			b.WriteString(time.Weekday(weekday).String())
		case 'b', 'h':
			b.WriteString(time.Month(p[1]).String()[:3])
		case 'B':
			b.WriteString(time.Month(p[1]).String())
		case 'd':
			two(p[2])
		case 'e':
			fmt.Fprintf(&b, "%2d", p[2])
		case 'H':
			two(p[3])
		case 'I':
			two(hour12)
		case 'j':
			fmt.Fprintf(&b, "%03d", p[7])
		case 'm':
			two(p[1])
		case 'M':
			two(p[4])
		case 'p':
			b.WriteString([]string{"AM", "PM"}[btoi(p[3] >= 12)])
		case 'S':
			two(p[5])
		case 'U':
			two((p[7] - 1 + 7 - weekday) / 7)
		case 'W':
			two((p[7] - 1 + 7 - p[6]) / 7)
		case 'w':
			b.WriteString(strconv.Itoa(weekday))
		case 'u':
			b.WriteString(strconv.Itoa(p[6] + 1))
		case 'y':
			two(p[0] % 100)
		case 'Y':
			b.WriteString(strconv.Itoa(p[0]))
		case 'Z':
			b.WriteString(date.Format("MST"))
		case 'z':
			b.WriteString(date.Format("-0700"))
		case 's':
			b.WriteString(strconv.FormatInt(date.Unix(), 10))
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case '%':
			b.WriteByte('%')
		case 'c':
			part = "%a %b %e %H:%M:%S %Y"
		case 'x', 'D':
			part = "%m/%d/%y"
		case 'X', 'T':
			part = "%H:%M:%S"
		case 'F':
			part = "%Y-%m-%d"
		case 'R':
			part = "%H:%M"
		case 'r':
			part = "%I:%M:%S %p"
		default:
			return "", vinegar.ValueError.Errorf("the directive %%%c is not supported by this server", format[i])
		}
		if part != "" {
			if part, err = strftime(ctx, part, v); err != nil {
				return "", err
			}
			b.WriteString(part)
		}
	}
	return b.String(), nil
}
