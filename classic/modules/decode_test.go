//go:build unix

package modules_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/classic/slave"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// TestTextFileBrokenUTF8: a text file treats bytes that are no UTF-8 as bytes.decode does, one sequence at a time.
func TestTextFileBrokenUTF8(t *testing.T) {
	path := filepath.Join(t.TempDir(), "broken")
	require.NoError(t, os.WriteFile(path, []byte("a\xe2\x82b\xffc\xf0\x9f\x98\n"), 0o600))
	s := slave.NewService(nil)
	require.NoError(t, s.Namespace().Set(context.Background(), "path", path))
	for call, want := range map[string]string{
		"open(path, errors='replace').read()":                     "a\ufffdb\ufffdc\ufffd\n",
		"open(path, errors='ignore').readline()":                  "abc\n",
		"open(path, errors='backslashreplace').read()":            `a\xe2\x82b\xffc\xf0\x9f\x98` + "\n",
		"open(path, encoding='ascii', errors='replace').read(4)":  "a\ufffd\ufffdb",
		"open(path, encoding='latin-1').read(3)":                  "a\u00e2\u0082",
		"open(path, encoding='locale', errors='replace').read(2)": "a\ufffd",

		"open(path, errors='surrogateescape').read().encode('utf-8', 'surrogateescape').hex()": "61e28262ff63f09f980a",
	} {
		got, err := s.Eval(context.Background(), call)
		require.NoError(t, err, call)
		require.Equal(t, want, got, call)
	}
	_, err := s.Eval(context.Background(), "open(path).read()")
	require.ErrorIs(t, err, vinegar.UnicodeDecodeError)
	_, err = s.Eval(context.Background(), "open(path, errors='nonsense').read()")
	require.ErrorIs(t, err, vinegar.LookupError)
}
