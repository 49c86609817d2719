package binding

import (
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// The exceptions for arguments that do not fit, in CPython's words.

// NotSpreadable is the TypeError of f(*v) for a v that is not iterable.
func NotSpreadable(v any) error {
	return vinegar.TypeError.Errorf("argument after * must be an iterable, not %s", model.TypeName(v))
}

// NoPair is the TypeError of dict(v) whose element i is not iterable.
func NoPair(i int) error {
	return vinegar.TypeError.Errorf("cannot convert dictionary update sequence element #%d to a sequence", i)
}

// WrongPair is the ValueError of dict(v) whose element i has n items and not two.
func WrongPair(i, n int) error {
	return vinegar.ValueError.Errorf("dictionary update sequence element #%d has length %d; 2 is required", i, n)
}

// KeywordsMustBeStrings is the TypeError of f(**d) for a d with a key that is no text.
func KeywordsMustBeStrings() error { return vinegar.TypeError.New("keywords must be strings") }

func (p *Plan) noKeywordArguments() error {
	return vinegar.TypeError.Errorf("%s() takes no keyword arguments", p.displayName())
}

func (p *Plan) multipleValues(name string) error {
	return vinegar.TypeError.Errorf("%s() got multiple values for argument '%s'", p.displayName(), name)
}

// unexpectedKeyword is for a keyword that names no parameter, or one that is positional-only.
func (p *Plan) unexpectedKeyword(name string, kw []netref.Keyword) error {
	var wrong []string
	if p.self != "" && p.selfOnlyByPosition() && find(kw, p.self) >= 0 {
		wrong = append(wrong, p.self)
	}
	for i := range p.params {
		q := &p.params[i]
		if q.Kind == PositionalOnly && p.declared && find(kw, q.Name) >= 0 {
			wrong = append(wrong, q.Name)
		}
	}
	if len(wrong) > 0 {
		return vinegar.TypeError.Errorf("%s() got some positional-only arguments passed as keyword arguments: '%s'",
			p.displayName(), strings.Join(wrong, ", "))
	}
	return vinegar.TypeError.Errorf("%s() got an unexpected keyword argument '%s'", p.displayName(), name)
}

// tooManyPositional is for n positional arguments where fewer fit; given tells which parameters have a value.
func (p *Plan) tooManyPositional(n int, given []bool) error {
	keywordOnlyGiven := 0
	for i := range p.params {
		if p.params[i].Kind == KeywordOnly && given[i] {
			keywordOnlyGiven++
		}
	}
	least, most := p.required, p.positional
	if p.self != "" { // CPython counts the object too
		n, least, most = n+1, least+1, most+1
	}
	takes, s := fmt.Sprint(most), plural(most)
	if least != most {
		takes, s = fmt.Sprintf("from %d to %d", least, most), "s"
	}
	were, also := "were", ""
	if n == 1 {
		were = "was"
	}
	if keywordOnlyGiven > 0 {
		were = "were"
		also = fmt.Sprintf(" positional argument%s (and %d keyword-only argument%s)",
			plural(n), keywordOnlyGiven, plural(keywordOnlyGiven))
	}
	return vinegar.TypeError.Errorf("%s() takes %s positional argument%s but %d%s %s given", p.displayName(), takes,
		s, n, also, were)
}

// missingArguments is for required parameters that have no value; nil if there are none.
func (p *Plan) missingArguments(given []bool) error {
	for _, kind := range []struct {
		name string
		is   func(Kind) bool
	}{
		{"positional", func(k Kind) bool { return k <= PositionalOrKeyword }},
		{"keyword-only", func(k Kind) bool { return k == KeywordOnly }},
	} {
		var names []string
		for i := range p.params {
			if q := &p.params[i]; kind.is(q.Kind) && !given[i] && q.Required() {
				names = append(names, "'"+q.Name+"'")
			}
		}
		if n := len(names); n > 0 {
			return vinegar.TypeError.Errorf("%s() missing %d required %s argument%s: %s",
				p.displayName(), n, kind.name, plural(n), enumerate(names))
		}
	}
	return nil
}

func (p *Plan) wrongSelf(self any) error {
	return vinegar.TypeError.Errorf("%s() does not apply to a '%s' object", p.displayName(), model.TypeName(self))
}

// plural is the ending of a noun that n of something are called by.
func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// enumerate writes a list as CPython's messages do.
func enumerate(names []string) string {
	switch n := len(names); n {
	case 1:
		return names[0]
	case 2:
		return names[0] + " and " + names[1]
	default:
		return strings.Join(names[:n-1], ", ") + ", and " + names[n-1]
	}
}

// misfitError marks an argument whose type does not fit its parameter, for which operators answer NotImplemented.
type misfitError struct{ exc *vinegar.Error }

func (m misfitError) Error() string { return m.exc.Error() }

// misfit turns the failed conversion of the argument v for the parameter q, at place i, into the exception that
// CPython's own functions raise for a wrong argument. Failures of the connection or of the peer pass through.
func (p *Plan) misfit(err error, q *Param, i int, v any) error {
	var ce *netref.ConvertError
	if !errors.As(err, &ce) {
		return err
	}
	which := fmt.Sprintf("argument '%s'", q.Name)
	if !p.declared && q.Kind == PositionalOnly {
		which = fmt.Sprintf("argument %d", i+1)
	}
	if q.Kind == VarPositional {
		which = "arguments"
	}
	if ce.Path != "" {
		which += " at " + ce.Path
	}
	if ce.Reason == "out of range" {
		return vinegar.OverflowError.Errorf("%s() %s: %s out of range for Go type %v", p.displayName(), which, ce.From, ce.To)
	}
	from := strings.TrimPrefix(ce.From, "builtins.")
	if _, peers := v.(*netref.Object); ce.Path == "" && !peers && pyvalue.TypeName(v) == "" {
		from = model.TypeName(v)
	}
	if ce.Reason != "" && ce.Reason != "not a mapping" { // which is what is said anyway
		return misfitError{vinegar.TypeError.Errorf("%s() %s must be %s, not %s (%s)",
			p.displayName(), which, Wanted(ce.To), from, ce.Reason)}
	}
	return misfitError{vinegar.TypeError.Errorf("%s() %s must be %s, not %s", p.displayName(), which, Wanted(ce.To), from)}
}

// bindError is what a call returns whose arguments could not be bound.
func (p *Plan) bindError(err error) (any, error) {
	if m, ok := err.(misfitError); ok {
		if p.operator {
			return brine.NotImplemented, nil
		}
		return nil, m.exc
	}
	return nil, err
}

var (
	durationType  = reflect.TypeFor[time.Duration]()
	bigIntType    = reflect.TypeFor[*big.Int]()
	exceptionType = reflect.TypeFor[*vinegar.Error]()
)

// Wanted says in an error message what fits a Go type: the name of the Python type.
func Wanted(t reflect.Type) string {
	switch k := t.Kind(); {
	case t == durationType:
		return "a number of seconds"
	case t == errorType, t == exceptionType:
		return "an exception"
	case t == bigIntType, k >= reflect.Int && k <= reflect.Uintptr:
		return "int"
	case k == reflect.Bool:
		return "bool"
	case k == reflect.Float32 || k == reflect.Float64:
		return "float"
	case k == reflect.Complex64 || k == reflect.Complex128:
		return "complex"
	case k == reflect.String:
		return "str"
	case k == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		return "bytes"
	case k == reflect.Slice:
		return "a sequence"
	case k == reflect.Array:
		return fmt.Sprintf("a sequence of %d items", t.Len())
	case k == reflect.Map:
		return "a mapping"
	case k == reflect.Func:
		return "callable"
	case k == reflect.Interface:
		return t.Name()
	}
	return model.ClassName(t)
}
