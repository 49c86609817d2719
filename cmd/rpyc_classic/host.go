//go:build unix

package main

import (
	"net/netip"
	"strconv"
	"strings"
)

// bindAddress is the address that a --host means. The C library, which Python asks, knows more forms of an IPv4 address
// than Go does: "0" is 0.0.0.0 and "127.1" is 127.0.0.1, parts can be octal or hexadecimal, and the last one fills what
// is left.
func bindAddress(host string) string {
	parts := strings.Split(host, ".")
	if len(parts) > 4 {
		return host
	}
	var addr uint64
	for i, part := range parts {
		digits, base := part, 10
		if rest, hex := strings.CutPrefix(strings.ToLower(part), "0x"); hex {
			digits, base = rest, 16
		} else if len(part) > 1 && part[0] == '0' {
			digits, base = part[1:], 8
		}
		bits := 8
		if i == len(parts)-1 {
			bits = 8 * (5 - len(parts))
		}
		n, err := strconv.ParseUint(digits, base, bits)
		if err != nil || strings.HasPrefix(digits, "+") {
			return host
		}
		addr = addr<<bits | n
	}
	return netip.AddrFrom4([4]byte{byte(addr >> 24), byte(addr >> 16), byte(addr >> 8), byte(addr)}).String()
}
