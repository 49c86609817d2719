package pytypes

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// ascii is what Python's ascii() makes of a representation: characters beyond ASCII become escapes.
func ascii(repr string) (string, error) {
	var b strings.Builder
	for _, r := range repr {
		if r < utf8.RuneSelf {
			b.WriteByte(byte(r))
		} else {
			b.WriteString(pyvalue.EscapeRune(r))
		}
		if b.Len() > MaxText {
			return "", tooLong()
		}
	}
	return b.String(), nil
}

// codec is an encoding, and the error handler for what it does not fit.
type codec struct {
	name    string // see Encoding
	handler string
}

// codecOf takes the arguments encoding and errors of a function, which may be nil.
func codecOf(function string, encoding, errors any) (codec, error) {
	names := [2]string{"utf-8", "strict"}
	for i, v := range []any{encoding, errors} {
		if v == nil {
			continue
		}
		s, ok := norm(v).(string)
		if !ok {
			what := [2]string{"encoding", "errors"}[i]
			return codec{}, vinegar.TypeError.Errorf("%s() argument '%s' must be str, not %s", function, what,
				exposed.TypeName(v))
		}
		names[i] = s
	}
	name, err := Encoding(names[0])
	return codec{name, names[1]}, err
}

// Encoding is the name of one of the encodings that there are, utf-8, ascii and latin-1, of which each has several.
func Encoding(name string) (string, error) {
	switch strings.NewReplacer("_", "-", " ", "-").Replace(strings.ToLower(name)) {
	case "utf-8", "utf8", "u8", "cp65001":
		return "utf-8", nil
	case "ascii", "us-ascii", "646":
		return "ascii", nil
	case "latin-1", "latin1", "iso-8859-1", "iso8859-1", "8859", "cp819", "l1":
		return "latin-1", nil
	}
	return "", vinegar.LookupError.Errorf("unknown encoding: %s", name)
}

// limit is the first character that the encoding lacks.
func (c codec) limit() rune {
	switch c.name {
	case "ascii":
		return 0x80
	case "latin-1":
		return 0x100
	}
	return utf8.MaxRune + 1
}

func (c codec) noHandler() error {
	return vinegar.LookupError.Errorf("unknown error handler name '%s'", c.handler)
}

// outside reports whether the encoding lacks the character that s begins with, which is n bytes long. The bytes of s
// that are no UTF-8 are surrogates, which all lack.
func (c codec) outside(s string) (r rune, n int, outside bool) {
	r, n = utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && n == 1 {
		return 0xdc00 + rune(s[0]), 1, true
	}
	return r, n, r >= c.limit()
}

func encode(s, function string, encoding, errors any) (any, error) {
	c, err := codecOf(function, encoding, errors)
	if err != nil {
		return nil, err
	}
	if c.name == "utf-8" && utf8.ValidString(s) {
		return []byte(s), nil
	}
	out := make([]byte, 0, len(s))
	for at := 0; at < len(s); {
		r, n, outside := c.outside(s[at:])
		rest := s[at+n:]
		switch {
		case !outside && c.name == "utf-8":
			out = append(out, s[at:at+n]...)
		case !outside:
			out = append(out, byte(r))
		case c.handler == "ignore":
		case c.handler == "replace":
			out = append(out, '?')
		case c.handler == "backslashreplace":
			out = append(out, pyvalue.EscapeRune(r)...)
		case c.handler == "xmlcharrefreplace":
			out = fmt.Appendf(out, "&#%d;", r)
		case c.handler == "surrogateescape" && n == 1:
			out = append(out, s[at])
		case c.handler == "strict" || c.handler == "surrogateescape":
			first := utf8.RuneCountInString(s[:at])
			last := first + 1
			for ; rest != ""; last++ {
				_, n, outside := c.outside(rest)
				if !outside {
					break
				}
				rest = rest[n:]
			}
			reason := "surrogates not allowed"
			if c.name != "utf-8" {
				reason = "ordinal not in range(" + strconv.Itoa(int(c.limit())) + ")"
			}
			return nil, vinegar.UnicodeEncodeError.New(c.name, s, int64(first), int64(last), reason)
		default:
			return nil, c.noHandler()
		}
		if len(out) > max(MaxText, len(s)) {
			return nil, tooLong()
		}
		at += n
	}
	return out, nil
}

func decode(b []byte, function string, encoding, errors any) (any, error) {
	c, err := codecOf(function, encoding, errors)
	if err != nil {
		return nil, err
	}
	if c.name == "utf-8" && utf8.Valid(b) {
		return string(b), nil
	}
	var out strings.Builder
	for i := 0; i < len(b); {
		r, n, reason := c.next(b[i:])
		if reason == "" {
			out.WriteRune(r)
		} else if s, err := c.undecodable(b, i, i+n, reason); err != nil {
			return nil, err
		} else {
			out.WriteString(s)
		}
		if out.Len() > max(MaxText, 2*len(b)) {
			return nil, tooLong()
		}
		i += n
	}
	return out.String(), nil
}

// DecodeNext decodes the character that b begins with, of n bytes. b is not empty and holds all of the character, and
// the encoding is one that Encoding returns.
func DecodeNext(b []byte, encoding, errors string) (s string, n int, err error) {
	c := codec{encoding, errors}
	r, n, reason := c.next(b)
	if reason == "" {
		return string(r), n, nil
	}
	s, err = c.undecodable(b[:n], 0, n, reason)
	return s, n, err
}

// next is the character that b begins with, or the reason why there is none in its first n bytes.
func (c codec) next(b []byte) (r rune, n int, reason string) {
	if c.name == "utf-8" {
		if r, n = utf8.DecodeRune(b); r == utf8.RuneError && n == 1 {
			n, reason = badUTF8(b)
		}
		return r, n, reason
	}
	if r = rune(b[0]); r >= c.limit() {
		reason = "ordinal not in range(128)"
	}
	return r, 1, reason
}

// undecodable is what the error handler makes of b[start:end].
func (c codec) undecodable(b []byte, start, end int, reason string) (string, error) {
	switch c.handler {
	case "strict":
		return "", vinegar.UnicodeDecodeError.New(c.name, b, int64(start), int64(end), reason)
	case "ignore":
		return "", nil
	case "replace":
		return string(utf8.RuneError), nil
	case "surrogateescape":
		return string(b[start:end]), nil
	case "backslashreplace":
		s := ""
		for _, x := range b[start:end] {
			s += pyvalue.EscapeRune(rune(x))
		}
		return s, nil
	}
	return "", c.noHandler()
}

// badUTF8 says what is wrong with the bytes that b begins with, which are no UTF-8, and how many belong together.
func badUTF8(b []byte) (n int, reason string) {
	first, low, high, more := b[0], byte(0x80), byte(0xbf), 0
	switch {
	case first >= 0xc2 && first <= 0xdf:
		more = 1
	case first >= 0xe0 && first <= 0xef:
		more = 2
	case first >= 0xf0 && first <= 0xf4:
		more = 3
	default:
		return 1, "invalid start byte"
	}
	switch first { // what follows these is restricted: overlong forms, surrogates, what is beyond Unicode
	case 0xe0:
		low = 0xa0
	case 0xed:
		high = 0x9f
	case 0xf0:
		low = 0x90
	case 0xf4:
		high = 0x8f
	}
	for n = 1; n <= more; n++ {
		switch {
		case n == len(b):
			return n, "unexpected end of data"
		case b[n] < low || b[n] > high:
			return n, "invalid continuation byte"
		}
		low, high = 0x80, 0xbf
	}
	return n, reason
}
