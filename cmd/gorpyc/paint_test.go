package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestHistogram(t *testing.T) {
	ms := time.Millisecond
	require.Equal(t, []bucket{{2 * ms, 2}, {5 * ms, 1}, {10 * ms, 0}, {20 * ms, 1}},
		samples{ms + 1, 2 * ms, 2*ms + 1, 20 * ms}.histogram())
	require.Empty(t, samples{}.histogram())
	var out bytes.Buffer
	bars(&printer{w: &out}, []bucket{{ms, 3}, {2 * ms, 1}})
	require.Equal(t, "     1ms        3  75.0% "+strings.Repeat("█", 40)+"\n     2ms        1  25.0% "+
		strings.Repeat("█", 14)+"\n", out.String())
}

func TestPaint(t *testing.T) {
	require.False(t, bool(paintOf(&bytes.Buffer{})))
	dir, text := paint(true).message("<", "EXCEPTION 1 x")
	require.Equal(t, "\x1b[32m<\x1b[0m \x1b[31mEXCEPTION 1 x\x1b[0m", dir+" "+text)
	require.Equal(t, "Traceback:\n\x1b[2m  File \"x\"\x1b[0m\n    y\n\x1b[31mKeyError: 1\x1b[0m",
		paint(true).traceback("Traceback:\n  File \"x\"\n    y\nKeyError: 1\n"))
}
