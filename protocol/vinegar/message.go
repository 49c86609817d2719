package vinegar

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
)

// message is Python's str(exception). Those of exceptions that are arguments of others are bounded in depth, and in
// what they cost together: two of them in each would double it with every level.
func (e *Error) message(r reprer) string {
	if r.spent == nil {
		r.spent = new(int)
	}
	if r.depth > pyvalue.MaxReprDepth || *r.spent > maxGoRepr {
		return "..."
	}
	text := e.ownMessage(r)
	if told, ok := e.peersMessage(text); ok {
		text = told
	}
	*r.spent += 1 + len(text)
	return text
}

// peersMessage is what the peer itself says of a received exception, if that is not what its class and arguments say.
// A class with a __str__ of its own makes the difference: only the peer can run it.
func (e *Error) peersMessage(computed string) (string, bool) {
	switch {
	case e.text != nil:
		return *e.text, true
	case !e.remote || e.Traceback == "":
		return "", false
	}
	name := e.class().name
	if computed != "" && strings.Contains(e.Traceback, name+": "+computed+"\n") {
		return "", false // what follows are notes
	}
	return lastMessage(e.Traceback, name)
}

// lastMessage returns the message behind the last frames in the text of a traceback, if they end in an exception of a
// class of that name. Causes come before, and the tracebacks of peers that an exception has passed through as well.
func lastMessage(traceback, class string) (string, bool) {
	at := strings.LastIndex(traceback, tracebackHead)
	if at < 0 {
		return "", false
	}
	rest := traceback[at+len(tracebackHead):]
	for strings.HasPrefix(rest, " ") {
		_, rest, _ = strings.Cut(rest, "\n")
	}
	line, _, _ := strings.Cut(rest, "\n")
	qualified, _, _ := strings.Cut(line, ": ")
	if qualified != class && !strings.HasSuffix(qualified, "."+class) {
		return "", false
	}
	message := strings.TrimPrefix(rest[len(qualified):], ": ")
	for range 1 + strings.Count(traceback, remoteStart) { // each peer ends the text that it sends
		message = strings.TrimSuffix(message, "\n")
	}
	return message, true
}

func (e *Error) ownMessage(r reprer) string {
	if text := e.class().findText(); text != nil {
		if s, ok := text(e, r); ok {
			return s
		}
	}
	switch len(e.Args) {
	case 0:
		return ""
	case 1:
		return r.str(e.Args[0])
	}
	return r.repr(brine.Tuple(e.Args))
}

func keyErrorText(e *Error, r reprer) (string, bool) {
	if len(e.Args) != 1 {
		return "", false
	}
	return r.repr(e.Args[0]), true
}

func importErrorText(e *Error, _ reprer) (string, bool) {
	msg, ok := e.attr("msg").(string)
	return msg, ok
}

// syntaxErrorText gives the message alone, as the last line of a traceback
// does; str() in Python adds file and line, which a traceback shows above.
func syntaxErrorText(e *Error, r reprer) (string, bool) {
	msg, ok := e.Attr("msg")
	if !ok && len(e.Args) > 0 {
		msg = e.Args[0]
	}
	if msg == nil {
		return "<no detail available>", true
	}
	return r.str(msg), true
}

// osErrorText follows OSError.__str__. CPython tells "unset" from "None"; over
// the wire everything unset arrives as None, so None counts as unset here, which
// gives the text that the raising side shows.
func osErrorText(e *Error, r reprer) (string, bool) {
	errno, strerror := e.attr("errno"), e.attr("strerror")
	if len(e.Args) == 2 {
		if errno == nil {
			errno = e.Args[0]
		}
		if strerror == nil {
			strerror = e.Args[1]
		}
	}
	head := "[Errno " + r.str(errno) + "] " + r.str(strerror)
	if filename := e.attr("filename"); filename != nil {
		head += ": " + r.repr(filename)
		if filename2 := e.attr("filename2"); filename2 != nil {
			head += " -> " + r.repr(filename2)
		}
		return head, true
	}
	return head, errno != nil && strerror != nil
}

func groupText(e *Error, r reprer) (string, bool) {
	if len(e.Args) != 2 {
		return "", false
	}
	// From a peer the members arrive as text, which does not tell their number.
	members := reflect.ValueOf(e.Args[1])
	if !members.IsValid() || members.Kind() != reflect.Slice {
		return "", false
	}
	plural := "s"
	if members.Len() == 1 {
		plural = ""
	}
	return fmt.Sprintf("%s (%d sub-exception%s)", r.str(e.Args[0]), members.Len(), plural), true
}

// unicodeFields are the attributes the three Unicode errors print. The codec's
// name is absent from UnicodeTranslateError.
type unicodeFields struct {
	encoding, reason any
	object           any
	start, end       int64
}

func (e *Error) unicodeFields() (f unicodeFields, ok bool) {
	args := e.Args
	if e.class().IsSubclass(UnicodeTranslateError) {
		args = append([]any{nil}, args...)
	}
	get := func(name string, i int) any {
		if v, ok := e.Attr(name); ok {
			return v
		}
		if len(args) == 5 {
			return args[i]
		}
		return nil
	}
	f.encoding, f.object, f.reason = get("encoding", 0), get("object", 1), get("reason", 4)
	var ok1, ok2 bool
	f.start, ok1 = asInt(get("start", 2))
	f.end, ok2 = asInt(get("end", 3))
	return f, ok1 && ok2 && f.object != nil && f.reason != nil
}

// unicodeComplete reports whether CPython, which looks at the attributes only,
// can print the exception.
func (e *Error) unicodeComplete() bool {
	byAttrs := &Error{Class: e.Class, Attrs: e.Attrs}
	_, ok := e.class().findText()(byAttrs, reprer{})
	_, named := e.Attr("encoding")
	return ok && (named || e.class().IsSubclass(UnicodeTranslateError))
}

func unicodeDecodeText(e *Error, r reprer) (string, bool) {
	f, ok := e.unicodeFields()
	object, isBytes := f.object.([]byte)
	if !ok || !isBytes {
		return "", false
	}
	codec := fmt.Sprintf("'%s' codec can't decode ", r.str(f.encoding))
	if f.end == f.start+1 && f.start >= 0 && f.start < int64(len(object)) {
		return fmt.Sprintf("%sbyte 0x%02x in position %d: %s", codec, object[f.start], f.start, r.str(f.reason)), true
	}
	return fmt.Sprintf("%sbytes in position %d-%d: %s", codec, f.start, f.end-1, r.str(f.reason)), true
}

func unicodeEncodeText(e *Error, r reprer) (string, bool) {
	f, ok := e.unicodeFields()
	return characterText(fmt.Sprintf("'%s' codec can't encode ", r.str(f.encoding)), f, ok, r)
}

func unicodeTranslateText(e *Error, r reprer) (string, bool) {
	f, ok := e.unicodeFields()
	return characterText("can't translate ", f, ok, r)
}

func characterText(head string, f unicodeFields, ok bool, r reprer) (string, bool) {
	object, isText := f.object.(string)
	if !ok || !isText {
		return "", false
	}
	if c, found := runeAt(object, f.start); found && f.end == f.start+1 {
		return fmt.Sprintf("%scharacter '%s' in position %d: %s", head, pyvalue.EscapeRune(c), f.start, r.str(f.reason)), true
	}
	return fmt.Sprintf("%scharacters in position %d-%d: %s", head, f.start, f.end-1, r.str(f.reason)), true
}

func runeAt(s string, index int64) (rune, bool) {
	for len(s) > 0 && index >= 0 {
		r, size := utf8.DecodeRuneInString(s)
		if index == 0 {
			return r, true
		}
		s, index = s[size:], index-1
	}
	return 0, false
}

// asInt returns v as an int64 if it is an integer that fits.
func asInt(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case int:
		return int64(v), true
	case nil, string, []byte:
		return 0, false
	}
	switch rv := reflect.ValueOf(v); {
	case rv.CanInt():
		return rv.Int(), true
	case rv.CanUint() && rv.Uint() <= math.MaxInt64:
		return int64(rv.Uint()), true
	}
	return 0, false
}
