package vinegar

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// readRows reads a file of JSON lines.
func readRows[T any](t testing.TB, file string) []T {
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	return decodeRows[T](t, bufio.NewReader(f))
}

func decodeRows[T any](t testing.TB, r io.Reader) (rows []T) {
	for d := json.NewDecoder(r); d.More(); {
		var row T
		require.NoError(t, d.Decode(&row))
		rows = append(rows, row)
	}
	return rows
}

// python returns a Python 3 to compare with. GORPYC_TEST_PYTHON names one, otherwise
// it is python3 from the PATH. Without either the test is skipped.
func python(t testing.TB) string {
	if path := os.Getenv("GORPYC_TEST_PYTHON"); path != "" {
		return path
	}
	path, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no Python to compare with: GORPYC_TEST_PYTHON is not set and there is no python3")
	}
	return path
}

// pythonWithRPyC is python for tests that need the rpyc package too. One that
// was named must have it.
func pythonWithRPyC(t testing.TB) string {
	path := python(t)
	if out, err := exec.Command(path, "-c", "import rpyc.core.vinegar").CombinedOutput(); err != nil {
		if os.Getenv("GORPYC_TEST_PYTHON") != "" {
			t.Fatalf("GORPYC_TEST_PYTHON cannot import rpyc: %s", out)
		}
		t.Skip("no RPyC to compare with: GORPYC_TEST_PYTHON is not set and python3 cannot import rpyc")
	}
	return path
}

func runPython(t testing.TB, python string, stdin []byte, args ...string) []byte {
	cmd := exec.Command(python, args...)
	cmd.Env = append(os.Environ(), "PYTHONIOENCODING=utf-8", "PYTHONDONTWRITEBYTECODE=1")
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s", stderr.String())
	return out
}
