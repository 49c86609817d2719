package binding

import (
	"reflect"
	"slices"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Args are the arguments of one call, decoded or still in brine's encoding. The encoded form goes straight into the
// parameters of the Go function called; what is not converted is not copied. The zero value is a call without
// arguments. An Args is for one call and one goroutine.
type Args struct {
	pos    []any
	kw     []netref.Keyword
	rawPos []byte
	rawKw  []byte
	shared bool // decoded byte strings may share the memory of the encoding

	copied []*netref.Object // handles that were converted to values
	passed []*netref.Object // handles that were passed as such
}

// NewArgs returns decoded arguments. It keeps the slices.
func NewArgs(pos []any, kw []netref.Keyword) *Args { return &Args{pos: pos, kw: kw} }

// SetRaw replaces the positional or the keyword arguments, or both, by a value in brine's encoding: any iterable value
// for the positional ones, an iterable of (name, value) pairs for the keywords. nil leaves what is there. The encoding
// must have been checked by brine.Cursor.Skip, and must not change until the call has returned.
func (a *Args) SetRaw(pos, kw []byte) {
	if pos != nil {
		a.rawPos, a.pos = pos, nil
	}
	if kw != nil {
		a.rawKw, a.kw = kw, nil
	}
}

// Share lets byte strings in the arguments share the memory of the encoding given to SetRaw, which must then never
// change.
func (a *Args) Share() { a.shared = true }

// bound notes that v was converted for a parameter of type t.
func (a *Args) bound(v any, t reflect.Type) {
	switch v := v.(type) {
	case *netref.Object:
		if copies(t) {
			a.copied = append(a.copied, v)
		} else {
			a.passed = append(a.passed, v)
		}
	case brine.Tuple:
		for _, item := range v {
			a.bound(item, objectType) // it may have been converted, too, but that is of no use to anyone
		}
	}
}

var objectType = reflect.TypeFor[*netref.Object]()

// copies reports whether a Go value of type t that an object of the peer was converted to has nothing of the handle.
func copies(t reflect.Type) bool {
	for t.Kind() == reflect.Pointer && !objectType.AssignableTo(t) {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Interface, reflect.Func, reflect.Pointer:
		return false
	}
	return true
}

// Copied returns the handles among the positional arguments that were converted to values wherever the call has used
// them: nothing that the call has made has them. A handle is returned as often as it was given.
func (a *Args) Copied() []*netref.Object {
	if len(a.copied) == 0 {
		return nil
	}
	var copied []*netref.Object
	for _, v := range a.pos {
		if o, ok := v.(*netref.Object); ok && slices.Contains(a.copied, o) && !slices.Contains(a.passed, o) {
			copied = append(copied, o)
		}
	}
	return copied
}

func (a *Args) cursor(raw []byte) brine.Cursor {
	c := brine.NewCursor(raw)
	c.SetAlias(a.shared)
	return c
}

// Positional returns the positional arguments, decoded. The caller must not change the slice.
func (a *Args) Positional() ([]any, error) {
	if a.rawPos != nil {
		c := a.cursor(a.rawPos)
		v, err := c.Value()
		if err != nil {
			return nil, err
		}
		items, ok, err := PlainItems(v)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, NotSpreadable(v)
		}
		a.pos, a.rawPos = items, nil
	}
	return a.pos, nil
}

// Keywords returns the keyword arguments, decoded. Each name occurs once, with its last value at its first place.
func (a *Args) Keywords() ([]netref.Keyword, error) {
	if a.rawKw != nil {
		c := a.cursor(a.rawKw)
		v, err := c.Value()
		if err != nil {
			return nil, err
		}
		if a.kw, err = plainKeywords(v); err != nil {
			return nil, err
		}
		a.rawKw = nil
	}
	a.kw = mergeRepeated(a.kw)
	return a.kw, nil
}

// Both returns the positional and the keyword arguments.
func (a *Args) Both() (pos []any, kw []netref.Keyword, err error) {
	if pos, err = a.Positional(); err == nil {
		kw, err = a.Keywords()
	}
	return pos, kw, err
}

// HasNoKeywords reports whether there certainly are no keyword arguments, without decoding them.
func (a *Args) HasNoKeywords() bool {
	if a.rawKw != nil {
		c := brine.NewCursor(a.rawKw)
		if c.Kind() != brine.KindTuple {
			return false
		}
		if c.Len() == 1 {
			return true
		}
		n, err := c.Tuple()
		return err == nil && n == 0
	}
	return len(a.kw) == 0
}

// find returns the place of a keyword, -1 if it is not there.
func find(kw []netref.Keyword, name string) int {
	for i := range kw {
		if kw[i].Name == name {
			return i
		}
	}
	return -1
}

// mergeRepeated gives each name one entry, as building a dict of them does: the first place and the last value. It
// returns kw itself if no name is repeated. A peer can send a million keywords, so every name is looked up once.
func mergeRepeated(kw []netref.Keyword) []netref.Keyword {
	if len(kw) <= 8 { // the usual case, for which no map is made
		repeated := false
		for i := 1; i < len(kw) && !repeated; i++ {
			repeated = find(kw[:i], kw[i].Name) >= 0
		}
		if !repeated {
			return kw
		}
	}
	place := make(map[string]int, len(kw))
	for i := range kw {
		if _, seen := place[kw[i].Name]; !seen {
			place[kw[i].Name] = len(place)
		}
	}
	if len(place) == len(kw) {
		return kw
	}
	merged := make([]netref.Keyword, len(place))
	for _, k := range kw {
		merged[place[k.Name]] = k
	}
	return merged
}

// plainKeywords is dict(v) for a value that came by value, with the names checked as f(**d) does.
func plainKeywords(v any) ([]netref.Keyword, error) {
	if kw, ok := KeywordPairs(v); ok {
		return kw, nil
	}
	elements, ok, err := PlainItems(v)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, vinegar.TypeError.Errorf("'%s' object is not iterable", model.TypeName(v))
	}
	kw := make([]netref.Keyword, 0, len(elements))
	allNames := true
	for i, element := range elements {
		pair, ok, err := PlainItems(element)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, NoPair(i)
		}
		if len(pair) != 2 {
			return nil, WrongPair(i, len(pair))
		}
		name, ok := pair[0].(string)
		allNames = allNames && ok && utf8.ValidString(name)
		kw = append(kw, netref.Keyword{Name: name, Value: pair[1]})
	}
	if !allNames { // as CPython, which makes the dict first and then looks at its keys
		return nil, KeywordsMustBeStrings()
	}
	return kw, nil
}

// KeywordPairs takes a tuple of (name, value) tuples, the form in which keywords nearly always come. It returns false
// for everything else.
func KeywordPairs(v any) ([]netref.Keyword, bool) {
	t, ok := v.(brine.Tuple)
	if !ok {
		return nil, false
	}
	kw := make([]netref.Keyword, len(t))
	for i := range t {
		pair, ok := t[i].(brine.Tuple)
		if !ok || len(pair) != 2 {
			return nil, false
		}
		if kw[i].Name, ok = pair[0].(string); !ok || !utf8.ValidString(kw[i].Name) {
			return nil, false
		}
		kw[i].Value = pair[1]
	}
	return kw, true
}

// MaxItems bounds how many items are collected at once on behalf of a peer.
const MaxItems = 1 << 20

// PlainItems returns the items of a value that came by value, which for a text take a good deal more memory than the
// text: more than [MaxItems] are an error. ok is false for what Python cannot iterate over.
func PlainItems(v any) (items []any, ok bool, err error) {
	switch x := v.(type) {
	case string:
		if len(x) > MaxItems && utf8.RuneCountInString(x) > MaxItems {
			return nil, true, TooManyItems()
		}
	case []byte:
		if len(x) > MaxItems {
			return nil, true, TooManyItems()
		}
	}
	items, ok = pyvalue.Items(v)
	return items, ok, nil
}

// TooManyItems is the error for more than [MaxItems].
func TooManyItems() error { return vinegar.MemoryError.Errorf("more than %d items", MaxItems) }
