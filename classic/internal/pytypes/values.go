package pytypes

import (
	"context"
	"math/big"
	"strings"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// MaxText bounds, in bytes, the text that a method makes out of less; maxParts the texts that one is split into.
const (
	MaxText  = 16 << 20
	maxParts = 1 << 22
)

func tooLong() error { return vinegar.MemoryError.Errorf("text of more than %d bytes", MaxText) }

func tooMany() error { return vinegar.MemoryError.Errorf("more than %d items", maxParts) }

// norm is the form in which a value travels, which is the one that has its type.
func norm(v any) any {
	form, _ := exposed.ByValue(v)
	return form
}

// Index is Python's operator.index: the integer that v is, or that its __index__ returns.
func Index(ctx context.Context, v any) (*big.Int, error) {
	v = norm(v)
	if n, ok := integer(v); ok {
		return n, nil
	}
	r, ok, err := special(ctx, v, "__index__")
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, vinegar.TypeError.Errorf("'%s' object cannot be interpreted as an integer", exposed.TypeName(v))
	}
	if n, ok := integer(r); ok {
		return n, nil
	}
	return nil, vinegar.TypeError.Errorf("__index__ returned non-int (type %s)", exposed.TypeName(r))
}

// size is Index for numbers of characters or times.
func size(ctx context.Context, v any) (int, error) {
	n, err := Index(ctx, v)
	if err != nil {
		return 0, err
	}
	if !n.IsInt64() {
		return 0, vinegar.OverflowError.New("Python int too large to convert to C ssize_t")
	}
	return int(n.Int64()), nil
}

// integer is the value of an int or bool, which must not be changed.
func integer(v any) (*big.Int, bool) {
	n := pyvalue.NumberOf(v)
	return n.BigInt(), n.Kind == pyvalue.Int
}

// special calls a method without arguments if v has it.
func special(ctx context.Context, v any, name string) (r any, ok bool, err error) {
	r, err = exposed.CallAttr(ctx, everything, v, name, &exposed.Args{})
	if err != nil && vinegar.FromError(err).Is(vinegar.AttributeError) {
		return nil, false, nil
	}
	return norm(r), err == nil, err
}

// kind is what str and bytes differ in: the methods they share work on strings of characters, of which a byte is one.
type kind struct {
	name string
	// take makes characters of a value of the class, give undoes it.
	take  func(v any) (s string, ok bool)
	give  func(s string) any
	space func(r rune) bool
}

var (
	ofStr = &kind{
		name:  "str",
		take:  func(v any) (string, bool) { s, ok := norm(v).(string); return s, ok },
		give:  func(s string) any { return s },
		space: pyvalue.IsSpace,
	}
	ofBytes = &kind{
		name:  "bytes",
		take:  func(v any) (string, bool) { b, ok := norm(v).([]byte); return wide(b), ok },
		give:  func(s string) any { return narrow(s) },
		space: func(r rune) bool { return r == ' ' || r >= '\t' && r <= '\r' },
	}
)

// need takes an argument that has to be of the class, or fails in the words for str, which have a verb for its type.
func (k *kind) need(v any, words string) (string, error) {
	s, ok := k.take(v)
	switch {
	case ok:
		return s, nil
	case k == ofBytes:
		words = "a bytes-like object is required, not '%s'"
	}
	return "", vinegar.TypeError.Errorf(words, exposed.TypeName(v))
}

// list makes a list of texts.
func (k *kind) list(parts []string) (any, error) {
	if len(parts) > maxParts {
		return nil, tooMany()
	}
	items := make([]any, len(parts))
	for i, p := range parts {
		items[i] = k.give(p)
	}
	return exposed.NewList(items...), nil
}

// self takes the object of a method.
func (k *kind) self(v any) (string, error) {
	s, ok := k.take(v)
	if !ok {
		return "", vinegar.TypeError.Errorf("a '%s' object is required, not a '%s'", k.name, exposed.TypeName(v))
	}
	return s, nil
}

// method is a method of the class that takes characters.
func (k *kind) method(least, most int, f func(ctx context.Context, s string, args []any) (any, error)) exposed.Native {
	return exposed.Native{Least: least, Most: most, Call: func(ctx context.Context, self any, args []any) (any, error) {
		s, err := k.self(self)
		if err != nil {
			return nil, err
		}
		return f(ctx, s, args)
	}}
}

// wide makes a string of bytes, a character for each; narrow undoes it.
func wide(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		s.WriteRune(rune(c))
	}
	return s.String()
}

func narrow(s string) []byte {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		b = append(b, byte(r))
	}
	return b
}
