package frame

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
)

// vector is a row of testdata/frames.jsonl, see testdata/record.py.
type vector struct {
	Env      string
	Compress bool
	Unit     string
	Count    int
	LCG      int
	Flag     byte
	BodyLen  int `json:"body_len"`
	Writes   []int
	Frame    string
}

func (v vector) payload(t testing.TB) []byte {
	if v.Unit == "" {
		return lcg(v.LCG)
	}
	unit, err := hex.DecodeString(v.Unit)
	require.NoError(t, err)
	return bytes.Repeat(unit, v.Count)
}

// lcg returns n incompressible bytes, the same as the recorder's.
func lcg(n int) []byte {
	out := make([]byte, n)
	x := uint32(12345)
	for i := range out {
		x = (x*1103515245 + 12345) & 0x7fffffff
		out[i] = byte(x >> 16)
	}
	return out
}

func loadVectors(t testing.TB) []vector {
	f, err := os.Open("testdata/frames.jsonl")
	require.NoError(t, err)
	defer f.Close()
	var all []vector
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var v vector
		require.NoError(t, json.Unmarshal(lines.Bytes(), &v))
		all = append(all, v)
	}
	require.Greater(t, len(all), 50)
	return all
}

var upstream = Compress{Above: 3000, Level: 1}

// TestVectors writes what rpyc wrote and reads what rpyc wrote.
func TestVectors(t *testing.T) {
	for _, v := range loadVectors(t) {
		payload := v.payload(t)
		var c Compress
		if v.Compress {
			c = upstream
		}
		frame, err := Append(nil, payload, c)
		require.NoError(t, err)
		grew := v.BodyLen > len(payload)
		switch {
		case v.Flag == flagPlain:
			require.Equal(t, v.BodyLen+6, len(frame))
			require.Equal(t, byte(flagPlain), frame[4])
		case grew: // rpyc sends such frames compressed nevertheless, which gains nobody anything
			require.Equal(t, len(payload)+6, len(frame))
		default: // the two zlibs differ in detail
			require.Equal(t, v.Flag, frame[4])
			require.Less(t, len(frame), len(payload))
		}
		requireFrames(t, frame, payload)
		if v.Frame == "" {
			continue
		}
		recorded, err := hex.DecodeString(v.Frame)
		require.NoError(t, err)
		if v.Flag == flagPlain {
			require.Equal(t, recorded, frame)
		}
		requireFrames(t, recorded, payload)
	}
}

// requireFrames requires that stream is read as the given payloads, empty ones
// left out, through readers of several manners.
func requireFrames(t testing.TB, stream []byte, payloads ...[]byte) {
	for _, manner := range []func(io.Reader) io.Reader{
		func(r io.Reader) io.Reader { return r },
		iotest.OneByteReader, iotest.HalfReader, iotest.DataErrReader,
	} {
		r := NewReader(manner(bytes.NewReader(stream)), Limits{})
		for _, want := range payloads {
			if len(want) == 0 {
				continue
			}
			b, err := r.Next()
			require.NoError(t, err)
			require.True(t, bytes.Equal(want, b.Payload), "%d bytes came as %d others", len(want), len(b.Payload))
			b.Release()
		}
		_, err := r.Next()
		require.Equal(t, io.EOF, err)
	}
}

func TestManyFramesInOneStream(t *testing.T) {
	var stream []byte
	var payloads [][]byte
	for _, n := range []int{1, 0, 0, 3, 511, 512, 513, firstBuffer - 6, firstBuffer - 5, firstBuffer - 1, firstBuffer,
		firstBuffer + 1, bufferSize - 7, bufferSize - 6, bufferSize - 5, bufferSize - 4,
		bufferSize, pooledMax - 1, pooledMax, pooledMax + 1, 0, firstChunk, firstChunk + 1, 1 << 20, 5} {
		for _, c := range []Compress{{}, {Above: 1}} {
			var err error
			payload := lcg(n)
			if n%2 == 0 {
				payload = bytes.Repeat([]byte{'x'}, n)
			}
			payloads = append(payloads, payload)
			stream, err = Append(stream, payload, c)
			require.NoError(t, err)
		}
	}
	requireFrames(t, stream, payloads...)
}

func zlibOf(payload []byte) []byte {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, _ = z.Write(payload)
	_ = z.Close()
	return b.Bytes()
}

func rawFrame(flag byte, body []byte, trailer byte) []byte {
	b, _ := Append(nil, body, Compress{})
	b[4], b[len(b)-1] = flag, trailer
	return b
}

func TestLaxForms(t *testing.T) {
	hello := []byte("hello")
	for name, stream := range map[string][]byte{
		"any trailer":           rawFrame(0, hello, 'x'),
		"any flag":              rawFrame(0xff, zlibOf(hello), '\n'),
		"bytes behind the zlib": rawFrame(1, append(zlibOf(hello), "garbage"...), 0),
		"keep-alives around": bytes.Join([][]byte{rawFrame(0, nil, '\n'), rawFrame(1, zlibOf(nil), '\n'),
			rawFrame(0, hello, '\n'),
			rawFrame(0, nil, 'x')}, nil),
	} {
		t.Run(name, func(t *testing.T) { requireFrames(t, stream, hello) })
	}
}

// TestTruncation cuts a conversation at every byte. The newline of a frame is
// part of it, but the payload is delivered without it.
func TestTruncation(t *testing.T) {
	payloads := [][]byte{[]byte("one"), nil, bytes.Repeat([]byte("abc"), 2000), []byte("x")}
	var stream []byte
	ends := map[int]int{0: 0} // offset of a boundary: payloads before it
	bodyEnds := map[int]int{}
	for i, p := range payloads {
		var err error
		stream, err = Append(stream, p, upstream)
		require.NoError(t, err)
		bodyEnds[len(stream)-1] = i + 1
		ends[len(stream)] = i + 1
	}
	complete := 0
	for n := range len(stream) + 1 {
		if i, ok := bodyEnds[n]; ok {
			complete = i
		}
		want := 0
		for _, p := range payloads[:complete] {
			if len(p) > 0 {
				want++
			}
		}
		r := NewReader(iotest.OneByteReader(bytes.NewReader(stream[:n])), Limits{})
		for range want {
			_, err := r.Next()
			require.NoError(t, err)
		}
		for range 2 { // the error is final
			_, err := r.Next()
			if _, boundary := ends[n]; boundary {
				require.Equal(t, io.EOF, err)
			} else {
				require.Equal(t, io.ErrUnexpectedEOF, err, "at %d", n)
			}
		}
	}
	long, err := Append(nil, lcg(300_000), Compress{})
	require.NoError(t, err)
	for _, n := range []int{5, 6, firstBuffer, bufferSize, pooledMax, firstChunk, len(long) - 2} {
		_, err := NewReader(bytes.NewReader(long[:n]), Limits{}).Next()
		require.Equal(t, io.ErrUnexpectedEOF, err)
	}
}

func TestLimits(t *testing.T) {
	requireLimit := func(stream []byte, l Limits, want brine.LimitError) {
		t.Helper()
		r := NewReader(bytes.NewReader(stream), l)
		for range 2 {
			_, err := r.Next()
			var e *brine.LimitError
			require.ErrorAs(t, err, &e)
			require.Equal(t, want, *e)
		}
	}
	ten := rawFrame(0, []byte("0123456789"), '\n')
	requireLimit(ten, Limits{MaxFrame: 9}, brine.LimitError{What: "frame length", Got: 10, Limit: 9})
	requireLimit([]byte{0xff, 0xff, 0xff, 0xff, 0}, Limits{}, brine.LimitError{What: "frame length", Got: 1<<32 - 1,
		Limit: DefaultMax})
	bomb := rawFrame(1, zlibOf(make([]byte, 2<<20)), '\n')
	requireLimit(bomb, Limits{MaxInflated: 2<<20 - 1}, brine.LimitError{What: "inflated length", Got: 2 << 20,
		Limit: 2<<20 - 1})
	for _, limit := range []int64{0, 2 << 20} {
		b, err := NewReader(bytes.NewReader(bomb), Limits{MaxInflated: limit}).Next()
		require.NoError(t, err)
		require.Len(t, b.Payload, 2<<20)
		require.True(t, b.Owned())
	}
	b, err := NewReader(bytes.NewReader(ten), Limits{MaxFrame: 10, MaxInflated: 1}).Next()
	require.NoError(t, err)
	require.Equal(t, "0123456789", string(b.Payload))
	require.EqualError(t, &brine.LimitError{What: "frame length", Got: 10, Limit: 9},
		"frame length: 10 exceeds the limit of 9")
}

// TestBombs inflates what becomes a thousand times as long: it takes no more memory than the payload does if that is
// within the limit, and hardly any if it is not.
func TestBombs(t *testing.T) {
	const n = 48 << 20
	payload := make([]byte, n)
	payload[n-1] = 1
	bomb := rawFrame(1, zlibOf(payload), '\n')
	allocated := func(limit int64, want error) int64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		b, err := NewReader(bytes.NewReader(bomb), Limits{MaxInflated: limit}).Next()
		runtime.ReadMemStats(&after)
		require.Equal(t, want, err)
		if want == nil {
			require.True(t, bytes.Equal(payload, b.Payload))
		}
		return int64(after.TotalAlloc - before.TotalAlloc)
	}
	require.Less(t, allocated(n-1, &brine.LimitError{What: "inflated length", Got: n, Limit: n - 1}), int64(4<<20))
	require.Less(t, allocated(n, nil), int64(n+4<<20))
	corrupt := bytes.Clone(bomb)
	corrupt[len(corrupt)-2]++ // of the checksum
	_, err := NewReader(bytes.NewReader(corrupt), Limits{}).Next()
	var e *CorruptError
	require.ErrorAs(t, err, &e)
}

func TestCorruptBodies(t *testing.T) {
	good := zlibOf([]byte(strings.Repeat("some text ", 100)))
	badSum := bytes.Clone(good)
	badSum[len(badSum)-1] ^= 1
	for name, body := range map[string][]byte{
		"nothing": {}, "no zlib": []byte("hello, world"), "cut short": good[:len(good)-5], "no checksum": good[:len(good)-2],
		"bad checksum": badSum,
		"dictionary":   {0x78, 0xbb, 0, 0, 0, 1, 3, 0},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewReader(bytes.NewReader(rawFrame(1, body, '\n')), Limits{}).Next()
			var e *CorruptError
			require.ErrorAs(t, err, &e)
			require.NotErrorIs(t, err, io.ErrUnexpectedEOF)
			require.ErrorContains(t, err, "frame: compressed body: ")
		})
	}
}

func TestStreamErrorsArePassedOn(t *testing.T) {
	broken := errors.New("broken")
	frame := rawFrame(0, []byte("hello"), '\n')
	for n := range frame {
		r := NewReader(io.MultiReader(bytes.NewReader(frame[:n]), iotest.ErrReader(broken)), Limits{})
		if n == len(frame)-1 {
			_, err := r.Next()
			require.NoError(t, err)
		}
		_, err := r.Next()
		require.Equal(t, broken, err)
		require.False(t, r.Buffered())
	}
	_, err := NewReader(readerFunc(func([]byte) (int, error) { return 0, nil }), Limits{}).Next()
	require.Equal(t, io.ErrNoProgress, err)
	for _, n := range []int{-1, 1 << 20} {
		_, err = NewReader(readerFunc(func([]byte) (int, error) { return n, nil }), Limits{}).Next()
		require.Equal(t, errBadRead, err)
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
