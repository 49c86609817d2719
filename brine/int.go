package brine

import (
	"math"
	"math/big"
)

// intText is the text of an integer, taken apart. It aliases the data.
type intText struct {
	neg         bool
	underscores bool
	digits      []byte // at least one digit, perhaps with leading zeros and underscores
}

// scanInt takes apart text as Python's int(bytes) does: optional ASCII
// whitespace around it, one optional sign, ASCII digits with single underscores
// between them. limit bounds the number of digits.
func scanInt(text []byte, limit int) (intText, error) {
	for len(text) > 0 && isSpace(text[0]) {
		text = text[1:]
	}
	for len(text) > 0 && isSpace(text[len(text)-1]) {
		text = text[:len(text)-1]
	}
	var t intText
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		t.neg = text[0] == '-'
		text = text[1:]
	}
	digits := 0
	afterDigit := false
	for _, ch := range text {
		switch {
		case ch >= '0' && ch <= '9':
			digits++
			afterDigit = true
		case ch == '_' && afterDigit:
			afterDigit = false
			t.underscores = true
		default:
			return t, ErrIntSyntax
		}
	}
	if !afterDigit { // nothing at all, a sign only, or an underscore at the end
		return t, ErrIntSyntax
	}
	if digits > limit {
		return t, &LimitError{What: "digits of an integer", Got: int64(digits), Limit: int64(limit)}
	}
	t.digits = text
	return t, nil
}

func isSpace(ch byte) bool { return ch == ' ' || ch >= '\t' && ch <= '\r' }

// value returns the number, as a *big.Int only if it does not fit an int64.
func (t intText) value() (int64, *big.Int) {
	var abs uint64
	for _, ch := range t.digits {
		if ch == '_' {
			continue
		}
		if abs > (math.MaxUint64-9)/10 {
			return 0, t.big()
		}
		abs = abs*10 + uint64(ch-'0')
	}
	switch {
	case !t.neg && abs <= math.MaxInt64:
		return int64(abs), nil
	case t.neg && abs <= -math.MinInt64:
		return int64(-abs), nil
	}
	return 0, t.big()
}

func (t intText) big() *big.Int {
	digits := t.digits
	if t.underscores {
		digits = make([]byte, 0, len(t.digits))
		for _, ch := range t.digits {
			if ch != '_' {
				digits = append(digits, ch)
			}
		}
	}
	v, ok := new(big.Int).SetString(string(digits), 10)
	if !ok { // scanInt let digits through only
		panic("brine: integer text was not checked")
	}
	if t.neg {
		v.Neg(v)
	}
	return v
}

// quickInt parses the text that peers really send: an optional minus sign and
// up to 18 digits, so nothing can overflow.
func quickInt(text []byte) (v int64, ok bool) {
	digits := text
	if len(digits) > 0 && digits[0] == '-' {
		digits = digits[1:]
	}
	if len(digits) == 0 || len(digits) > 18 {
		return 0, false
	}
	for _, ch := range digits {
		ch -= '0'
		if ch > 9 {
			return 0, false
		}
		v = v*10 + int64(ch)
	}
	if len(digits) != len(text) {
		v = -v
	}
	return v, true
}

// truncate returns the integer part of f, which must be finite, as int() does.
func truncate(f float64) (int64, *big.Int) {
	if f = math.Trunc(f); f >= -1<<63 && f < 1<<63 {
		return int64(f), nil
	}
	v, _ := big.NewFloat(f).Int(nil)
	return 0, v
}
