package main

import (
	"errors"
	"fmt"
	"strings"
)

// signature is what is known of a Python function's parameters. All its texts are the peer's: names are checked by
// valid, annotations are parsed, defaults are shown in comments alone.
type signature struct {
	params []pyParam
	result string // annotation; empty if there is none
}

type pyParam struct {
	name string
	kind paramKind
	typ  string // annotation
	def  string // the default's repr; empty if there is none
}

// valid checks that names are names and kinds in order.
func (s *signature) valid() error {
	seen := map[string]bool{}
	for i, p := range s.params {
		if !isName(p.name) || seen[p.name] || i > 0 && p.kind < s.params[i-1].kind || len(s.params) > maxParams {
			return errors.New("not a parameter list")
		}
		seen[p.name] = true
	}
	return nil
}

// String is the signature as Python writes it.
func (s *signature) String() string {
	var list []string
	last := normal
	for _, p := range s.params {
		if last == positionalOnly && p.kind != positionalOnly {
			list = append(list, "/")
		}
		if p.kind == keywordOnly && last < varPositional {
			list = append(list, "*")
		}
		last = p.kind
		item := p.name
		switch p.kind {
		case varPositional:
			item = "*" + item
		case varKeyword:
			item = "**" + item
		}
		eq := "="
		if p.typ != "" {
			item += ": " + plainAnnotation(p.typ)
			eq = " = "
		}
		if p.def != "" {
			item += eq + p.def
		}
		list = append(list, item)
	}
	if last == positionalOnly {
		list = append(list, "/")
	}
	text := "(" + strings.Join(list, ", ") + ")"
	if s.result != "" {
		text += " -> " + plainAnnotation(s.result)
	}
	return text
}

// parseSignature reads "(a, b: int = 1, *, c) -> str", as __text_signature__ and help() have it. A leading self or
// $self is left out.
func parseSignature(text string) (*signature, error) {
	text = strings.TrimSpace(text)
	end := closing(text)
	if !strings.HasPrefix(text, "(") || end < 0 {
		return nil, errors.New("no signature")
	}
	s := &signature{}
	if _, result, ok := strings.Cut(text[end+1:], "->"); ok {
		s.result = bounded(strings.TrimSuffix(strings.TrimSpace(result), ":"), maxAnnotation)
	}
	kind := normal
	for i, item := range splitTop(text[1:end], ',') {
		if item == "" {
			continue
		}
		switch item {
		case "/":
			for i := range s.params {
				s.params[i].kind = positionalOnly
			}
			continue
		case "*":
			kind = keywordOnly
			continue
		}
		p := pyParam{kind: kind}
		decl, def := item, ""
		if parts := splitTop(item, '='); len(parts) > 1 {
			decl, def = parts[0], strings.TrimSpace(item[strings.IndexByte(item, '=')+1:])
			p.def = bounded(def, 100)
		}
		name, typ, _ := strings.Cut(decl, ":")
		p.name, p.typ = strings.TrimSpace(name), bounded(strings.TrimSpace(typ), maxAnnotation)
		switch {
		case strings.HasPrefix(p.name, "**"):
			p.name, p.kind = p.name[2:], varKeyword
		case strings.HasPrefix(p.name, "*"):
			p.name, p.kind, kind = p.name[1:], varPositional, keywordOnly
		}
		if i == 0 && (p.name == "self" || p.name == "$self" || p.name == "$module") {
			continue
		}
		s.params = append(s.params, p)
		if len(s.params) > maxParams {
			return nil, fmt.Errorf("more than %d parameters", maxParams)
		}
	}
	return s, s.valid()
}

// closing is the index of the parenthesis that closes the first one, -1 if there is none.
func closing(text string) int {
	depth := 0
	quote := rune(0)
	for i, r := range text {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '\'' || r == '"':
			quote = r
		case strings.ContainsRune("([{", r):
			depth++
		case strings.ContainsRune(")]}", r):
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// splitTop splits at a separator that is outside of quotes and brackets of any kind.
func splitTop(text string, sep rune) []string {
	var parts []string
	depth, start := 0, 0
	quote := rune(0)
	for i, r := range text {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '\'' || r == '"':
			quote = r
		case strings.ContainsRune("([{", r):
			depth++
		case strings.ContainsRune(")]}", r):
			depth--
		case r == sep && depth == 0:
			parts = append(parts, strings.TrimSpace(text[start:i]))
			start = i + len(string(r))
		}
	}
	return append(parts, strings.TrimSpace(text[start:]))
}
