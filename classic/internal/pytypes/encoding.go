package pytypes

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// ASCII is what Python's ascii() makes of a representation: characters beyond ASCII become escapes.
func ASCII(repr string) string {
	var b strings.Builder
	for _, r := range repr {
		if r < utf8.RuneSelf {
			b.WriteRune(r)
		} else {
			b.WriteString(escape(r))
		}
	}
	return b.String()
}

// escape is a character as it is written in a literal.
func escape(r rune) string {
	switch {
	case r < 0x100:
		return fmt.Sprintf(`\x%02x`, r)
	case r < 0x10000:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\U%08x`, r)
}

// encodingOf names an encoding that there is: utf-8, ascii or latin-1. mode is what to do about characters that it lacks, the name of
// one of Python's error handlers.
func encodingOf(encoding, errors any) (enc, mode string, err error) {
	enc, mode = "utf-8", "strict"
	for i, v := range []any{encoding, errors} {
		if v == nil {
			continue
		}
		s, ok := norm(v).(string)
		if !ok {
			return "", "", vinegar.TypeError.Errorf("argument must be str, not %s", exposed.TypeName(v))
		}
		if i == 0 {
			enc = s
		} else {
			mode = s
		}
	}
	switch strings.NewReplacer("_", "-", " ", "-").Replace(strings.ToLower(enc)) {
	case "utf-8", "utf8", "u8", "cp65001":
		return "utf-8", mode, nil
	case "ascii", "us-ascii", "646":
		return "ascii", mode, nil
	case "latin-1", "latin1", "iso-8859-1", "iso8859-1", "8859", "cp819", "l1":
		return "latin-1", mode, nil
	}
	return "", "", vinegar.LookupError.Errorf("unknown encoding: %s", enc)
}

func encode(s string, encoding, errors any) (any, error) {
	enc, mode, err := encodingOf(encoding, errors)
	if err != nil || enc == "utf-8" {
		return []byte(s), err
	}
	limit := rune(0x7f)
	if enc == "latin-1" {
		limit = 0xff
	}
	out := make([]byte, 0, len(s))
	at := int64(0)
	for _, r := range s {
		switch {
		case r <= limit:
			out = append(out, byte(r))
		case mode == "ignore":
		case mode == "replace":
			out = append(out, '?')
		case mode == "backslashreplace":
			out = append(out, escape(r)...)
		default:
			return nil, vinegar.UnicodeEncodeError.New(enc, s, at, at+1, "ordinal not in range("+strconv.Itoa(int(limit)+1)+")")
		}
		at++
	}
	return out, nil
}

func decode(b []byte, encoding, errors any) (any, error) {
	enc, mode, err := encodingOf(encoding, errors)
	if err != nil {
		return nil, err
	}
	if enc == "utf-8" && utf8.Valid(b) {
		return string(b), nil
	}
	var out strings.Builder
	for i := 0; i < len(b); {
		r, n := rune(b[i]), 1
		switch {
		case enc == "utf-8":
			r, n = utf8.DecodeRune(b[i:])
		case enc == "ascii" && r > 0x7f:
			r = utf8.RuneError
		}
		if r != utf8.RuneError || n > 1 {
			out.WriteRune(r)
			i += n
			continue
		}
		switch mode {
		case "ignore":
		case "replace":
			out.WriteRune(utf8.RuneError)
		case "backslashreplace":
			out.WriteString(escape(rune(b[i])))
		case "strict":
			reason := "invalid start byte"
			if enc == "ascii" {
				reason = "ordinal not in range(128)"
			}
			return nil, vinegar.UnicodeDecodeError.New(enc, b, int64(i), int64(i+1), reason)
		default:
			return nil, vinegar.LookupError.Errorf("unknown error handler name '%s'", mode)
		}
		i++
	}
	return out.String(), nil
}
