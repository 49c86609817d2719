package main

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
)

func quote(s string) string { return strconv.Quote(s) }

func quotes(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = strconv.Quote(s)
	}
	return strings.Join(quoted, ", ")
}

func pythonNameOf(goName string) string { return netref.PythonName(goName) }

var errNoLiteral = errors.New("no literal")

// goLiteral is a Go expression for a plain value in an any.
func goLiteral(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "nil", nil
	case bool, int64:
		return fmt.Sprint(v), nil
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return "", errNoLiteral
		}
		text := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(text, ".e") {
			text += ".0"
		}
		return text, nil
	case complex128:
		return fmt.Sprintf("complex(%v, %v)", real(v), imag(v)), nil
	case string:
		return strconv.Quote(v), nil
	case []byte:
		return "[]byte(" + strconv.Quote(string(v)) + ")", nil
	case *big.Int:
		return "", errNoLiteral
	case brine.Tuple:
		items, err := goLiterals(v)
		return "brine.Tuple{" + items + "}", err
	case []any:
		items, err := goLiterals(v)
		return "exposed.NewList(" + items + ")", err
	case map[any]any:
		if len(v) == 0 {
			return "exposed.NewDict()", nil
		}
		keys := map[string]any{}
		for k, item := range v {
			s, ok := k.(string)
			if !ok {
				return "", errNoLiteral
			}
			keys[s] = item
		}
		var b strings.Builder
		for _, k := range sortedKeys(keys) {
			item, err := goLiteral(keys[k])
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&b, "%q: %s, ", k, item)
		}
		return "map[string]any{" + strings.TrimSuffix(b.String(), ", ") + "}", nil
	}
	return "", errNoLiteral
}

func goLiterals(items []any) (string, error) {
	var list []string
	for _, item := range items {
		text, err := goLiteral(item)
		if err != nil {
			return "", err
		}
		list = append(list, text)
	}
	return strings.Join(list, ", "), nil
}

// constant is a Go expression for a constant's value.
func (w *skeleton) constant(in *pyType, text string) (string, error) {
	switch made := w.maker(text); {
	case strings.HasSuffix(made, "struct{}"):
		return "exposed.NewSet()", nil
	case strings.HasPrefix(made, "map["):
		return "exposed.NewDict()", nil
	case made == "[]any":
		return "exposed.NewList()", nil
	}
	if t, member := w.enumMember(in, text); t != nil {
		return member, nil
	}
	if expr, _ := w.shownMoment(in, text); expr != "" {
		return expr, nil
	}
	v, err := w.literal(in, text)
	if err != nil {
		return "", err
	}
	return goLiteral(v)
}

// makers are calls that make empty containers, and what of.
var makers = map[string]string{"dict": "map[any]any", "list": "[]any", "set": "map[any]struct{}",
	"collections.defaultdict": "map[any]any", "collections.OrderedDict": "map[any]any", "collections.deque": "[]any",
	"collections.Counter": "map[any]int", "threading.Lock": "sync.Mutex", "threading.RLock": "sync.Mutex",
	"multiprocessing.Lock": "sync.Mutex", "weakref.WeakSet": "map[any]struct{}",
	"weakref.WeakValueDictionary": "map[any]any", "bytearray": "[]byte"}

// maker is the Go type that a call makes an empty or unlocked one of; empty for every other expression.
func (w *skeleton) maker(value string) string {
	name, args, ok := strings.Cut(value, "(")
	full := w.m.resolve(name)
	if !ok || !strings.HasSuffix(value, ")") || w.m.byName[full] != nil {
		return ""
	}
	if args != ")" && full != "collections.defaultdict" && !strings.HasPrefix(args, "maxlen") {
		return ""
	}
	return makers[full]
}

// growing are results that no field has: a Go container is simpler.
var growing = []string{"*exposed.Set", "*exposed.Dict", "*exposed.Generator"}

// fieldType is the Go type of a variable or an object's attribute.
func (w *skeleton) fieldType(in *pyType, a *pyAttr) goType {
	w.field = true
	defer func() { w.field = false }()
	if t, _ := w.enumMember(in, a.value); t != nil && a.typ == "" {
		return w.classType(t, true)
	}
	if a.typ != "" && a.typ != "Final" && a.typ != "ClassVar" {
		t := w.serverType(in, a.typ, true, a.line)
		if made := w.maker(a.value); made == "sync.Mutex" {
			return goType{name: made}
		}
		if strings.HasPrefix(t.name, "iter.") || slices.Contains(growing, t.name) {
			return anyType
		}
		return t
	}
	if made := w.maker(a.value); made != "" {
		if made == "sync.Mutex" && strings.Contains(a.value, "RLock") {
			w.m.note(a.line, "%s is an RLock; a sync.Mutex cannot be locked twice", a.name)
		}
		return goType{name: made}
	}
	if _, typ := w.shownMoment(in, a.value); typ != "" {
		return goType{name: typ}
	}
	v, err := w.literal(in, a.value)
	if err != nil || a.value == "" {
		if name, _, ok := strings.Cut(a.value, "("); ok {
			if t := w.m.typeAt(in, w.m.resolve(name)); t != nil && t.kind != exceptionClass {
				return w.classType(t, true)
			}
		}
		return anyType
	}
	return goType{name: typeOfLiteral(v)}
}

// enumMember finds the member of an enumeration that an expression names, and its Go name.
func (w *skeleton) enumMember(in *pyType, text string) (*pyType, string) {
	owner, name, ok := strings.Cut(text, ".")
	if !ok || !dotted(text) {
		return nil, ""
	}
	if t := w.m.typeAt(in, owner); t != nil && t.members[name] != "" {
		return t, t.members[name]
	}
	return nil, ""
}

// value is a Go expression for what a variable is assigned first, empty for the zero value of its type. It reports
// false if it cannot be written.
func (w *skeleton) value(in *pyType, a *pyAttr, t goType) (string, bool) {
	if of, member := w.enumMember(in, a.value); of != nil {
		return member, t.name == "any" || t.name == "*"+of.goName
	}
	if expr, typ := w.shownMoment(in, a.value); expr != "" {
		return expr, t.name == typ || t.name == "any"
	}
	if made := w.maker(a.value); made != "" || a.value == "" {
		if strings.HasPrefix(t.name, "map[") && made != "" {
			return t.name + "{}", true
		}
		return "", a.value == "" || strings.HasPrefix(t.name, "[]") || t.name == made
	}
	v, err := w.literal(in, a.value)
	if err != nil {
		return "", false
	}
	text, err := goLiteral(v)
	literal := typeOfLiteral(v)
	switch list, isList := v.([]any); {
	case v == nil:
		return "", canBeNil(t.name)
	case isList && strings.HasPrefix(t.name, "[]"):
		return goSlice(t.name, list)
	case literal == "map[any]any" && strings.HasPrefix(t.name, "map["):
		return goMap(t.name, v.(map[any]any))
	case err != nil:
		return "", false
	case t.name == literal || t.name == "any" && !isList && literal != "map[any]any":
		return text, true
	case t.name == "float64" && literal == "int":
		return text, true
	}
	return "", false
}

func goSlice(typ string, items []any) (string, bool) {
	if len(items) == 0 {
		return "", true
	}
	list := make([]string, 0, len(items))
	for _, item := range items {
		text, ok := goElement(typ[2:], item)
		if !ok {
			return "", false
		}
		list = append(list, text)
	}
	return typ + "{" + strings.Join(list, ", ") + "}", true
}

func goMap(typ string, items map[any]any) (string, bool) {
	if len(items) == 0 {
		return typ + "{}", true
	}
	key, elem, _ := strings.Cut(typ[len("map["):], "]")
	var list []string
	for k, v := range items {
		left, ok := goElement(key, k)
		right, fits := goElement(elem, v)
		if !ok || !fits {
			return "", false
		}
		list = append(list, left+": "+right)
	}
	slices.Sort(list)
	return typ + "{" + strings.Join(list, ", ") + "}", true
}

// goElement is a literal of a Go type.
func goElement(typ string, v any) (string, bool) {
	text, err := goLiteral(v)
	literal := typeOfLiteral(v)
	return text, err == nil && (typ == "any" || typ == literal || typ == "float64" && literal == "int")
}

// function is an expression for package exposed of a func with its parameters.
func (w *skeleton) function(s *shape, f *pyFunc) string {
	text := "exposed.Func(" + s.goName
	if len(s.decls) > 0 {
		text += ", " + quotes(s.decls)
	}
	text += ")"
	if f != nil && f.name != "" {
		text += ".Named(" + quote(f.name) + ")"
	}
	if f != nil && f.doc != "" {
		text += ".Doc(" + quoteText(f.doc) + ")"
	}
	return text
}

// keywordsOf are the keyword arguments of a call such as field(default=1).
func keywordsOf(args string) map[string]string {
	all := map[string]string{}
	for _, part := range splitArgs(args) {
		if name, value, ok := strings.Cut(part, "="); ok {
			all[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	return all
}
