package frame

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
)

func TestBeginEnd(t *testing.T) {
	b, first := Begin([]byte("kept"))
	require.Equal(t, 4, first)
	b, err := End(append(b, "one"...), first, Compress{})
	require.NoError(t, err)
	b, second := Begin(b)
	b, err = End(append(b, bytes.Repeat([]byte("two"), 100)...), second, Compress{Above: 299})
	require.NoError(t, err)
	b, third := Begin(b)
	b, err = End(b, third, Compress{Above: 1})
	require.NoError(t, err)
	require.Equal(t, "kept\x00\x00\x00\x03\x00one\n", string(b[:second]))
	require.Equal(t, byte(flagZlib), b[second+4])
	require.Equal(t, "\x00\x00\x00\x00\x00\n", string(b[third:]))
	requireFrames(t, b[first:], []byte("one"), bytes.Repeat([]byte("two"), 100))
}

// TestEndAround writes a frame a part of which stands elsewhere.
func TestEndAround(t *testing.T) {
	b, start := Begin([]byte("kept"))
	b, err := EndAround(append(b, "head tail"...), start, len("middle "))
	require.NoError(t, err)
	at := start + headerSize + len("head ")
	requireFrames(t, append(append(b[start:at:at], "middle "...), b[at:]...), []byte("head middle tail"))

	if math.MaxInt > maxBody { // of 32 bits, no length is too long
		long := math.MaxInt
		b, err = EndAround(b, len(b), long-headerSize)
		require.ErrorAs(t, err, new(*brine.LimitError))
		require.Len(t, b, start+headerSize+len("head tail")+len(trailer), "without the frame")
	}
}

func TestCompress(t *testing.T) {
	text := bytes.Repeat([]byte("abcdefgh"), 500)
	for _, c := range []struct {
		opt        Compress
		payload    []byte
		compressed bool
	}{
		{Compress{}, text, false},
		{Compress{Above: -1, Level: 9}, text, false},
		{Compress{Above: len(text)}, text, false},
		{Compress{Above: len(text) - 1}, text, true},
		{Compress{Above: 1, Level: 9}, text, true},
		{Compress{Above: 1, Level: 42}, text, true},
		{Compress{Above: 1, Level: -2}, text, true},
		{Compress{Above: 1}, lcg(5000), false},
		{Compress{Above: 1}, lcg(500_000), false},
		{Compress{Above: 1}, make([]byte, 4<<20), true},
		{Compress{Above: 1}, []byte("ab"), false},
	} {
		frame, err := Append(nil, c.payload, c.opt)
		require.NoError(t, err)
		require.Equal(t, c.compressed, frame[4] == flagZlib, "%+v", c.opt)
		requireFrames(t, frame, c.payload)
	}
}

func TestBodyTooLong(t *testing.T) {
	require.NoError(t, checkBody(1<<32-1))
	require.Equal(t, &brine.LimitError{What: "frame length", Got: 1 << 32, Limit: 1<<32 - 1}, checkBody(1<<32))
}

func FuzzReader(f *testing.F) {
	for _, v := range loadVectors(f) {
		if v.Frame == "" {
			continue
		}
		data, err := hex.DecodeString(v.Frame)
		require.NoError(f, err)
		f.Add(data)
		f.Add(append(bytes.Clone(data), data...))
	}
	f.Add(rawFrame(1, zlibOf(make([]byte, 5000)), 'x'))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 1, 2, 3})
	limits := Limits{MaxFrame: 1 << 16, MaxInflated: 1 << 18}
	f.Fuzz(func(t *testing.T, stream []byte) {
		whole := NewReader(bytes.NewReader(stream), limits)
		pieces := NewReader(&chunks{pieces: bytes.SplitAfter(stream, []byte{0})}, limits)
		for {
			promised := whole.Buffered()
			a, err := whole.Next()
			b, errB := pieces.Next()
			require.Equal(t, err, errB)
			if err != nil {
				require.False(t, promised)
				return
			}
			require.Equal(t, a.Payload, b.Payload)
			require.NotEmpty(t, a.Payload)
			require.LessOrEqual(t, len(a.Payload), 1<<18)
			again, err := Append(nil, a.Payload, upstream)
			require.NoError(t, err)
			requireFrames(t, again, a.Payload)
			a.Release()
			b.Release()
		}
	})
}

type endless struct {
	frames []byte
	at     int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.frames[e.at:])
	e.at = (e.at + n) % len(e.frames)
	return n, nil
}

func BenchmarkNext(b *testing.B) {
	for _, n := range []int{75, 3000, 64 << 10, 1 << 20} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := NewReader(&endless{frames: rawFrame(0, lcg(n), '\n')}, Limits{})
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				f, err := r.Next()
				if err != nil {
					b.Fatal(err)
				}
				f.Release()
			}
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	text := bytes.Repeat([]byte("the quick brown fox "), 1000)
	for _, c := range []struct {
		name    string
		payload []byte
		opt     Compress
	}{
		{"75", text[:75], upstream}, {"text20k", text, upstream}, {"random20k", lcg(20_000), upstream},
		{"plain20k", text, Compress{}},
	} {
		b.Run(c.name, func(b *testing.B) {
			var buf []byte
			b.SetBytes(int64(len(c.payload)))
			b.ReportAllocs()
			for b.Loop() {
				buf, _ = Append(buf[:0], c.payload, c.opt)
			}
		})
	}
}

func BenchmarkInflate(b *testing.B) {
	frame, err := Append(nil, bytes.Repeat([]byte("the quick brown fox "), 1000), upstream)
	require.NoError(b, err)
	r := NewReader(&endless{frames: frame}, Limits{})
	b.SetBytes(20_000)
	b.ReportAllocs()
	for b.Loop() {
		f, err := r.Next()
		if err != nil {
			b.Fatal(err)
		}
		f.Release()
	}
}

func Example() {
	stream, err := Append(nil, []byte("payload"), Compress{Above: 3000, Level: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%q\n", stream)

	b, err := NewReader(bytes.NewReader(stream), Limits{}).Next()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Release()
	fmt.Printf("%s\n", b.Payload)
	// Output:
	// "\x00\x00\x00\a\x00payload\n"
	// payload
}
