// Package inspect finds out what a live Python object tells of its methods: their names, documentation and signatures,
// as Python's own module of this name does. What a peer says is bounded and checked, but may still be a lie.
package inspect

import (
	"errors"
	"fmt"
	"go/token"
	"strings"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/netref"
)

// What a signature may have.
const (
	MaxParams     = 100
	MaxAnnotation = 500 // bytes
)

// Kind says how a parameter is given.
type Kind int

// The kinds of parameters, in the order in which they stand in a list.
const (
	PositionalOnly Kind = iota
	Normal
	VarPositional
	KeywordOnly
	VarKeyword
)

// List is a Python parameter list that is being written. The zero List is empty.
type List struct {
	items       []string
	open, stars bool // "/" has to come, a "*" has come
}

// Add adds a parameter, such as "a=1", with what has to stand before it.
func (l *List) Add(k Kind, text string) {
	if k != PositionalOnly {
		l.End()
	}
	if k == KeywordOnly && !l.stars {
		l.items = append(l.items, "*")
	}
	l.open, l.stars = k == PositionalOnly, l.stars || k >= VarPositional
	l.items = append(l.items, k.Stars()+text)
}

// End returns the list, of which a "/" may be the last item.
func (l *List) End() []string {
	if l.open {
		l.open, l.items = false, append(l.items, "/")
	}
	return l.items
}

// Stars is what stands before a parameter's name.
func (k Kind) Stars() string {
	switch k {
	case VarPositional:
		return "*"
	case VarKeyword:
		return "**"
	}
	return ""
}

// IsName reports whether s is a Python identifier of letters that Go knows.
func IsName(s string) bool { return token.IsIdentifier(s) || token.IsKeyword(s) }

// Signature is what is known of a Python function's parameters. All its texts are the peer's: names are checked by
// valid, annotations are parsed, defaults are shown in comments alone.
type Signature struct {
	Params []Parameter
	Result string // annotation; empty if there is none
	// Classes are those that the annotations of a live function mention, by the names that they have there.
	Classes map[string]*netref.Object
}

// Parameter is one of a Signature.
type Parameter struct {
	Name    string
	Kind    Kind
	Type    string // annotation; empty if there is none
	Default string // the default's repr; empty if there is none
}

// valid checks that names are names and kinds in order.
func (s *Signature) valid() error {
	seen := map[string]bool{}
	for i, p := range s.Params {
		if !IsName(p.Name) || seen[p.Name] || i > 0 && p.Kind < s.Params[i-1].Kind || len(s.Params) > MaxParams {
			return errors.New("not a parameter list")
		}
		seen[p.Name] = true
	}
	return nil
}

// String is the signature as Python writes it.
func (s *Signature) String() string {
	var list List
	for _, p := range s.Params {
		item, eq := p.Name, "="
		if p.Type != "" {
			item += ": " + PlainAnnotation(p.Type)
			eq = " = "
		}
		if p.Default != "" {
			item += eq + p.Default
		}
		list.Add(p.Kind, item)
	}
	text := "(" + strings.Join(list.End(), ", ") + ")"
	if s.Result != "" {
		text += " -> " + PlainAnnotation(s.Result)
	}
	return text
}

// ParseSignature reads "(a, b: int = 1, *, c) -> str", as __text_signature__ and help() have it. A leading self or
// $self is left out.
func ParseSignature(text string) (*Signature, error) {
	text = strings.TrimSpace(text)
	end := Closing(text)
	if !strings.HasPrefix(text, "(") || end < 0 {
		return nil, errors.New("no signature")
	}
	s := &Signature{}
	if _, result, ok := strings.Cut(text[end+1:], "->"); ok {
		s.Result = Bounded(strings.TrimSuffix(strings.TrimSpace(result), ":"), MaxAnnotation)
	}
	kind := Normal
	for i, item := range Split(text[1:end], ',') {
		if item == "" {
			continue
		}
		switch item {
		case "/":
			for i := range s.Params {
				s.Params[i].Kind = PositionalOnly
			}
			continue
		case "*":
			kind = KeywordOnly
			continue
		}
		p := Parameter{Kind: kind}
		decl, def := item, ""
		if parts := Split(item, '='); len(parts) > 1 {
			decl, def = parts[0], strings.TrimSpace(item[strings.IndexByte(item, '=')+1:])
			p.Default = Bounded(def, 100)
		}
		name, typ, _ := strings.Cut(decl, ":")
		p.Name, p.Type = strings.TrimSpace(name), Bounded(strings.TrimSpace(typ), MaxAnnotation)
		switch {
		case strings.HasPrefix(p.Name, "**"):
			p.Name, p.Kind = p.Name[2:], VarKeyword
		case strings.HasPrefix(p.Name, "*"):
			p.Name, p.Kind, kind = p.Name[1:], VarPositional, KeywordOnly
		}
		if i == 0 && (p.Name == "self" || p.Name == "$self" || p.Name == "$module") {
			continue
		}
		s.Params = append(s.Params, p)
		if len(s.Params) > MaxParams {
			return nil, fmt.Errorf("more than %d parameters", MaxParams)
		}
	}
	return s, s.valid()
}

// Closing is the index of the parenthesis that closes the first one, -1 if there is none.
func Closing(text string) int {
	at := -1
	unquoted(text, func(i int, r rune, depth int) bool {
		if depth == 0 && strings.ContainsRune(")]}", r) {
			at = i
		}
		return at < 0
	})
	return at
}

// Split splits at a separator that is outside of quotes and brackets of any kind.
func Split(text string, sep rune) []string {
	var parts []string
	start := 0
	unquoted(text, func(i int, r rune, depth int) bool {
		if r == sep && depth == 0 {
			parts = append(parts, strings.TrimSpace(text[start:i]))
			start = i + len(string(r))
		}
		return true
	})
	return append(parts, strings.TrimSpace(text[start:]))
}

// unquoted calls yield for what is not in quotes, with the brackets that are open behind it, until that returns false.
func unquoted(text string, yield func(i int, r rune, depth int) bool) {
	depth := 0
	quoted := 0 // where the last text in quotes ends
	for i, r := range text {
		switch {
		case i < quoted:
			continue
		case r == '\'' || r == '"':
			n := pyvalue.QuotedLength(text[i:])
			if n < 0 {
				return
			}
			quoted = i + n
			continue
		case strings.ContainsRune("([{", r):
			depth++
		case strings.ContainsRune(")]}", r):
			depth--
		}
		if !yield(i, r, depth) {
			return
		}
	}
}

// PlainAnnotation brings the forms in which annotations come to one: str(int) is "<class 'int'>", and names may have
// their module before them.
func PlainAnnotation(text string) string {
	text = strings.TrimSpace(text)
	if inner, ok := strings.CutPrefix(text, "<class '"); ok {
		text = strings.TrimSuffix(inner, "'>")
	}
	for _, module := range []string{"typing.", "builtins.", "collections.abc.", "typing_extensions."} {
		text = strings.ReplaceAll(text, module, "")
	}
	return text
}
