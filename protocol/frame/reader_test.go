package frame

import (
	"bytes"
	"encoding/binary"
	"io"
	"runtime"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// chunks is a stream that delivers one piece per read and records what is done
// with it.
type chunks struct {
	pieces [][]byte
	log    []byte // 'q' for QuickAck, 'r' for a read
	sizes  []int  // of the slices read into
}

func (c *chunks) Read(p []byte) (int, error) {
	c.log = append(c.log, 'r')
	c.sizes = append(c.sizes, len(p))
	if len(c.pieces) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.pieces[0])
	if c.pieces[0] = c.pieces[0][n:]; len(c.pieces[0]) == 0 {
		c.pieces = c.pieces[1:]
	}
	return n, nil
}

func (c *chunks) QuickAck() { c.log = append(c.log, 'q') }

func TestQuickAckInsideAFrameAndBehindIt(t *testing.T) {
	small := rawFrame(0, []byte("hello"), '\n')
	for name, c := range map[string]struct {
		pieces [][]byte
		log    string
	}{
		"whole frames":              {[][]byte{small, small}, "rrr"},
		"as 4.1.3 writes them":      {[][]byte{small[:5], small[5:10], small[10:]}, "rqrqrqr"},
		"a frame and the next one":  {[][]byte{append(bytes.Clone(small), small[:7]...), small[7:]}, "rqrr"},
		"newline with what follows": {[][]byte{small[:10], append([]byte{'\n'}, small...)}, "rqrr"},
	} {
		t.Run(name, func(t *testing.T) {
			stream := &chunks{pieces: c.pieces}
			r := NewReader(stream, Limits{})
			for {
				b, err := r.Next()
				if err == io.EOF {
					break
				}
				require.NoError(t, err)
				require.Equal(t, "hello", string(b.Payload))
			}
			require.Equal(t, c.log, string(stream.log))
		})
	}
	long := rawFrame(0, lcg(100_000), '\n')
	stream := &chunks{pieces: [][]byte{long[:64000], long[64000:100_005], long[100_005:]}}
	r := NewReader(stream, Limits{})
	_, err := r.Next()
	require.NoError(t, err)
	require.Equal(t, "rqrqr", string(stream.log))
}

// TestLongBodiesBypassTheBuffer looks at where the reads go.
func TestLongBodiesBypassTheBuffer(t *testing.T) {
	stream := &chunks{pieces: [][]byte{rawFrame(0, lcg(200_000), '\n')}}
	_, err := NewReader(stream, Limits{}).Next()
	require.NoError(t, err)
	require.Equal(t, []int{firstBuffer, 200_000 - (firstBuffer - headerSize)}, stream.sizes)
}

func TestNextDoesNotWaitForTheNewline(t *testing.T) {
	frame := rawFrame(0, []byte("hello"), '\n')
	in, out := io.Pipe()
	go func() { _, _ = out.Write(frame[:len(frame)-1]) }() // and nothing more
	b, err := NewReader(in, Limits{}).Next()
	require.NoError(t, err)
	require.Equal(t, "hello", string(b.Payload))
	require.NoError(t, in.Close())
}

// TestAwait waits before each frame for its header, and for the end.
func TestAwait(t *testing.T) {
	stream := append(rawFrame(0, []byte("one"), '\n'), rawFrame(0, []byte("two"), '\n')...)
	for _, whole := range []bool{true, false} {
		src := io.Reader(bytes.NewReader(stream))
		if !whole {
			src = iotest.OneByteReader(src)
		}
		r := NewReader(src, Limits{})
		for _, want := range []string{"one", "two"} {
			for range 2 {
				r.Await()
			}
			b, err := r.Next()
			require.NoError(t, err)
			require.Equal(t, want, string(b.Payload))
		}
		r.Await()
		_, err := r.Next()
		require.Equal(t, io.EOF, err)
	}
	r := NewReader(bytes.NewReader(stream[:2]), Limits{})
	r.Await()
	_, err := r.Next()
	require.Equal(t, io.ErrUnexpectedEOF, err)
}

func TestBuffered(t *testing.T) {
	small, empty := rawFrame(0, []byte("hello"), '\n'), rawFrame(0, nil, '\n')
	packed := rawFrame(1, zlibOf([]byte("hello")), '\n')
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for name, c := range map[string]struct {
		behind []byte // what follows a first frame in the same read
		want   bool
	}{
		"nothing":              {nil, false},
		"part of a header":     {small[:4], false},
		"a header":             {small[:5], false},
		"part of a body":       {small[:9], false},
		"a body":               {small[:10], true},
		"a frame":              {small, true},
		"an empty frame":       {empty, false},
		"part of an empty one": {empty[:5], false},
		"behind an empty one":  {join(empty, empty, small), true},
		"a compressed frame":   {packed, false},
		"a long frame":         {rawFrame(0, lcg(100_000), '\n'), false},
	} {
		t.Run(name, func(t *testing.T) {
			r := NewReader(bytes.NewReader(join(small, c.behind)), Limits{})
			require.False(t, r.Buffered())
			_, err := r.Next()
			require.NoError(t, err)
			require.Equal(t, c.want, r.Buffered())
		})
	}
	r := NewReader(bytes.NewReader(small[:10]), Limits{})
	_, err := r.Next()
	require.NoError(t, err)
	require.False(t, r.Buffered(), "the newline is outstanding")
}

func TestBuffers(t *testing.T) {
	for _, n := range []int{1, 600, 5000, pooledMax, pooledMax + 1} {
		for _, flag := range []byte{0, 1} {
			payload := lcg(n)
			body := payload
			if flag == 1 {
				body = zlibOf(payload)
			}
			b, err := NewReader(bytes.NewReader(rawFrame(flag, body, '\n')), Limits{}).Next()
			require.NoError(t, err)
			if n != pooledMax { // when an inflated payload fills the memory, more might follow
				require.Equal(t, n > pooledMax, b.Owned())
			}
			require.Equal(t, len(b.Payload), cap(b.Payload))
			payloadOf := b.Payload
			b.Release()
			require.Nil(t, b.Payload)
			b.Release()
			if n > pooledMax {
				require.True(t, bytes.Equal(payload, payloadOf), "owned memory was touched")
			}
		}
	}
}

// TestReleaseTwice: the second Release of a buffer whose memory went to another
// one must not take it away from that.
func TestReleaseTwice(t *testing.T) {
	stream := bytes.Repeat(rawFrame(0, []byte("hello"), '\n'), 100)
	r := NewReader(bytes.NewReader(stream), Limits{})
	held := map[*byte]bool{}
	for range 50 {
		early, err := r.Next()
		require.NoError(t, err)
		early.Release()
		b, err := r.Next()
		require.NoError(t, err)
		early.Release()
		require.False(t, held[&b.Payload[0]], "one piece of memory in two buffers")
		held[&b.Payload[0]] = true
	}
}

// TestALyingHeaderCostsNothing announces 64 MiB and sends little.
func TestALyingHeaderCostsNothing(t *testing.T) {
	for _, sent := range []int{0, 1000, 1 << 20} {
		stream := append(binary.BigEndian.AppendUint32(nil, 1<<26), 0)
		stream = append(stream, make([]byte, sent)...)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := NewReader(bytes.NewReader(stream), Limits{}).Next()
		runtime.ReadMemStats(&after)
		require.Equal(t, io.ErrUnexpectedEOF, err)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(2*firstChunk+2*growFactor*sent))
	}
}

// TestDefaultsLetBigValuesThrough sends a value of 64 MiB and what stands around it, and more.
func TestDefaultsLetBigValuesThrough(t *testing.T) {
	const n = 64<<20 + 64<<10
	head := append(binary.BigEndian.AppendUint32(nil, n), 0)
	zeros := readerFunc(func(p []byte) (int, error) { return len(p), nil })
	b, err := NewReader(io.MultiReader(bytes.NewReader(head), io.LimitReader(zeros, n+1)), Limits{}).Next()
	require.NoError(t, err)
	require.Len(t, b.Payload, n)
	require.True(t, b.Owned())
}
