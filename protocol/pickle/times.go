package pickle

import (
	"time"
)

// makeDatetime takes the ten bytes of a datetime: year, month with the fold in the highest bit, day, hour, minute,
// second, microsecond.
func makeDatetime(c *call) (any, error) {
	b, ok := c.bytes(0)
	if !ok || len(b) != 10 || len(c.args) > 2 || !c.bare() {
		return nil, errForm
	}
	loc, ok := c.zone(1)
	if !ok {
		return nil, errForm
	}
	if loc == nil {
		loc = Naive
	}
	year, month, day := int(b[0])<<8|int(b[1]), time.Month(b[2]&0x7f), int(b[3])
	us := int(b[7])<<16 | int(b[8])<<8 | int(b[9])
	if year < 1 || month < 1 || month > 12 || day < 1 || day > 31 || b[4] > 23 || b[5] > 59 || b[6] > 59 || us > 999999 {
		return nil, errForm
	}
	t := time.Date(year, month, day, int(b[4]), int(b[5]), int(b[6]), us*1000, loc)
	if b[2]&0x80 != 0 && loc != Naive { // the second of two equal times at the end of summer time
		if later := t.Add(time.Hour); later.Hour() == t.Hour() {
			t = later
		}
	}
	return t, nil
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
	return Date{int(b[0])<<8 | int(b[1]), time.Month(b[2]), int(b[3])}, nil
}

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
	if !ok || len(n) != 3 || !c.bare() {
		return nil, errForm
	}
	const most = 106751 // days
	if n[0] >= most || n[0] <= -most || n[1] < 0 || n[1] >= 86400 || n[2] < 0 || n[2] >= 1e6 {
		return nil, errForm
	}
	return time.Duration(n[0])*24*time.Hour + time.Duration(n[1])*time.Second + time.Duration(n[2])*time.Microsecond, nil
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
