package pickle

import (
	"math"
	"time"
)

// makeDatetime takes the bytes of a datetime and a zone.
func makeDatetime(c *call) (any, error) {
	b, ok := c.bytes(0)
	loc, known := c.zone(1)
	if !ok || !known || len(c.args) > 2 || !c.bare() {
		return nil, errForm
	}
	t, ok := datetime(b, loc, c.r.exact)
	if !ok {
		return nil, errForm
	}
	return t, nil
}

// datetime reads the ten bytes of a datetime: year, month with the fold in the highest bit, day, hour, minute, second,
// microsecond. Exact times have no names of zones and are in UTC without one, as those that are read from texts.
func datetime(b []byte, loc *time.Location, exact bool) (t time.Time, ok bool) {
	if len(b) != 10 {
		return t, false
	}
	if loc == nil {
		loc = Naive
	}
	year, month, day := int(b[0])<<8|int(b[1]), time.Month(b[2]&0x7f), int(b[3])
	us := int(b[7])<<16 | int(b[8])<<8 | int(b[9])
	if year < 1 || month < 1 || month > 12 || day < 1 || day > 31 || b[4] > 23 || b[5] > 59 || b[6] > 59 || us > 999999 {
		return t, false
	}
	t = time.Date(year, month, day, int(b[4]), int(b[5]), int(b[6]), us*1000, loc)
	if b[2]&0x80 != 0 && loc != Naive { // the second of two equal times at the end of summer time
		if later := t.Add(time.Hour); later.Hour() == t.Hour() {
			t = later
		}
	}
	if exact {
		t = anonymous(t)
	}
	return t, true
}

// anonymous is a time without the name of its zone.
func anonymous(t time.Time) time.Time {
	if _, offset := t.Zone(); offset != 0 {
		return t.In(time.FixedZone("", offset))
	}
	return t.UTC()
}

// zone returns the i-th argument as a location, nil without one; not ok for one that is unknown.
func (c *call) zone(i int) (*time.Location, bool) {
	if i >= len(c.args) || c.args[i] == nil {
		return nil, true
	}
	loc, ok := c.args[i].(*time.Location)
	return loc, ok
}

func makeDate(c *call) (any, error) {
	b, ok := c.bytes(0)
	if !ok || len(b) != 4 || len(c.args) != 1 || !c.bare() {
		return nil, errForm
	}
	return date(b), nil
}

func date(b []byte) Date { return Date{int(b[0])<<8 | int(b[1]), time.Month(b[2]), int(b[3])} }

func makeClock(c *call) (any, error) {
	b, ok := c.bytes(0)
	if !ok || len(b) != 6 || len(c.args) > 2 || !c.bare() {
		return nil, errForm
	}
	loc, ok := c.zone(1)
	if !ok {
		return nil, errForm
	}
	return Clock{int(b[0] & 0x7f), int(b[1]), int(b[2]), int(b[3])<<16 | int(b[4])<<8 | int(b[5]), loc}, nil
}

// makeTimedelta takes days, seconds and microseconds. More than the 292 years of a time.Duration stay an *Object.
func makeTimedelta(c *call) (any, error) {
	n, ok := c.ints(0)
	if ok && c.bare() {
		if d, ok := timedelta(n); ok {
			return d, nil
		}
	}
	return nil, errForm
}

func timedelta(n []int64) (any, bool) {
	const most = 106751 // days
	if len(n) != 3 || n[0] >= most || n[0] <= -most || n[1] < 0 || n[1] >= 86400 || n[2] < 0 || n[2] >= 1e6 {
		return nil, false
	}
	return time.Duration(n[0])*24*time.Hour + time.Duration(n[1])*time.Second + time.Duration(n[2])*time.Microsecond, true
}

// resolutions are pandas' numbers of units (NPY_DATETIMEUNIT).
var resolutions = map[int64]string{7: "[s]", 8: "[ms]", 9: "[us]", 10: "[ns]"}

// makeTimestamp takes _unpickle_timestamp(value, freq, zone, resolution); before pandas 2 there is no resolution.
func makeTimestamp(c *call) (any, error) {
	u, ok := c.resolution(3)
	v, isInt := c.args0().(int64)
	loc, known := c.zone(2)
	if !ok || !isInt || !known || v == notATime || !c.bare() {
		return nil, errForm
	}
	t, ok := u.date(v, 1)
	switch {
	case !ok:
		return nil, errForm
	case c.r.exact && loc == nil:
	case loc == nil:
		loc = Naive
	}
	if loc != nil {
		t = t.In(loc)
	}
	if c.r.exact {
		t = anonymous(t)
	}
	return t, nil
}

// makePandasTimedelta takes _timedelta_unpickle(value, resolution).
func makePandasTimedelta(c *call) (any, error) {
	u, ok := c.resolution(1)
	v, isInt := c.args0().(int64)
	if !ok || !isInt || !c.bare() || v > math.MaxInt64/u.ns || v <= math.MinInt64/u.ns {
		return nil, errForm
	}
	return time.Duration(v * u.ns), nil
}

func (c *call) resolution(i int) (u unit, ok bool) {
	text := "[ns]"
	if i < len(c.args) {
		n, _ := c.args[i].(int64)
		text = resolutions[n]
	}
	u, _, ok = unitOf(text)
	return u, ok
}

func makeTimezone(c *call) (any, error) {
	if len(c.args) < 1 || len(c.args) > 2 || !c.bare() {
		return nil, errForm
	}
	d, ok := c.args[0].(time.Duration)
	if !ok || d <= -24*time.Hour || d >= 24*time.Hour || d%time.Second != 0 {
		return nil, errForm
	}
	if d == 0 && len(c.args) == 1 {
		return time.UTC, nil
	}
	name := "UTC" + time.Unix(0, 0).In(time.FixedZone("", int(d/time.Second))).Format("-07:00")
	if len(c.args) == 2 {
		if name, ok = c.str(1); !ok {
			return nil, errForm
		}
	}
	return time.FixedZone(name, int(d/time.Second)), nil
}

// makeZoneInfo takes ZoneInfo._unpickle(key, from_cache). time.LoadLocation takes no name that leaves the database.
func makeZoneInfo(c *call) (any, error) {
	name, ok := c.str(0)
	if !ok || len(name) > 100 || name == "" || name == "Local" || !c.bare() {
		return nil, errForm
	}
	loc, known := c.r.zones[name]
	if !known && len(c.r.zones) < 1000 { // names that do not exist are looked for in files
		loc, _ = time.LoadLocation(name)
		if c.r.zones == nil {
			c.r.zones = map[string]*time.Location{}
		}
		c.r.zones[name] = loc
	}
	if loc == nil {
		return nil, errForm
	}
	return loc, nil
}
