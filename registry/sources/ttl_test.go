package sources

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestAnswerTTL reads messages as RFC 1035 describes them, whole and cut short.
func TestAnswerTTL(t *testing.T) {
	const pointer, minute = "\xc0\x0c", "\x00\x00\x00\x3c"
	const question = "\x04calc\x04test\x00\x00\x01\x00\x01"
	answer := func(name, ttl string) string {
		return name + "\x00\x01\x00\x01" + ttl + "\x00\x04\x0a\x00\x00\x01"
	}
	header := func(flags, counts string) string { return "\x12\x34" + flags + counts + "\x00\x00\x00\x00" }
	for _, tc := range []struct {
		name, message string
		want          time.Duration
		ok            bool
	}{
		{"one", header("\x81\x80", "\x00\x01\x00\x01") + question + answer(pointer, minute), time.Minute, true},
		{"the least", header("\x81\x80", "\x00\x01\x00\x02") + question + answer(pointer, minute) +
			answer("\x01a\x00", "\x00\x00\x00\x02"), 2 * time.Second, true},
		{"not for ever", header("\x81\x80", "\x00\x01\x00\x01") + question + answer(pointer, "\x80\x00\x00\x00"), 0, true},
		{"no answers", header("\x81\x80", "\x00\x01\x00\x00") + question, 0, false},
		{"a question", header("\x01\x00", "\x00\x01\x00\x01") + question + answer(pointer, minute), 0, false},
		{"a failure", header("\x81\x83", "\x00\x01\x00\x01") + question + answer(pointer, minute), 0, false},
		{"a wrong label", header("\x81\x80", "\x00\x00\x00\x01") + answer("\x40", minute), 0, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, ok := answerTTL([]byte(tc.message))
			require.Equal(t, tc.ok, ok)
			require.Equal(t, tc.want, got)
			for n := range len(tc.message) - 6 { // the data of the last answer is nobody's concern
				_, ok := answerTTL([]byte(tc.message[:n]))
				require.False(t, ok && n < len(tc.message)-6, n)
			}
		})
	}
}
