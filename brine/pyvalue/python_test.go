package pyvalue

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
)

// oracle is a CPython with rpyc that is asked by a byte for the kind of question, a length and the data, and answers
// with a length and the data.
type oracle struct {
	in  io.WriteCloser
	out io.Reader
}

// startOracle starts the Python that GORPYC_TEST_PYTHON names; nil if there is none.
func startOracle(t testing.TB) *oracle {
	python := os.Getenv("GORPYC_TEST_PYTHON")
	if python == "" {
		return nil
	}
	cmd := exec.Command(python, "-u", "testdata/oracle.py")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	return &oracle{in, out}
}

// ask returns Python's answer, and whether it took the question for a valid one.
func (o *oracle) ask(t testing.TB, kind byte, data []byte) (answer []byte, valid bool) {
	_, err := o.in.Write(append(binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(data))), data...))
	require.NoError(t, err)
	var head [5]byte
	_, err = io.ReadFull(o.out, head[:])
	require.NoError(t, err)
	answer = make([]byte, binary.BigEndian.Uint32(head[1:]))
	_, err = io.ReadFull(o.out, answer)
	require.NoError(t, err)
	return answer, head[0] == 1
}

// FuzzPythonBrine compares the decoder with RPyC's: what is accepted here is accepted there and is the same value. RPyC
// accepts more, such as values that are cut short.
func FuzzPythonBrine(f *testing.F) {
	for _, text := range []string{"00", "11505051", "1a115051", "19115051", "0804c3a9c3a9", "16023432", "17", "1b00",
		"14000548656c6c6f", "18400921fb54442d18"} {
		data, err := hex.DecodeString(text)
		require.NoError(f, err)
		f.Add(data)
	}
	python := startOracle(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := brine.Unmarshal(data)
		if err != nil || python == nil || len(data) > 1<<16 {
			return
		}
		ours, err := brine.Marshal(v)
		if err != nil {
			return
		}
		for _, data := range [][]byte{data, ours} {
			theirs, ok := python.ask(t, 'b', data)
			if !ok && bytes.IndexByte(data, 9) >= 0 {
				return // Python 2's long, which only Python 2 reads
			}
			require.True(t, ok, "%x is %v here, and there: %s", data, v, theirs)
			again, err := brine.Unmarshal(theirs)
			require.NoError(t, err)
			require.Equal(t, canonical(v), canonical(again), "%x", data)
		}
	})
}

// canonical describes a value whatever the order of sets. Floats are told apart by their bits but for NaN.
func canonical(v any) string {
	if key, ok := Key(v); ok {
		return TypeName(v) + Repr(key) + Repr(v)[:1]
	}
	return Repr(v)
}

// FuzzPythonLiteral compares literals with ast.literal_eval's.
func FuzzPythonLiteral(f *testing.F) {
	for _, s := range []string{"(1, 'a', b'\\x00', -1.5e3, 1+2j)", "{'a': None}", "'''x''' r'\\'", "0x_f", "1_",
		"\"\\u00e9\"",
		"1 if 1 else 2", "[1,]", "{1, 2}", "0777", "1__0", "b'\\777'", "'\\N{DIGIT ONE}'", "f'x'", "...", "-True", "u'x'"} {
		f.Add(s)
	}
	python := startOracle(f)
	f.Fuzz(func(t *testing.T, s string) {
		v, err := ParseLiteral(s)
		if err != nil || python == nil || len(s) > 1<<12 || !utf8.ValidString(s) {
			return
		}
		if TypeName(v) == "" || strings.Contains(Repr(v), "<Go ") {
			return // a list or dict, or something that has one: no plain value, and not for Repr
		}
		theirs, ok := python.ask(t, 'l', []byte(s))
		require.True(t, ok, "%q is %s here, and there: %s", s, Repr(v), theirs)
		require.Equal(t, string(theirs), Repr(v), "%q", s)
	})
}
