package binding

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine"
)

// parseLiteral reads a Python literal: None, True, False, a number, a str, bytes or a tuple.
func parseLiteral(s string) (v any, rest string, err error) {
	s = strings.TrimSpace(s)
	for word, v := range map[string]any{"None": nil, "True": true, "False": false, "...": brine.Ellipsis} {
		if rest, ok := strings.CutPrefix(s, word); ok {
			return v, rest, nil
		}
	}
	switch {
	case s == "":
		return nil, "", fmt.Errorf("a Python literal is missing")
	case s[0] == '\'' || s[0] == '"':
		return parseQuoted(s)
	case len(s) > 1 && s[0] == 'b' && (s[1] == '\'' || s[1] == '"'):
		text, rest, err := parseQuoted(s[1:])
		return []byte(text), rest, err
	case s[0] == '(':
		return parseTuple(s[1:])
	}
	end := strings.IndexAny(s, ",) ")
	if end < 0 {
		end = len(s)
	}
	word := strings.ReplaceAll(s[:end], "_", "")
	if n, ok := new(big.Int).SetString(word, 0); ok {
		if n.IsInt64() {
			return n.Int64(), s[end:], nil
		}
		return n, s[end:], nil
	}
	if f, err := strconv.ParseFloat(word, 64); err == nil && !strings.ContainsAny(word, "xXpP") {
		return f, s[end:], nil
	}
	return nil, "", fmt.Errorf("%q is no Python literal that can be a default", s)
}

func parseQuoted(s string) (text, rest string, err error) {
	quote, in := s[0], s[1:]
	var b []byte
	for len(in) > 0 {
		if in[0] == quote {
			return string(b), in[1:], nil
		}
		r, multibyte, tail, err := strconv.UnquoteChar(in, quote)
		if err != nil {
			return "", "", fmt.Errorf("bad escape in %s", s)
		}
		if multibyte {
			b = utf8.AppendRune(b, r)
		} else {
			b = append(b, byte(r))
		}
		in = tail
	}
	return "", "", fmt.Errorf("%s is not closed", s)
}

func parseTuple(s string) (v any, rest string, err error) {
	t := brine.Tuple{}
	for {
		s = strings.TrimSpace(s)
		if tail, ok := strings.CutPrefix(s, ")"); ok {
			return t, tail, nil
		}
		var item any
		if item, s, err = parseLiteral(s); err != nil {
			return nil, "", err
		}
		t = append(t, item)
		s = strings.TrimSpace(s)
		if tail, ok := strings.CutPrefix(s, ","); ok {
			s = tail
		} else if !strings.HasPrefix(s, ")") || len(t) == 1 {
			return nil, "", fmt.Errorf("bad tuple")
		}
	}
}
