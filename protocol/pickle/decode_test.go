package pickle_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol/pickle"
)

// vector is a line of testdata/pickles-*.jsonl.
type vector struct {
	Name    string
	Pickles map[string]string
	Value   json.RawMessage
}

func parseVectors(t testing.TB, data []byte) (vs []vector) {
	t.Helper()
	sc := bufio.NewScanner(bytes.NewReader(data))
	sc.Buffer(nil, 1<<22)
	for sc.Scan() {
		var v vector
		require.NoError(t, json.Unmarshal(sc.Bytes(), &v))
		vs = append(vs, v)
	}
	require.NoError(t, sc.Err())
	return vs
}

func readVectors(t testing.TB) map[string][]vector {
	t.Helper()
	files, err := filepath.Glob("testdata/pickles-*.jsonl")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	all := map[string][]vector{}
	for _, f := range files {
		data, err := os.ReadFile(f)
		require.NoError(t, err)
		all[f] = parseVectors(t, data)
	}
	return all
}

func (v vector) each(t testing.TB, f func(protocol string, data []byte)) {
	for p, s := range v.Pickles {
		data, err := base64.StdEncoding.DecodeString(s)
		require.NoError(t, err)
		f(p, data)
	}
}

func checkVectors(t *testing.T, vs []vector) (n int) {
	for _, v := range vs {
		v.each(t, func(protocol string, data []byte) {
			n++
			got, err := pickle.Unmarshal(data)
			require.NoError(t, err, "%s, protocol %s: %q", v.Name, protocol, data)
			require.JSONEq(t, string(v.Value), described(t, got), "%s, protocol %s", v.Name, protocol)
		})
	}
	return n
}

// TestUnmarshalCPython reads what CPythons from 2.7 to 3.13 have written.
func TestUnmarshalCPython(t *testing.T) {
	total := 0
	for file, vs := range readVectors(t) {
		n := checkVectors(t, vs)
		require.Greater(t, n, 200, file)
		total += n
	}
	require.Greater(t, total, 1000)
	t.Log(total, "pickles")
}
