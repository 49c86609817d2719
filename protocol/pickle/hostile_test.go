package pickle_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/pickle"
)

func u64(n uint64) string { return string(binary.LittleEndian.AppendUint64(nil, n)) }

// bomb is a list of two lists that are the same list of two lists that …
func bomb(levels int) string {
	s := "\x80\x02]q\x00"
	for i := range levels {
		s += "]q" + string(byte(i+1)) + "h" + string(byte(i)) + "ah" + string(byte(i)) + "a"
	}
	return s + "."
}

// hostile are pickles that are refused. Each has made an unpickler crash, hang or eat memory, or would do so with one
// that trusts what it reads.
var hostile = []struct {
	name, data string
	cause      error // nil if any will do
}{
	{"nothing", "", io.ErrUnexpectedEOF},
	{"no end", "N", io.ErrUnexpectedEOF},
	{"opcode ff", "\xff.", nil},
	{"odd SETITEMS", "}(K\x01u.", nil},
	{"odd DICT", "(K\x01d.", nil},
	{"FRAME of 1 TiB", "\x80\x04\x95" + u64(1<<40) + "N.", io.ErrUnexpectedEOF},
	{"FRAME of 2**63", "\x80\x04\x95" + u64(1<<63) + "N.", io.ErrUnexpectedEOF},
	{"BINBYTES8 of 2**62", "\x80\x04\x8e" + u64(1<<62) + "x.", io.ErrUnexpectedEOF},
	{"BYTEARRAY8 of 2**62", "\x80\x05\x96" + u64(1<<62) + "x.", io.ErrUnexpectedEOF},
	{"BINUNICODE8 of 2**64-1", "\x80\x04\x8d" + u64(1<<64-1) + "x.", io.ErrUnexpectedEOF},
	{"BINBYTES of 4 GiB", "\x80\x03B\xff\xff\xff\xffx.", io.ErrUnexpectedEOF},
	{"LONG4 of negative length", "\x80\x02\x8b\xff\xff\xff\xff.", nil},
	{"LONG4 of 2 GiB", "\x80\x02\x8b\xff\xff\xff\x7f.", io.ErrUnexpectedEOF},
	{"10 million marks", strings.Repeat("(", 10_000_000) + ".", &brine.LimitError{}},
	{"10 million lists", strings.Repeat("]", 10_000_000) + ".", &brine.LimitError{}},
	{"17 million values", strings.Repeat("N", 17_000_000) + ".", &brine.LimitError{}},
	{"deep", strings.Repeat("]", 100_000) + strings.Repeat("a", 99_999) + ".", &brine.LimitError{}},
	{"5 million digits", "L" + strings.Repeat("9", 5_000_000) + "L\n.", &brine.LimitError{}},
	{"5 million digits of an INT", "I" + strings.Repeat("9", 5_000_000) + "\n.", &brine.LimitError{}},
	{"unset memo", "h\x07.", nil},
	{"unset memo, text", "g123\n.", nil},
	{"negative memo", "Np-1\n.", nil},
	{"huge memo index", "Np99999999999\n.", nil},
	{"memo bomb", bomb(60), &brine.LimitError{}},
	{"memo bomb of tuples as a key", "\x80\x02}" + tupleBomb(200) + "Ns.", &brine.LimitError{}},
	{"APPEND to nothing", "Na.", nil},
	{"APPEND to an int", "K\x01K\x02a.", nil},
	{"APPENDS without a mark", "]e.", nil},
	{"POP of nothing", "0.", nil},
	{"STOP of nothing", ".", nil},
	{"TUPLE3 of two", "NN\x87.", nil},
	{"BUILD of an int", "K\x01}b.", nil},
	{"REDUCE of an int", "K\x01)R.", nil},
	{"REDUCE with a list", "cos\nsystem\n]R.", nil},
	{"STACK_GLOBAL of numbers", "K\x01K\x02\x93.", nil},
	{"a class with a name of 1 MB", "c" + strings.Repeat("m", 1<<20) + "\nx\n.", nil},
	{"persistent id", "Pfoo\n.", nil},
	{"persistent id from the stack", "K\x01Q.", nil},
	{"extension", "\x82\x01.", nil},
	{"buffer", "\x80\x05\x97.", nil},
	{"protocol 6", "\x80\x06N.", pickle.ErrProtocol},
	{"unhashable key", "}]Ns.", nil},
	{"unhashable member", "\x80\x04\x8f(]\x90.", nil},
	{"unhashable member of a frozenset", "\x80\x04(}\x91.", nil},
	{"set in itself", "\x80\x04\x8f\x94(h\x00\x90.", nil},
	{"text that is no UTF-8", "\x80\x04\x8c\x02\xff\xfe.", nil},
	{"half an escape", "V\\u00\n.", nil},
	{"a number that is none", "Iabc\n.", brine.ErrIntSyntax},
	{"a float that is none", "F1e\n.", nil},
	{"a string without quotes", "Sabc\n.", nil},
	{"pickles in pickles for ever", nested(400), nil},
}

// tupleBomb is a tuple of the same tuple twice, and so on.
func tupleBomb(levels int) string {
	s := "N\x85q\x01"
	for range levels {
		s += "h\x01\x86q\x01"
	}
	return s
}

// nested is a pickle of a call of pickle.loads with a pickle of a call …
func nested(levels int) string {
	s := "N."
	for range levels {
		s = "cpickle\nloads\nB" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s + "\x85R."
	}
	return s
}

// TestHostile allows each pickle little time and memory, and wants an error that says what is wrong.
func TestHostile(t *testing.T) {
	for _, h := range hostile {
		t.Run(h.name, func(t *testing.T) {
			data := []byte(h.data)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			v, err := pickle.Unmarshal(data)
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			require.Error(t, err)
			require.Nil(t, v)
			var de *pickle.DecodeError
			require.ErrorAs(t, err, &de)
			require.NotEmpty(t, err.Error())
			require.Less(t, len(err.Error()), 1000)
			var le *brine.LimitError
			switch {
			case errors.As(h.cause, &le):
				require.ErrorAs(t, err, &le)
				require.Greater(t, le.Got, le.Limit)
			case h.cause != nil:
				require.ErrorIs(t, err, h.cause)
			}
			// The whole of what was allocated, collected or not: the normal form is as long as the pickle, twice while
			// it grows.
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20+12*len(data)))
			require.Less(t, took, 30*time.Second) // a tenth of a second, but for the race detector and a busy machine
		})
	}
}

// copiers are pickles in which one long value is used in a great many calls.
func TestRepeatedWork(t *testing.T) {
	long := strings.Repeat("9", 1<<20)
	text := "X" + string(binary.LittleEndian.AppendUint32(nil, 1<<20)) + long + "q\x00"
	number := "\x8b" + string(binary.LittleEndian.AppendUint32(nil, 1<<16)) + strings.Repeat("7", 1<<16) + "q\x00"
	const n = 100_000
	for name, data := range map[string]string{
		"bytes of text":  text + "(" + strings.Repeat("c_codecs\nencode\nh\x00X\x06\x00\x00\x00latin1\x86R", n) + "t.",
		"decimals":       text + "(" + strings.Repeat("cdecimal\nDecimal\nh\x00\x85R", n) + "t.",
		"fractions":      text + "(" + strings.Repeat("cfractions\nFraction\nh\x00\x85R", n) + "t.",
		"big fractions":  number + "(" + strings.Repeat("cfractions\nFraction\nh\x00h\x00\x86R", n) + "t.",
		"text as keys":   text + "}(" + strings.Repeat("h\x00N", n) + "u.",
		"ranges as keys": number + "}(" + strings.Repeat("cbuiltins\nrange\nh\x00h\x00h\x00\x87RN", n) + "u.",
		"bytearrays":     text + "(" + strings.Repeat("cbuiltins\nbytearray\nh\x00X\x07\x00\x00\x00latin-1\x86R", n) + "t.",
		"datetimes":      text + "(" + strings.Repeat("cdatetime\ndatetime\nh\x00\x85R", n) + "t.",
		"pickles":        text + "(" + strings.Repeat("cpickle\nloads\nh\x00\x85R", n) + "t.",
		"lists into sets": "](" + strings.Repeat("N", n) + "eq\x00(" + strings.Repeat("cbuiltins\nset\nh\x00\x85R", 1000) +
			"t.",
		"unknown zones": "(" + strings.Repeat("czoneinfo\nZoneInfo._unpickle\nX\x01\x00\x00\x00x\x89\x86R", n) + "t.",
		"long arrays": text + "(" + strings.Repeat("cnumpy\nndarray\nJ\x00\x00\x10\x00\x85X\x03\x00\x00\x00|u1h\x00\x87R",
			n) + "t.",
		"masks": text + "(" + strings.Repeat("cnumpy.ma.core\n_mareconstruct\n(cnumpy.ma\nMaskedArray\n"+
			"cnumpy\nndarray\nK\x00\x85C\x01bt"+"R(K\x01J\x00\x00\x10\x00\x85cnumpy\ndtype\nX\x02\x00\x00\x00u1\x85R\x89"+
			"h\x00h\x00Ntb", n/10) + "t.",
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			_, err := pickle.Unmarshal([]byte("\x80\x03" + data))
			runtime.ReadMemStats(&after)
			t.Log(err, time.Since(start), (after.TotalAlloc-before.TotalAlloc)>>20, "MiB")
			require.Less(t, time.Since(start), time.Minute)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<30))
		})
	}
}

// TestTruncated cuts every recorded pickle at every place: all that is short is an error.
func TestTruncated(t *testing.T) {
	for _, vs := range readVectors(t) {
		for _, v := range vs {
			v.each(t, func(protocol string, data []byte) {
				step := 1 + len(data)/200
				for n := 0; n < len(data); n += step {
					_, err := pickle.Unmarshal(data[:n])
					require.Error(t, err, "%s, protocol %s, %d of %d bytes", v.Name, protocol, n, len(data))
				}
			})
		}
	}
}

// TestLimits reads the same pickle under limits of its size and of one less.
func TestLimits(t *testing.T) {
	data := []byte("\x80\x02](]K\x01aK\x02e.") // [[1], 2]: 9 opcodes, STOP and PROTO among them
	require.NoError(t, under(pickle.Limits{Depth: 2, Ops: 9, Containers: 2, Expanded: 4}, data))
	for _, l := range []pickle.Limits{{Depth: 1}, {Ops: 8}, {Containers: 1}, {Expanded: 3}} {
		var le *brine.LimitError
		require.ErrorAs(t, under(l, data), &le)
		require.Equal(t, le.Limit+1, le.Got)
	}
	require.NoError(t, under(pickle.Limits{Digits: 20}, []byte("L"+strings.Repeat("1", 20)+"L\n.")))
	require.Error(t, under(pickle.Limits{Digits: 20}, []byte("L"+strings.Repeat("1", 21)+"L\n.")))
}

func under(l pickle.Limits, data []byte) error {
	d := pickle.Decoder{Limits: l}
	_, err := d.Decode(data)
	return err
}

// TestNothingIsExecuted reads the usual attack as the data that it is.
func TestNothingIsExecuted(t *testing.T) {
	v, err := pickle.Unmarshal([]byte("cos\nsystem\n(S'touch /nonexistent/x'\ntR."))
	require.NoError(t, err)
	o := v.(*pickle.Object)
	require.Equal(t, pickle.Class{Module: "os", Name: "system"}, o.Class)
	require.Equal(t, brine.Tuple{"touch /nonexistent/x"}, o.Args)
}

func TestAlias(t *testing.T) {
	data := []byte("\x80\x03B\x00\x04\x00\x00" + strings.Repeat("a", 1024) + ".")
	copied, err := pickle.Unmarshal(data)
	require.NoError(t, err)
	d := pickle.Decoder{Alias: true}
	aliased, err := d.Decode(data)
	require.NoError(t, err)
	copy(data[7:], bytes.Repeat([]byte("b"), 1024))
	require.Equal(t, byte('a'), copied.([]byte)[0])
	require.Equal(t, byte('b'), aliased.([]byte)[0])
}

func FuzzUnmarshal(f *testing.F) {
	for _, vs := range readVectors(f) {
		for _, v := range vs {
			v.each(f, func(_ string, data []byte) {
				if len(data) < 2000 {
					f.Add(data)
				}
			})
		}
	}
	for _, h := range hostile {
		if len(h.data) < 2000 {
			f.Add([]byte(h.data))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := pickle.Unmarshal(data)
		if err != nil {
			return
		}
		for p := range pickle.HighestProtocol + 1 {
			out, err := pickle.Marshal(v, p)
			if err != nil {
				continue
			}
			if _, err := pickle.Unmarshal(out); err != nil {
				t.Fatalf("%q is read, and written as %q, which is not: %v", data, out, err)
			}
		}
	})
}

// TestNestedFields reads dtypes that contain one another twice, eighteen levels deep.
func TestNestedFields(t *testing.T) {
	dtype := "cnumpy\ndtype\nX\x02\x00\x00\x00u1\x85Rq\x01"
	for level := range 18 {
		half, size := make([]byte, 4), make([]byte, 4)
		binary.LittleEndian.PutUint32(half, 1<<level)
		binary.LittleEndian.PutUint32(size, 2<<level)
		dtype += "cnumpy\ndtype\nX\x02\x00\x00\x00V2\x85R(K\x03X\x01\x00\x00\x00|N" +
			"X\x01\x00\x00\x00aX\x01\x00\x00\x00b\x86" +
			"}(X\x01\x00\x00\x00ah\x01K\x00\x86X\x01\x00\x00\x00bh\x01J" + string(half) + "\x86u" +
			"J" + string(size) + "K\x01K\x10tbq\x01"
	}
	v, err := pickle.Unmarshal([]byte("\x80\x02(" + dtype + "l."))
	require.NoError(t, err)
	last := v.([]any)
	require.IsType(t, (*pickle.Object)(nil), last[len(last)-1], "what has too many fields stays an object")
	require.IsType(t, (*pickle.Layout)(nil), last[10])
}
