package vinegar

import (
	"sort"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
)

// DumpOptions says what of an exception is sent. A nil *DumpOptions is the zero
// value.
type DumpOptions struct {
	// HideTraceback sends "<traceback denied>" in place of the text: RPyC's
	// include_local_traceback turned off.
	HideTraceback bool
	// HideVersion sends "<version denied>" as the attribute _remote_version:
	// RPyC's include_local_version turned off.
	HideVersion bool
	// Version is sent as _remote_version. A Python peer warns its user if the
	// major number is not its own. "" sends no such attribute, as RPyC before
	// 4.1.1 did.
	Version string
	// Python2 names builtin classes as Python 2 does: they are in a module of their
	// own there, and what it does not have is named by its nearest base.
	Python2 bool
	// Repr makes the text for values that brine cannot carry. nil means [Repr]. It
	// may panic.
	Repr func(any) string
	// Frames are where the exception passed through the side that sends it,
	// outermost first. They are shown before its own frames.
	Frames []Frame
}

const (
	tracebackDenied = "<traceback denied>"
	versionDenied   = "<version denied>"
)

// AppendPayload appends the payload of an exception message to b. It is
// rpyc.core.vinegar.dump followed by brine.dump: a StopIteration is the
// number 1, everything else ((module, class), args, attributes, traceback text)
// with the attributes sorted by name and _remote_version last.
//
// Whatever e holds, CPython can load the result and raise it:
//
//   - values that brine or CPython's decoder refuses become text: their repr, or
//     for text that is no UTF-8 the text with U+FFFD in it; behind a megabyte of
//     them "...";
//   - attributes are left out if their name begins with "_" or is "args" or
//     "with_traceback", and if CPython cannot set or print them (a start that is
//     no integer, on a UnicodeDecodeError). Of two with the same name the last
//     one counts;
//   - errno, filename and the like of an OSError are left out if they are None,
//     because CPython then prints "[Errno None] None" and not the message;
//   - an exception group goes as RPyC's generic class of the same name, because
//     CPython cannot make one without its members. [DecodePayload] knows it again;
//   - a Unicode error that lacks some of its five attributes goes as
//     UnicodeError, because CPython would print nothing.
//
// A nil e counts as a SystemError. The error is nil for all values known; b
// is returned unchanged with it.
func AppendPayload(b []byte, e *Error, o *DumpOptions) ([]byte, error) {
	if e == nil {
		e = SystemError.New("error return without exception set")
	}
	if o == nil {
		o = &DumpOptions{}
	}
	c := e.class()
	if c.same(StopIteration) {
		return brine.AppendInt(b, 1), nil
	}
	d := dumper{out: b, repr: reprer{other: o.Repr}}

	d.tuple(4)
	d.tuple(2)
	module, name := wireName(e)
	if o.Python2 && module == "builtins" {
		module, name = "exceptions", python2Class(e.class()).name
		if e.file && name == "OSError" {
			name = "IOError"
		}
	}
	d.name(module, o)
	d.name(name, o)

	d.tuple(len(e.Args))
	for _, v := range e.Args {
		d.value(v)
	}

	attrs := sendable(e)
	version, hasVersion := o.Version, o.Version != ""
	if o.HideVersion {
		version, hasVersion = versionDenied, true
	}
	if hasVersion {
		attrs = append(attrs, Attr{"_remote_version", version})
	}
	d.tuple(len(attrs))
	for _, a := range attrs {
		d.tuple(2)
		d.name(a.Name, o)
		d.value(a.Value)
	}

	if o.HideTraceback {
		d.text(tracebackDenied)
	} else {
		d.text(e.traceback(o.Frames, d.repr))
	}
	if d.err != nil {
		return b, d.err
	}
	return d.out, nil
}

// name appends the name of a class or an attribute, which is a byte string in Python 2: RPyC 3 makes classes of them.
func (d *dumper) name(s string, o *DumpOptions) {
	if o.Python2 {
		d.value([]byte(s))
		return
	}
	d.text(s)
}

// wireName returns the names under which a Python peer shall look the class up.
func wireName(e *Error) (module, name string) {
	c := e.class()
	switch {
	case c.IsSubclass(BaseExceptionGroup):
		// The names that a CPython before 3.11 gives these when it forwards them.
		return genericPrefix + c.module, c.module + "." + c.name
	case c.module == "builtins" && c.isAny(unicodeClasses):
		if !e.unicodeComplete() {
			c = UnicodeError
		}
	}
	return c.module, c.name
}

// python3Only are the exceptions that Python 2 does not have.
var python3Only = func() map[string]bool {
	m := map[string]bool{}
	for _, name := range strings.Fields("BaseExceptionGroup BlockingIOError BrokenPipeError ChildProcessError " +
		"ConnectionAbortedError " +
		"ConnectionError ConnectionRefusedError ConnectionResetError EncodingWarning ExceptionGroup FileExistsError " +
		"FileNotFoundError " +
		"InterruptedError IsADirectoryError ModuleNotFoundError NotADirectoryError PermissionError ProcessLookupError " +
		"PythonFinalizationError RecursionError ResourceWarning StopAsyncIteration TimeoutError") {
		m[name] = true
	}
	return m
}()

// python2Class is the nearest class that Python 2 has.
func python2Class(c *Class) *Class {
	for c.module == "builtins" && python3Only[c.name] && len(c.bases) > 0 {
		c = c.bases[0]
	}
	return c
}

// sendable returns the attributes that go on the wire, in order.
func sendable(e *Error) []Attr {
	if len(e.Attrs) == 0 {
		return nil
	}
	attrs := make([]Attr, 0, len(e.Attrs)+1)
	at := make(map[string]int, len(e.Attrs))
	for _, a := range e.Attrs {
		name := validText(a.Name)
		if i, ok := at[name]; ok {
			attrs[i].Value = a.Value
			continue
		}
		at[name] = len(attrs)
		attrs = append(attrs, Attr{name, a.Value})
	}
	kept := attrs[:0]
	for _, a := range attrs {
		if settable(e.class(), a) {
			kept = append(kept, a)
		}
	}
	sort.Slice(kept, func(i, j int) bool { return kept[i].Name < kept[j].Name })
	return kept
}

// Attributes that CPython wants to be of certain types, in these classes, when it
// sets or prints them.
var (
	unicodeClasses = []*Class{UnicodeDecodeError, UnicodeEncodeError, UnicodeTranslateError}

	// Several timeouts became names of the builtin one, an OSError.
	osClasses = append([]*Class{OSError}, timeouts...)

	integerAttrs = map[string][]*Class{
		"start":              unicodeClasses,
		"end":                unicodeClasses,
		"characters_written": osClasses,
		"lineno":             {SyntaxError},
		"offset":             {SyntaxError},
		"end_lineno":         {SyntaxError},
		"end_offset":         {SyntaxError},
	}
	textAttrs = map[string][]*Class{
		"filename": {SyntaxError},
		"text":     {SyntaxError},
	}
)

// settable reports whether CPython takes the attribute, and its user is better
// off with it.
func settable(c *Class, a Attr) bool {
	if strings.HasPrefix(a.Name, "_") {
		return false
	}
	switch a.Name {
	case "args", "with_traceback":
		return false
	case "errno", "strerror", "filename", "filename2", "winerror":
		if a.Value == nil && c.isAny(osClasses) {
			return false
		}
	}
	if c.isAny(integerAttrs[a.Name]) {
		_, ok := asInt(a.Value)
		return ok || a.Value == nil && c.IsSubclass(SyntaxError)
	}
	if c.isAny(textAttrs[a.Name]) {
		_, ok := a.Value.(string)
		return ok || a.Value == nil
	}
	return true
}

// dumper appends brine. The first error sticks.
type dumper struct {
	out  []byte
	repr reprer
	err  error
}

func (d *dumper) tuple(n int) { d.out = brine.AppendTupleHeader(d.out, n) }

func (d *dumper) text(s string) {
	out, err := brine.AppendString(d.out, validText(s))
	if err != nil {
		if d.err == nil {
			d.err = err
		}
		return
	}
	d.out = out
}

// value appends v, or what can be sent in its place.
func (d *dumper) value(v any) {
	if brine.Dumpable(v) {
		if clean, ok := loadable(v, false); ok {
			if out, err := brine.Append(d.out, clean); err == nil {
				d.out = out
				return
			}
		}
	}
	if len(d.out) > maxGoRepr {
		d.text("...")
		return
	}
	d.text(d.repr.repr(v))
}

// loadable returns v with invalid UTF-8 replaced. It returns false if CPython
// could not load the value: before 3.12 slices cannot be members of sets.
func loadable(v any, inSet bool) (any, bool) {
	switch v := v.(type) {
	case string:
		return validText(v), true
	case brine.Tuple:
		items, ok := loadableItems(v, inSet)
		return brine.Tuple(items), ok
	case brine.FrozenSet:
		items, ok := loadableItems(v, true)
		return brine.FrozenSet(items), ok
	case brine.Slice:
		if inSet {
			return nil, false
		}
		items, ok := loadableItems([]any{v.Start, v.Stop, v.Step}, false)
		if !ok {
			return nil, false
		}
		return brine.Slice{Start: items[0], Stop: items[1], Step: items[2]}, true
	}
	return v, true
}

func loadableItems(items []any, inSet bool) ([]any, bool) {
	clean := make([]any, len(items))
	for i, v := range items {
		var ok bool
		if clean[i], ok = loadable(v, inSet); !ok {
			return nil, false
		}
	}
	return clean, true
}

func validText(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
