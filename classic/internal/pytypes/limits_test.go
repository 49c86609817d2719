//go:build unix

package pytypes_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/classic/slave"
)

// TestLimits evaluates what would take more memory than a client may have, or endless time.
func TestLimits(t *testing.T) {
	const memory = "MemoryError"
	s := slave.NewService(nil)
	for expression, class := range map[string]string{
		"'a' * 10**12":                                             memory,
		"b'a' * 10**8":                                             memory,
		"'a'.ljust(10**9)":                                         memory,
		"'a'.rjust(2**24 + 1)":                                     memory,
		"'a'.center(2**23, '\u20ac')":                              memory,
		"b'a'.center(10**12)":                                      memory,
		"'a'.zfill(10**9)":                                         memory,
		"'a'.zfill(10**30)":                                        "OverflowError",
		"'\\t'.expandtabs(10**9)":                                  memory,
		"'\\t'.expandtabs(2**63 - 1)":                              memory,
		"('\\t' * 10**6).expandtabs(1000)":                         memory,
		"('a' * 10**6).replace('a', 'b' * 10**6)":                  memory,
		"('a' * 10**6).replace('', 'b' * 1000)":                    memory,
		"('b' * 10**6).join(['a'] * 100)":                          memory,
		"''.join(['b' * 10**6] * 100)":                             memory,
		"'%*d' % (10**9, 1)":                                       "OverflowError",
		"'%-*d' % (-10**30, 1)":                                    "OverflowError",
		"'%1000000000d' % 1":                                       "ValueError",
		"'%.1000000000d' % 1":                                      "ValueError",
		"'%.16000000d' % 1":                                        "OverflowError",
		"'%.16000000f' % 1":                                        "ValueError",
		"'%15000000d%15000000d' % (1, 1)":                          memory,
		"b'%15000000d%15000000d' % (1, 1)":                         memory,
		"('%s' * 100) % (('a' * 10**6,) * 100)":                    memory,
		"format(1, '100000000')":                                   memory,
		"format('a', '\u20ac<16000000')":                           memory,
		"format(1.5, '.100000000f')":                               memory,
		"format(1.5, '.16000000f')":                                memory,
		"'{:>{}}'.format('a', 10**9)":                              memory,
		"'{0:16000000}{0:16000000}'.format('a')":                   memory,
		"('{0}' * 100).format('a' * 10**6)":                        memory,
		"bytes(10**9)":                                             memory,
		"bytes(10**30)":                                            "OverflowError",
		"list('a' * 10**7)":                                        memory,
		"('a,' * 4200000).split(',')":                              memory,
		"('a ' * 4200000).rsplit()":                                memory,
		"('\\n' * 4200000).splitlines()":                           memory,
		"('\u20ac' * 3000000).encode('ascii', 'backslashreplace')": memory,
		"(b'\\xff' * 5000000).decode('ascii', 'backslashreplace')": memory,
		"ascii('\u20ac' * 3000000)":                                memory,
		"repr('\\\\' * 10**7)":                                     memory,
		"int('1' * 10**7)":                                         "ValueError",
		"int('1' * 10**7, 16)":                                     "OverflowError",
	} {
		got, _, _ := strings.Cut(outcome(s, expression), ":")
		require.Equal(t, class, got, expression)
	}
	for expression, want := range map[string]string{ // these took time in proportion to the square of their size
		"len(format(1, '016000000,'))":                                                "16000001",
		"len(format(1, '015999999_b'))":                                               "15999999",
		"len(('a' * 4000000).strip('b' * 4000000 + 'a'))":                             "0",
		"len(('{a}' * 20000).format(**{str(i) + 'x': 1 for i in range(20000)}, a=1))": "20000",
		"len('%.1000000f' % 1e300)":                                                   "1000302",
		"('a' * 8000000).find('a' * 4000000 + 'b')":                                   "-1",
		"len(('ab' * 4000000).rsplit('b', 1000000))":                                  "1000001",
		"len(('a ' * 1000000).split())":                                               "1000000",
		"len((b'\\xff' * 4000000).decode('utf-8', 'replace'))":                        "4000000",
	} {
		require.Equal(t, want, outcome(s, expression), expression)
	}
}
