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
	name    string // utf-8, ascii or latin-1
	handler string
	limit   rune // the first character that the encoding lacks
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
			return codec{}, vinegar.TypeError.Errorf("%s() argument '%s' must be str, not %s", function, what, exposed.TypeName(v))
		}
		names[i] = s
	}
	switch strings.NewReplacer("_", "-", " ", "-").Replace(strings.ToLower(names[0])) {
	case "utf-8", "utf8", "u8", "cp65001":
		return codec{"utf-8", names[1], utf8.MaxRune + 1}, nil
	case "ascii", "us-ascii", "646":
		return codec{"ascii", names[1], 0x80}, nil
	case "latin-1", "latin1", "iso-8859-1", "iso8859-1", "8859", "cp819", "l1":
		return codec{"latin-1", names[1], 0x100}, nil
	}
	return codec{}, vinegar.LookupError.Errorf("unknown encoding: %s", names[0])
}

func (c codec) noHandler() error {
	return vinegar.LookupError.Errorf("unknown error handler name '%s'", c.handler)
}

// outside reports whether the encoding lacks the character that s begins with, which is n bytes long. The bytes of s that are
// no UTF-8 are surrogates, which all lack.
func (c codec) outside(s string) (r rune, n int, outside bool) {
	r, n = utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && n == 1 {
		return 0xdc00 + rune(s[0]), 1, true
	}
	return r, n, r >= c.limit
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
				reason = "ordinal not in range(" + strconv.Itoa(int(c.limit)) + ")"
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
		r, n, reason := rune(b[i]), 1, ""
		switch {
		case c.name == "utf-8":
			if r, n = utf8.DecodeRune(b[i:]); r == utf8.RuneError && n == 1 {
				n, reason = badUTF8(b[i:])
			}
		case r >= c.limit:
			reason = "ordinal not in range(128)"
		}
		bad := b[i : i+n]
		i += n
		if reason == "" {
			out.WriteRune(r)
			continue
		}
		switch c.handler {
		case "strict":
			return nil, vinegar.UnicodeDecodeError.New(c.name, b, int64(i-n), int64(i), reason)
		case "ignore":
		case "replace":
			out.WriteRune(utf8.RuneError)
		case "backslashreplace":
			for _, x := range bad {
				out.WriteString(pyvalue.EscapeRune(rune(x)))
			}
		case "surrogateescape":
			out.Write(bad)
		default:
			return nil, c.noHandler()
		}
		if out.Len() > max(MaxText, 2*len(b)) {
			return nil, tooLong()
		}
	}
	return out.String(), nil
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
