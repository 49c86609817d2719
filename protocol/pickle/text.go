package pickle

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine"
)

// errText is the cause of errors about text that is not what it should be.
var errText = errors.New("invalid text")

// parseInt reads decimal digits with a sign, as protocol 0 writes integers.
func parseInt(s string, digits int) (any, error) {
	s = strings.TrimSpace(s)
	d := strings.TrimPrefix(strings.TrimPrefix(s, "-"), "+")
	if len(s)-len(d) > 1 || d == "" || strings.Trim(d, "0123456789") != "" {
		return nil, brine.ErrIntSyntax
	}
	if len(d) > digits {
		return nil, limit("digits of an integer", len(d), digits)
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, nil
	}
	b, ok := new(big.Int).SetString(s, 10)
	if !ok {
		return nil, brine.ErrIntSyntax
	}
	return b, nil
}

// parseLong reads the two's complement, least byte first, of LONG1 and LONG4.
func parseLong(p []byte) any {
	if len(p) == 0 {
		return int64(0)
	}
	negative := p[len(p)-1]&0x80 != 0
	if len(p) <= 8 {
		n := uint64(0)
		if negative {
			n = ^uint64(0)
		}
		for i := len(p) - 1; i >= 0; i-- {
			n = n<<8 | uint64(p[i])
		}
		return int64(n)
	}
	be := make([]byte, len(p))
	for i, b := range p {
		be[len(p)-1-i] = b
	}
	n := new(big.Int).SetBytes(be)
	if negative {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(len(p))*8))
	}
	if n.IsInt64() {
		return n.Int64()
	}
	return n
}

// parseFloat reads what repr writes of a float.
func parseFloat(s string) (float64, error) {
	s = strings.TrimSpace(s)
	if len(s) > 400 || strings.ContainsAny(s, "xXpP_") {
		return 0, fmt.Errorf("%w of a float", errText)
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) { // out of range is an infinity, as in Python
		return 0, fmt.Errorf("%w of a float: %q", errText, s)
	}
	return f, nil
}

// rawUnicode undoes raw-unicode-escape, in which protocol 0 writes text.
func rawUnicode(p []byte) (string, error) {
	b := make([]byte, 0, len(p)+len(p)/4)
	for i := 0; i < len(p); i++ {
		n := 0
		if p[i] == '\\' && i+1 < len(p) {
			switch p[i+1] {
			case 'u':
				n = 4
			case 'U':
				n = 8
			case '\\': // and what follows is no escape
				b = append(b, '\\')
				i++
			}
		}
		if n == 0 {
			b = utf8.AppendRune(b, rune(p[i]))
			continue
		}
		if i+2+n > len(p) {
			return "", fmt.Errorf("%w: a cut escape", errText)
		}
		c, err := strconv.ParseUint(string(p[i+2:i+2+n]), 16, 32)
		if err != nil || c > utf8.MaxRune {
			return "", fmt.Errorf("%w: an escape of %d digits that is no character", errText, n)
		}
		b = appendCode(b, rune(c))
		i += 1 + n
	}
	return joinSurrogates(b), nil
}

// appendCode appends a code point, a lone surrogate as Python's surrogatepass does.
func appendCode(b []byte, c rune) []byte {
	if c >= 0xd800 && c < 0xe000 {
		return append(b, 0xed, 0x80|byte(c>>6&0x3f), 0x80|byte(c&0x3f))
	}
	return utf8.AppendRune(b, c)
}

// joinSurrogates makes one character of the two halves that a narrow build of Python 2 writes.
func joinSurrogates(b []byte) string {
	s := string(b)
	if !strings.Contains(s, "\xed") {
		return s
	}
	out := b[:0]
	for i := 0; i < len(s); i++ {
		if hi := surrogate(s[i:]); hi >= 0xd800 && hi < 0xdc00 {
			if lo := surrogate(s[i+3:]); lo >= 0xdc00 {
				out = utf8.AppendRune(out, 0x10000+(hi-0xd800)<<10+(lo-0xdc00))
				i += 5
				continue
			}
		}
		out = append(out, s[i])
	}
	return string(out)
}

// surrogate returns the surrogate that s begins with in the form of surrogatepass, 0 if it begins otherwise.
func surrogate(s string) rune {
	if len(s) < 3 || s[0] != 0xed || s[1]&0xe0 != 0xa0 || s[2]&0xc0 != 0x80 {
		return 0
	}
	return 0xd000 | rune(s[1]&0x3f)<<6 | rune(s[2]&0x3f)
}

// validText reports whether Python would read p as UTF-8 with surrogatepass.
func validText(p []byte) bool {
	for !utf8.Valid(p) {
		i := 0
		for i < len(p) {
			if p[i] < utf8.RuneSelf {
				i++
				continue
			}
			r, n := utf8.DecodeRune(p[i:])
			if r == utf8.RuneError && n == 1 {
				break
			}
			i += n
		}
		if surrogate(string(p[i:min(i+3, len(p))])) == 0 {
			return false
		}
		p = p[i+3:]
	}
	return true
}

// pythonString undoes the repr of a Python 2 str, in which protocol 0 writes it.
func pythonString(p []byte) ([]byte, error) {
	p = []byte(strings.TrimRight(string(p), " \t\r"))
	if len(p) < 2 || p[0] != '\'' && p[0] != '"' || p[len(p)-1] != p[0] {
		return nil, fmt.Errorf("%w: a string without quotes", errText)
	}
	p = p[1 : len(p)-1]
	b := make([]byte, 0, len(p))
	for i := 0; i < len(p); i++ {
		if p[i] != '\\' {
			b = append(b, p[i])
			continue
		}
		i++
		if i == len(p) {
			return nil, fmt.Errorf("%w: a cut escape", errText)
		}
		switch c := p[i]; c {
		case '\\', '\'', '"':
			b = append(b, c)
		case 'n', 't', 'r', 'a', 'b', 'f', 'v':
			b = append(b, "\a\b\f\n\r\t\v"[strings.IndexByte("abfnrtv", c)])
		case '\n':
		case 'x':
			if i+2 >= len(p) {
				return nil, fmt.Errorf("%w: a cut escape", errText)
			}
			n, err := strconv.ParseUint(string(p[i+1:i+3]), 16, 8)
			if err != nil {
				return nil, fmt.Errorf("%w: invalid \\x escape", errText)
			}
			b = append(b, byte(n))
			i += 2
		case '0', '1', '2', '3', '4', '5', '6', '7':
			n := 0
			for j := 0; j < 3 && i < len(p) && p[i] >= '0' && p[i] <= '7'; j++ {
				n = n*8 + int(p[i]-'0')
				i++
			}
			i--
			b = append(b, byte(n))
		default:
			b = append(b, '\\', c)
		}
	}
	return b, nil
}

// str2 is the value of a Python 2 str: text if it is ASCII, as CPython 3 reads it by default, and bytes if it is not,
// which CPython 3 refuses.
func str2(p []byte) any {
	for _, c := range p {
		if c >= utf8.RuneSelf {
			return append([]byte(nil), p...)
		}
	}
	return string(p)
}
