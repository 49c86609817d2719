package registry

import (
	"strings"
	"unicode"
)

// Upper is the form in which a registry keeps a service's name: Python's str.upper.
func Upper(name string) string {
	ascii, lower := true, false
	for i := range len(name) {
		c := name[i]
		ascii = ascii && c < 0x80
		lower = lower || 'a' <= c && c <= 'z'
	}
	if ascii {
		if !lower {
			return name
		}
		return strings.ToUpper(name)
	}
	var b strings.Builder
	b.Grow(len(name))
	for _, r := range name {
		if long, ok := longUpper[r]; ok {
			b.WriteString(long)
		} else {
			b.WriteRune(unicode.ToUpper(r))
		}
	}
	return b.String()
}
