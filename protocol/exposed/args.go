package exposed

import (
	"context"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine"
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

// Share lets byte strings in the arguments share the memory of the encoding given to SetRaw, which must then never change.
func (a *Args) Share() { a.shared = true }

func (a *Args) cursor(raw []byte) brine.Cursor {
	c := brine.NewCursor(raw)
	c.SetAlias(a.shared)
	return c
}

// CallArgs makes arguments of the decoded values that a request carries, which may be anything iterable, an object of
// the other end or one of ours (Python's f(*pos, **dict(kw))).
func CallArgs(ctx context.Context, pos, kw any) (*Args, error) {
	a := new(Args)
	var err error
	if a.pos, err = spread(ctx, pos); err != nil {
		return nil, err
	}
	a.kw, err = keywords(ctx, kw)
	return a, err
}

// Positional returns the positional arguments, decoded. The caller must not change the slice.
func (a *Args) Positional() ([]any, error) {
	if a.rawPos != nil {
		c := a.cursor(a.rawPos)
		v, err := c.Value()
		if err != nil {
			return nil, err
		}
		if a.pos, err = spread(context.Background(), v); err != nil {
			return nil, err
		}
		a.rawPos = nil
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
		if a.kw, err = keywords(context.Background(), v); err != nil {
			return nil, err
		}
		a.rawKw = nil
	}
	for i := 1; i < len(a.kw); i++ {
		if index(a.kw[:i], a.kw[i].Name) >= 0 {
			a.kw = unique(a.kw)
			break
		}
	}
	return a.kw, nil
}

// noKeywords reports whether there certainly are none, without decoding.
func (a *Args) noKeywords() bool {
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

func index(kw []netref.Keyword, name string) int {
	for i := range kw {
		if kw[i].Name == name {
			return i
		}
	}
	return -1
}

// unique merges repeated keywords, as building a dict of them does.
func unique(kw []netref.Keyword) []netref.Keyword {
	at := make(map[string]int, len(kw))
	out := make([]netref.Keyword, 0, len(kw))
	for _, k := range kw {
		if i, seen := at[k.Name]; seen {
			out[i].Value = k.Value
			continue
		}
		at[k.Name] = len(out)
		out = append(out, k)
	}
	return out
}

// spread is what f(*v) makes of v.
func spread(ctx context.Context, v any) ([]any, error) {
	if !iterable(v) {
		return nil, vinegar.TypeError.Errorf("argument after * must be an iterable, not %s", TypeName(v))
	}
	return items(ctx, v)
}

// keywords is dict(v) with the names checked as f(**d) does.
func keywords(ctx context.Context, v any) ([]netref.Keyword, error) {
	if kw, ok := pairs(v); ok {
		return kw, nil
	}
	d := new(Dict)
	if err := updateDict(ctx, d, v); err != nil {
		return nil, err
	}
	kw := make([]netref.Keyword, 0, d.live)
	for _, e := range d.entries {
		name, ok := e.key.(string)
		if !ok || !utf8.ValidString(name) {
			return nil, vinegar.TypeError.New("keywords must be strings")
		}
		kw = append(kw, netref.Keyword{Name: name, Value: e.value})
	}
	return kw, nil
}

// pairs takes the form in which keywords nearly always come.
func pairs(v any) ([]netref.Keyword, bool) {
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

// none checks that a builtin method is called without keywords, in CPython's words for wrapped slots (__len__) and
// other methods.
func (a *Args) none(qual, name string) error {
	if a.noKeywords() {
		return nil
	}
	if _, err := a.Keywords(); err != nil {
		return err
	}
	if isSpecial(name) {
		return vinegar.TypeError.Errorf("wrapper %s() takes no keyword arguments", name)
	}
	return vinegar.TypeError.Errorf("%s() takes no keyword arguments", qual)
}

// direct holds the special methods that are ordinary methods in CPython's implementation, which shows in their errors.
var direct = makeSet(`object.__format__ object.__dir__ list.__getitem__ list.__reversed__ dict.__getitem__ dict.__contains__
	dict.__reversed__ set.__contains__ list_iterator.__length_hint__ tuple_iterator.__length_hint__ set_iterator.__length_hint__
	dict_keyiterator.__length_hint__ type.__instancecheck__`)

// count checks and returns the positional arguments of a builtin method that takes between least and most.
func (a *Args) count(qual, name string, least, most int) ([]any, error) {
	if err := a.none(qual, name); err != nil {
		return nil, err
	}
	pos, err := a.Positional()
	if err != nil {
		return nil, err
	}
	n := len(pos)
	switch {
	case n >= least && n <= most:
		return pos, nil
	case isSpecial(name) && least == most && !direct[qual]:
		return nil, vinegar.TypeError.Errorf("expected %d argument%s, got %d", least, plural(least), n)
	case least == 0 && most == 0:
		return nil, vinegar.TypeError.Errorf("%s() takes no arguments (%d given)", qual, n)
	case least == 1 && most == 1:
		return nil, vinegar.TypeError.Errorf("%s() takes exactly one argument (%d given)", qual, n)
	}
	bound, limit := "", least
	switch {
	case least != most && n < least:
		bound = "at least "
	case least != most:
		bound, limit = "at most ", most
	}
	return nil, vinegar.TypeError.Errorf("%s expected %s%d argument%s, got %d", name, bound, limit, plural(limit), n)
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}
