package pickle_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
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

// TestEnumMembersByName reads a member of an Enum as CPython 3.11.0 to 3.11.3 pickle it, as Debian's does, and writes
// it so that any CPython has the member again. Below protocol 4, nested classes look the same.
func TestEnumMembersByName(t *testing.T) {
	const script = `import base64, http, io, pickle, sys
m = http.HTTPStatus.OK
class Outer:
    class Inner: pass
class P(pickle.Pickler):
    def reducer_override(self, o):
        return (getattr, (type(o), o.name)) if isinstance(o, http.HTTPStatus) else NotImplemented
for protocol in range(6):
    f = io.BytesIO(); P(f, protocol).dump([m, m, {m: 1}, Outer.Inner, Outer.Inner()])
    print(base64.b64encode(f.getvalue()).decode())`
	const check = `import base64, http, pickle, sys
print([pickle.loads(base64.b64decode(s)) is http.HTTPStatus.OK for s in sys.argv[1:]])`
	nested := pickle.Class{Module: "__main__", Name: "Outer.Inner"}
	for name, python := range pythons(t) {
		if name == "2.7" || name == "3.6" { // they have no reducer_override
			continue
		}
		out, err := exec.Command(python, "-c", script).Output()
		require.NoError(t, err)
		lines := strings.Fields(string(out))
		require.Len(t, lines, 6)
		args := []string{"-c", check}
		for protocol, line := range lines {
			data, err := base64.StdEncoding.DecodeString(line)
			require.NoError(t, err)
			v, err := pickle.Unmarshal(data)
			require.NoError(t, err)
			list := v.([]any)
			ok := &pickle.Object{Class: pickle.Class{Module: "http", Name: "HTTPStatus"}, Member: "OK"}
			require.Equal(t, ok, list[0], protocol)
			require.Same(t, list[0], list[1])
			n, found := list[2].(*pickle.Dict).Get(list[0])
			require.True(t, found)
			require.Equal(t, int64(1), n)
			_, err = netref.As[map[string]any](t.Context(), list[0])
			require.Error(t, err)
			class, err := netref.As[pickle.Class](t.Context(), list[3])
			require.NoError(t, err)
			require.Equal(t, nested, class)
			require.Equal(t, nested, list[4].(*pickle.Object).Class)
			data, err = pickle.Marshal(list[0], max(2, protocol))
			require.NoError(t, err)
			args = append(args, base64.StdEncoding.EncodeToString(data))
		}
		out, err = exec.Command(python, args...).Output()
		require.NoError(t, err)
		require.Equal(t, "[True, True, True, True, True, True]", strings.TrimSpace(string(out)), name)
	}
}
