package frame_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/frame"
)

// TestSingleFrames reads messages one by one from a stream that has more behind them, and the broken ones.
func TestSingleFrames(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, frame.Write(&b, []byte("secret")))
	require.Equal(t, "\x00\x00\x00\x06\x00secret\n", b.String()) // WIRE: header, flag, body, newline
	require.NoError(t, frame.Write(&b, nil))
	b.WriteString("rest")
	for _, want := range []string{"secret", ""} {
		p, err := frame.Read(&b, 0)
		require.NoError(t, err)
		require.Equal(t, want, string(p))
	}
	require.Equal(t, "rest", b.String())

	_, err := frame.Read(bytes.NewBufferString("\x00\x00\x00\x06\x00sec"), 0)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	var limit *brine.LimitError
	_, err = frame.Read(bytes.NewBufferString("\x40\x00\x00\x06\x00sec"), 100)
	require.ErrorAs(t, err, &limit)
	require.Equal(t, int64(100), limit.Limit)
}
