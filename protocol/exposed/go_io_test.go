package exposed_test

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol/exposed"
)

// TestLines reads lines of files that are made in different ways, of which some are longer than a buffer.
func TestLines(t *testing.T) {
	text := "one\n" + strings.Repeat("x", 100) + "\n\nthe last"
	for name, file := range map[string]io.Reader{
		"small buffer": bufio.NewReaderSize(strings.NewReader(text), 16),
		"large buffer": bufio.NewReader(iotest.OneByteReader(strings.NewReader(text))),
		"bytes.Buffer": bytes.NewBufferString(text),
		"seeking":      strings.NewReader(text),
		"plain":        iotest.OneByteReader(strings.NewReader(text)),
	} {
		lines, err := callOn(t.Context(), &exposed.Policy{AllowAll: true}, file, "readlines")
		require.NoError(t, err, name)
		require.Equal(t, []any{[]byte("one\n"), []byte(strings.Repeat("x", 100) + "\n"), []byte("\n"), []byte("the last")},
			lines.(*exposed.List).Items(), name)
	}
}
