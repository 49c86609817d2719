package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/cmd/internal/inspect"
	"github.com/gorpyc/gorpyc/protocol/exposed"
)

// literal is the value of an expression that can be known: a literal, the name of a constant of the class or the
// module, or arithmetic with these.
func (w *skeleton) literal(in *pyType, text string) (any, error) {
	return w.evaluate(in, strings.TrimSpace(text), 0)
}

func (w *skeleton) evaluate(in *pyType, text string, depth int) (any, error) {
	v, err := pyvalue.ParseLiteral(text)
	if err == nil || depth > 20 || text == "" {
		return v, err
	}
	if !dotted(text) {
		if v, err := w.display(in, text, depth); err == nil {
			return v, nil
		}
		return w.arithmetic(in, text, depth)
	}
	if v, ok := map[string]float64{"math.inf": math.Inf(1), "math.pi": math.Pi, "math.e": math.E}[w.m.resolve(text)]; ok {
		return v, nil
	}
	name := text[strings.LastIndexByte(text, '.')+1:]
	find := func(attrs []*pyAttr) (any, error) {
		for _, a := range attrs {
			if a.name == name && a.value != "" && a.value != text {
				return w.evaluate(in, a.value, depth+1)
			}
		}
		return nil, err
	}
	if owner, _, ok := strings.Cut(text, "."); ok {
		t := w.m.typeAt(in, owner)
		if owner == "self" || owner == "cls" {
			t = in
		}
		for _, t := range append([]*pyType{t}, t.ancestors()...) {
			if t == nil || t.kind == enumClass {
				break
			}
			if v, err := find(t.attrs); err == nil {
				return v, nil
			}
		}
		return nil, err
	}
	if in != nil {
		if v, err := find(in.attrs); err == nil {
			return v, nil
		}
	}
	return find(w.m.attrs)
}

// display is the value of a list, tuple or dict whose items can be known, of dict(a=1), or of an item of these.
func (w *skeleton) display(in *pyType, text string, depth int) (any, error) {
	if entries, ok := strings.CutPrefix(text, "dict("); ok && inspect.Closing(text[4:]) == len(text)-5 {
		d := map[any]any{}
		for _, entry := range splitArgs(strings.TrimSuffix(entries, ")")) {
			name, value, keyword := cutTop(entry, '=')
			v, err := w.evaluate(in, value, depth+1)
			if err != nil || !keyword || !inspect.IsName(name) {
				return nil, errNoLiteral
			}
			d[name] = v
		}
		return d, nil
	}
	display := len(text) > 1 && strings.ContainsAny(text[:1], "[({") && inspect.Closing(text) == len(text)-1
	if at := strings.LastIndexByte(text, '['); at > 0 && !display && strings.HasSuffix(text, "]") {
		of, err := w.evaluate(in, text[:at], depth+1)
		if err != nil {
			return nil, err
		}
		key, err := w.evaluate(in, text[at+1:len(text)-1], depth+1)
		if err != nil {
			return nil, err
		}
		switch of := of.(type) {
		case map[any]any:
			if name, isText := key.(string); isText && of[name] != nil {
				return of[name], nil
			}
			return nil, errNoLiteral
		case []any:
			return exposed.GetItem(context.Background(), brine.Tuple(of), key)
		}
		return exposed.GetItem(context.Background(), of, key)
	}
	if !display {
		return nil, errNoLiteral
	}
	items := inspect.Split(text[1:len(text)-1], ',')
	if last := len(items) - 1; items[last] == "" {
		items = items[:last]
	} else if text[0] == '(' && last == 0 {
		return nil, errNoLiteral // an expression in brackets
	}
	list, dict := make([]any, 0, len(items)), map[any]any{}
	for _, item := range items {
		if text[0] == '{' {
			key, value, ok := cutTop(item, ':')
			k, err := w.evaluate(in, key, depth+1)
			v, failed := w.evaluate(in, value, depth+1)
			if _, hashable := k.(string); !ok || err != nil || failed != nil || !hashable {
				return nil, errNoLiteral
			}
			dict[k] = v
			continue
		}
		v, err := w.evaluate(in, item, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	switch text[0] {
	case '{':
		return dict, nil
	case '(':
		return brine.Tuple(list), nil
	}
	return list, nil
}

// operators of arithmetic by what binds least.
var operators = [][][2]string{{{"|", "__or__"}}, {{"<<", "__lshift__"}}, {{"+", "__add__"}, {"-", "__sub__"}},
	{{"*", "__mul__"}, {"//", "__floordiv__"}, {"/", "__truediv__"}}}

func (w *skeleton) arithmetic(in *pyType, text string, depth int) (any, error) {
	if inner, ok := strings.CutPrefix(text, "("); ok && inspect.Closing(text) == len(text)-1 {
		return w.evaluate(in, strings.TrimSuffix(inner, ")"), depth+1)
	}
	if rest, ok := strings.CutPrefix(text, "-"); ok && dotted(rest) {
		v, err := w.evaluate(in, rest, depth+1)
		if f, ok := v.(float64); ok {
			return -f, nil
		}
		return nil, errors.Join(err, errNoLiteral)
	}
	for _, level := range operators {
		var left, right, method string // of the operator that stands last, which is applied last
		for _, op := range level {
			parts := inspect.Split(text, rune(op[0][0]))
			last := parts[len(parts)-1]
			before := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(strings.TrimSuffix(text, last)), op[0]))
			if len(parts) < 2 || last == "" || before == "" || strings.ContainsAny(before[len(before)-1:], "*/+-<|") {
				continue
			}
			if len(before) > len(left) {
				left, right, method = before, last, op[1]
			}
		}
		if method != "" {
			return w.operate(in, method, left, right, depth+1)
		}
	}
	return nil, errNoLiteral
}

func (w *skeleton) operate(in *pyType, method, left, right string, depth int) (any, error) {
	a, err := w.evaluate(in, left, depth)
	if err != nil {
		return nil, err
	}
	b, err := w.evaluate(in, right, depth)
	if err != nil {
		return nil, err
	}
	x, y := pyvalue.NumberOf(a), pyvalue.NumberOf(b)
	large := y.Kind != pyvalue.Int || y.Big != nil // what is made by it
	if method == "__mul__" && (large || x.Kind == pyvalue.NotNumber) || method == "__lshift__" && (large || y.Int > 62) {
		return nil, errNoLiteral
	}
	return exposed.Operate(context.Background(), method, a, b)
}

// unit is a parameter of datetime.timedelta.
type unit struct {
	name string
	unit time.Duration
}

var lengths = []unit{{"days", 24 * time.Hour}, {"seconds", time.Second}, {"microseconds", time.Microsecond},
	{"milliseconds", time.Millisecond}, {"minutes", time.Minute}, {"hours", time.Hour}, {"weeks", 7 * 24 * time.Hour}}

// moment reads date(2024, 1, 31), datetime(2024, 1, 31, 12), timedelta(hours=1), or the name of one: its class, the Go
// expression for a time.Time or time.Duration, and how long a timedelta is.
func (w *skeleton) moment(in *pyType, text string, depth int) (class, expr string, length time.Duration, ok bool) {
	name, args, called := strings.Cut(text, "(")
	if !called && dotted(text) && depth < 5 {
		attrs := w.m.attrs
		if in != nil {
			attrs = append(slices.Clone(in.attrs), attrs...)
		}
		for _, a := range attrs {
			if a.name == text && a.value != text {
				return w.moment(in, a.value, depth+1)
			}
		}
	}
	class = w.m.resolve(name)
	if !called || !strings.HasSuffix(args, ")") {
		return "", "", 0, false
	}
	var numbers []string
	for i, arg := range splitArgs(strings.TrimSuffix(args, ")")) {
		key, value, keyword := cutTop(arg, '=')
		if !keyword {
			value = arg
		}
		v, err := w.literal(in, value)
		n, isInt := v.(int64)
		f, isFloat := v.(float64)
		switch {
		case err != nil || !isInt && !isFloat:
			return "", "", 0, false
		case class == "datetime.timedelta":
			at := i
			if keyword {
				at = slices.IndexFunc(lengths, func(l unit) bool { return l.name == key })
			}
			if at < 0 || at >= len(lengths) || math.Abs(f)+math.Abs(float64(n)) > 1e5 {
				return "", "", 0, false
			}
			length += time.Duration(n)*lengths[at].unit + time.Duration(f*float64(lengths[at].unit))
		case keyword || !isInt:
			return "", "", 0, false
		default:
			numbers = append(numbers, strconv.FormatInt(n, 10))
		}
	}
	switch {
	case class == "datetime.timedelta":
		unit, name := time.Microsecond, "Microsecond"
		for _, l := range lengths {
			if l.unit > unit && l.unit <= time.Hour && length%l.unit == 0 {
				unit, name = l.unit, strings.ToUpper(l.name[:1])+l.name[1:len(l.name)-1]
			}
		}
		return class, fmt.Sprintf("%d * time.%s", length/unit, name), length, true
	case class == "datetime.date" && len(numbers) == 3,
		class == "datetime.datetime" && len(numbers) >= 3 && len(numbers) < 7:
		for len(numbers) < 7 {
			numbers = append(numbers, "0")
		}
		zone := "time.UTC"
		if class == "datetime.datetime" {
			zone = "pickle.Naive"
		}
		return class, "time.Date(" + strings.Join(numbers, ", ") + ", " + zone + ")", 0, true
	}
	return "", "", 0, false
}

// shownMoment is the Go expression for what clients see of a date, datetime or timedelta that the source makes, and its
// type; empty for anything else.
func (w *skeleton) shownMoment(in *pyType, text string) (expr, typ string) {
	switch class, expr, _, _ := w.moment(in, text, 0); class {
	case "datetime.date":
		return "exposed.NewDate(" + expr + ")", "*exposed.Date"
	case "datetime.timedelta":
		return "exposed.NewTimedelta(" + expr + ")", "*exposed.Timedelta"
	case "datetime.datetime":
		return expr, "time.Time"
	}
	return "", ""
}
