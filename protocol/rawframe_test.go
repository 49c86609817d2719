package protocol_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol"
)

// TestReadFrame reads messages one by one from a stream that has more behind them, and the broken ones.
func TestReadFrame(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, protocol.WriteFrame(&b, []byte("secret")))
	require.Equal(t, "\x00\x00\x00\x06\x00secret\n", b.String()) // WIRE: header, flag, body, newline
	require.NoError(t, protocol.WriteFrame(&b, nil))
	b.WriteString("rest")
	for _, want := range []string{"secret", ""} {
		p, err := protocol.ReadFrame(&b, 0)
		require.NoError(t, err)
		require.Equal(t, want, string(p))
	}
	require.Equal(t, "rest", b.String())

	_, err := protocol.ReadFrame(bytes.NewBufferString("\x00\x00\x00\x06\x00sec"), 0)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	var limit *protocol.LimitError
	_, err = protocol.ReadFrame(bytes.NewBufferString("\x40\x00\x00\x06\x00sec"), 100)
	require.ErrorAs(t, err, &limit)
	require.Equal(t, int64(100), limit.Limit)
}
