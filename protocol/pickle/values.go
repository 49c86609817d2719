package pickle

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/netref"
)

// ByteArray is a Python bytearray.
type ByteArray []byte

// Set is a Python set, whose members are different in Python's eyes: 1 and 1.0 are one. Order carries no meaning.
type Set []any

// GoValue makes netref.As treat a set as a frozenset, which it knows.
func (s Set) GoValue() any { return brine.FrozenSet(s) }

// Range is a Python range object; xrange in Python 2.
type Range struct{ Start, Stop, Step any }

// Class names a Python class or function, which is never looked up. Protocols 0 to 2 name some modules as Python 2
// does; here they have their names of Python 3.
type Class struct{ Module, Name string }

// String returns the full name, "module.Name".
func (c Class) String() string { return c.Module + "." + c.Name }

// Dict is a Python dict, or one of its subclasses OrderedDict, defaultdict and Counter. It keeps the order of insertion
// and has keys that Go maps cannot have, and compares them as Python does. The zero value is an empty dict. It must not
// be copied once used, nor be written while another goroutine uses it.
type Dict struct {
	// Class is the class of a subclass, the zero value for a dict.
	Class Class

	entries []entry
	index   map[any]int // form of the key, see keyNumbers.key → index of its entry
	numbers *keyNumbers
	dead    int // keys that numbers may know and that have been deleted
}

type entry struct{ key, value any }

// Len returns the number of entries.
func (d *Dict) Len() int { return len(d.entries) }

// All iterates over keys and values in the order of insertion.
func (d *Dict) All() iter.Seq2[any, any] {
	return func(yield func(k, v any) bool) {
		for _, e := range d.entries {
			if !yield(e.key, e.value) {
				return
			}
		}
	}
}

// Get returns the value of a key, which may be of any Go type that stands for a hashable Python value, and whether it
// is there.
func (d *Dict) Get(key any) (any, bool) {
	if d.numbers == nil {
		return nil, false
	}
	k, known, _ := d.numbers.key(key, false)
	i, ok := d.index[k]
	if !known || !ok {
		return nil, false
	}
	return d.entries[i].value, true
}

// Set sets the value of a key. A key that Python cannot hash, such as a slice, is an error.
func (d *Dict) Set(key, value any) error {
	if d.numbers == nil {
		d.numbers = newKeyNumbers()
	}
	k, _, err := d.numbers.key(key, true)
	if err == nil {
		d.put(k, key, value)
	}
	return err
}

// Delete removes a key and reports whether it was there. Unless it is the last one, that takes time in proportion to
// the number of entries.
func (d *Dict) Delete(key any) bool {
	if d.numbers == nil {
		return false
	}
	k, known, _ := d.numbers.key(key, false)
	i, ok := d.index[k]
	if !known || !ok {
		return false
	}
	defer d.forget(k)
	last := i == len(d.entries)-1
	d.entries = slices.Delete(d.entries, i, i+1)
	delete(d.index, k)
	if last {
		return true
	}
	for k, j := range d.index {
		if j > i {
			d.index[k] = j - 1
		}
	}
	return true
}

// forget notes that a key has been deleted. When there are more of these than entries, the others are numbered anew.
func (d *Dict) forget(indexed any) {
	if _, ok := indexed.(numbered); !ok {
		return
	}
	if d.dead++; d.dead <= len(d.entries) {
		return
	}
	entries := d.entries
	d.Clear()
	d.numbers = newKeyNumbers()
	for _, e := range entries {
		k, _, _ := d.numbers.key(e.key, true)
		d.put(k, e.key, e.value)
	}
}

// Clear removes all entries.
func (d *Dict) Clear() { d.entries, d.index, d.numbers, d.dead = nil, nil, nil, 0 }

// put sets the value of a key that is in the index as indexed. An equal key stays, as in Python.
func (d *Dict) put(indexed, key, value any) {
	if d.index == nil {
		d.index = map[any]int{}
	}
	i, ok := d.index[indexed]
	if ok {
		d.entries[i].value = value
		return
	}
	d.index[indexed] = len(d.entries)
	d.entries = append(d.entries, entry{key, value})
}

// Object is an object of a class that this package does not know: what its pickle says of it, as data. The call
// Class(*Args, **Kwargs) would have made it, with State given to it afterwards.
type Object struct {
	Class Class
	// Member is set for what the pickle has as getattr(Class, Member); there is nothing else then. It is a member of an
	// Enum, as CPython 3.11.0 to 3.11.3 write it, where others write a call with the member's value; or, in protocols
	// below 4, which do not tell them apart, a class or a function inside of Class. netref.As makes a Class of either.
	Member string
	// New says that it is Class.__new__ that is called, which does not run __init__.
	New    bool
	Args   brine.Tuple
	Kwargs *Dict // nil if there are none
	// State is what __setstate__ would have been given, in most cases a *[Dict] of attributes, or a tuple of two of
	// them for classes with slots; nil if there is none.
	State any
	// Items were added to a list-like or set-like object.
	Items []any
	// Pairs were set in a dict-like object; nil if there are none.
	Pairs *Dict
}

// ClassName is the full name of the object's class, as netref.Object has it; errors of netref.As name it.
func (o *Object) ClassName() string { return o.Class.String() }

// All iterates over the object's attributes, those in its State. It lets netref.As make a struct of an object.
func (o *Object) All() iter.Seq2[any, any] {
	return func(yield func(k, v any) bool) {
		states := []any{o.State}
		if t, ok := o.State.(brine.Tuple); ok && len(t) == 2 {
			states = t
		}
		for _, s := range states {
			d, ok := s.(*Dict)
			if !ok {
				continue
			}
			for k, v := range d.All() {
				if !yield(k, v) {
					return
				}
			}
		}
	}
}

// Attr returns an attribute from the object's State.
func (o *Object) Attr(name string) (any, bool) {
	for k, v := range o.All() {
		if k == name {
			return v, true
		}
	}
	return nil, false
}

// String says what the object is, without its contents.
func (o *Object) String() string { return fmt.Sprintf("<pickled %v>", o.Class) }

// Namespace is an object that has nothing but these attributes. It is written only; see (4) in the package's table.
type Namespace []netref.Keyword

// Decimal is a decimal.Decimal in the form Python prints it: "1.10", "-1E+3", "NaN".
type Decimal string

// UUID is a uuid.UUID.
type UUID [16]byte

// String returns the usual form with hyphens.
func (u UUID) String() string {
	h := fmt.Sprintf("%032x", [16]byte(u))
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

// Date is a datetime.date.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// String returns the date as in ISO 8601.
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) }

// Clock is a datetime.time.
type Clock struct {
	Hour, Minute, Second, Microsecond int
	// Zone is nil for a time without a zone.
	Zone *time.Location
}

// Naive is the location of times that come from a datetime without a time zone, and that become one: the numbers are
// those of the datetime. What zone they are meant in only the program knows; time.Date makes it a time there.
var Naive = pyvalue.Naive
