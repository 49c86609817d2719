package frame

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// writes notes what each call of Write is given.
type writes [][]byte

func (w *writes) Write(p []byte) (int, error) {
	*w = append(*w, bytes.Clone(p))
	return len(p), nil
}

// TestNoWriteSpansFrames passes three frames on, however they are divided.
func TestNoWriteSpansFrames(t *testing.T) {
	frames := [][]byte{[]byte("\x00\x00\x00\x03\x00abc\n"), []byte("\x00\x00\x00\x00\x00\n"),
		[]byte("\x00\x00\x01\x01\x01" + string(make([]byte, 257)) + "\n")}
	all := bytes.Join(frames, nil)
	for size := 1; size <= len(all); size++ {
		var got writes
		f := NewSplitter(&got)
		for rest := all; len(rest) > 0; rest = rest[min(size, len(rest)):] {
			n, err := f.Write(rest[:min(size, len(rest))])
			require.NoError(t, err)
			require.Equal(t, min(size, len(rest)), n)
		}
		require.Equal(t, all, bytes.Join(got, nil), size)
		ends := map[int]bool{}
		end := 0
		for _, w := range got {
			end += len(w)
			ends[end] = true
		}
		end = 0
		for _, frame := range frames {
			end += len(frame)
			require.True(t, ends[end], fmt.Sprintf("in pieces of %d no write ends at %d", size, end))
		}
	}
}

func TestSplitterFails(t *testing.T) {
	broken := errors.New("broken")
	f := NewSplitter(failing{broken})
	_, err := f.Write([]byte("\x00\x00\x00\x01\x00a\n"))
	require.ErrorIs(t, err, broken)
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
