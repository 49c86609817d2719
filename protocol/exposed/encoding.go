package exposed

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// encodingOf names the encodings that text can have here; errors is "strict", "ignore", "replace" or "surrogateescape".
func encodingOf(encoding, errors any) (enc, mode string, err error) {
	enc, mode = "utf-8", "strict"
	for i, v := range []any{encoding, errors} {
		if v == nil {
			continue
		}
		s, ok := norm(v).(string)
		if !ok {
			return "", "", vinegar.TypeError.Errorf("argument must be str, not %s", TypeName(v))
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
			if r <= 0xff {
				out = append(out, `\x`+strconv.FormatInt(int64(r), 16)...)
			} else {
				out = append(out, strings.Trim(strconv.QuoteToASCII(string(r)), `"`)...)
			}
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
			out.WriteString(`\x` + strconv.FormatInt(int64(b[i])+0x100, 16)[1:])
		case "strict":
			if enc == "ascii" {
				return nil, vinegar.UnicodeDecodeError.New(enc, b, int64(i), int64(i+1), "ordinal not in range(128)")
			}
			return nil, notUTF8(b)
		default:
			return nil, vinegar.LookupError.Errorf("unknown error handler name '%s'", mode)
		}
		i++
	}
	return out.String(), nil
}
