package servers_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// python returns a Python 3 that has rpyc. GORPYC_TEST_PYTHON names one, which must have it; otherwise it is python3
// from the PATH, and the test is skipped if there is none.
func python(t testing.TB) string {
	t.Helper()
	path, asked := os.LookupEnv("GORPYC_TEST_PYTHON")
	if !asked || path == "" {
		var err error
		if path, err = exec.LookPath("python3"); err != nil {
			t.Skip("no Python to talk to: GORPYC_TEST_PYTHON is not set and there is no python3")
		}
	}
	if out, err := exec.Command(path, "-c", "import rpyc").CombinedOutput(); err != nil {
		if asked {
			t.Fatalf("GORPYC_TEST_PYTHON cannot import rpyc: %s", out)
		}
		t.Skip("no RPyC to talk to: GORPYC_TEST_PYTHON is not set and python3 cannot import rpyc")
	}
	return path
}

// pythonCommand is a Python program with arguments, that ends with the test.
func pythonCommand(t testing.TB, program string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, python(t), append([]string{"-c", program}, args...)...)
	cmd.Env = append(os.Environ(), "PYTHONIOENCODING=utf-8", "PYTHONDONTWRITEBYTECODE=1", "PYTHONUNBUFFERED=1")
	return cmd
}

// runPython runs a program that must succeed and returns what it prints.
func runPython(t testing.TB, program string, args ...string) string {
	t.Helper()
	cmd := pythonCommand(t, program, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s\n%s", out, stderr.String())
	return strings.TrimSpace(string(out))
}
