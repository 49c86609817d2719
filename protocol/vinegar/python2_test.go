package vinegar_test

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// TestPython2FileErrors says which of two classes an error of the operating system has in Python 2, where only one of
// them is caught: open() and files raise an IOError, the functions of os an OSError.
func TestPython2FileErrors(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	_, openErr := os.Open(missing)
	_, statErr := os.Stat(missing)
	for _, c := range []struct {
		class string
		err   error
	}{
		{"IOError", openErr},
		{"OSError", statErr},
		{"IOError", &net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}},
	} {
		b, err := vinegar.AppendPayload(nil, vinegar.FromError(c.err), &vinegar.DumpOptions{Python2: true})
		require.NoError(t, err)
		v, err := brine.Unmarshal(b)
		require.NoError(t, err)
		require.Equal(t, brine.Tuple{[]byte("exceptions"), []byte(c.class)}, v.(brine.Tuple)[0])
	}
}

// TestPython2ErrorsPassOn hands an IOError of one Python 2 on to another, as a bridge does, and to Python 3.
func TestPython2ErrorsPassOn(t *testing.T) {
	payload := brine.Tuple{brine.Tuple{[]byte("exceptions"), []byte("IOError")}, brine.Tuple{int64(2), []byte("x")},
		brine.Tuple{}, []byte("Traceback")}
	c := brine.NewCursor(must(brine.Marshal(payload)))
	e, err := vinegar.DecodePayload(&c)
	require.NoError(t, err)
	require.ErrorIs(t, e, vinegar.OSError)
	for _, python2 := range []bool{false, true} {
		b, err := vinegar.AppendPayload(nil, e, &vinegar.DumpOptions{Python2: python2})
		require.NoError(t, err)
		v, err := brine.Unmarshal(b)
		require.NoError(t, err)
		class := brine.Tuple{"builtins", "OSError"}
		if python2 {
			class = brine.Tuple{[]byte("exceptions"), []byte("IOError")}
		}
		require.Equal(t, class, v.(brine.Tuple)[0])
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// TestPython2Names sends names as Python 2 does, as byte strings: RPyC 3 there cannot make a class of a text.
func TestPython2Names(t *testing.T) {
	e := vinegar.NewClass("shop.StockError", vinegar.Exception).New("none left")
	b, err := vinegar.AppendPayload(nil, e, &vinegar.DumpOptions{Python2: true, Version: "3.4.4"})
	require.NoError(t, err)
	v, err := brine.Unmarshal(b)
	require.NoError(t, err)
	payload := v.(brine.Tuple)
	require.Equal(t, brine.Tuple{[]byte("shop"), []byte("StockError")}, payload[0])
	require.Equal(t, brine.Tuple{brine.Tuple{[]byte("_remote_version"), "3.4.4"}}, payload[2])
}
