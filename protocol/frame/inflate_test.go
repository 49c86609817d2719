package frame

import (
	"bytes"
	"compress/zlib"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func zipped(t *testing.T, n int) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, err := w.Write(make([]byte, n))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// TestLongInflatedAtATime: of bodies that become long only a few are inflated at a time, whatever their number is, and
// short ones do not wait for them. Those that fail give their place back.
func TestLongInflatedAtATime(t *testing.T) {
	long, short := zipped(t, 4<<20), zipped(t, 1<<10)
	for range cap(longOnes) {
		longOnes <- struct{}{}
	}
	done := make(chan int, 100)
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			b, err := inflate(long, 8<<20)
			if err == nil {
				done <- len(b.Payload)
			}
		})
	}
	for range 100 {
		b, err := inflate(short, 8<<20)
		require.NoError(t, err)
		require.Len(t, b.Payload, 1<<10)
		b.Release()
	}
	require.Empty(t, done)
	for range cap(longOnes) {
		<-longOnes
	}
	all.Wait()
	require.Len(t, done, 100)
	for _, bad := range [][]byte{long[:len(long)-100], append(long[:len(long)/2:len(long)/2], short...)} {
		for range 2 * cap(longOnes) {
			_, err := inflate(bad, 8<<20)
			require.Error(t, err)
		}
	}
	for range 2 * cap(longOnes) {
		_, err := inflate(long, 2<<20)
		require.Error(t, err)
	}
	require.Empty(t, longOnes)
}
