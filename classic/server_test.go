//go:build unix

package classic_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gorpyc/gorpyc/classic"
	"github.com/gorpyc/gorpyc/protocol"
)

func TestMain(m *testing.M) {
	if os.Getenv(deployed) != "" {
		os.Exit(serveDeployed(os.Args[1:]))
	}
	code := m.Run()
	if server.stop != nil {
		server.stop()
	}
	if code == 0 {
		if err := goleak.Find(goleak.IgnoreAnyFunction("github.com/gorpyc/gorpyc/protocol.collect")); err != nil {
			println(err.Error())
			code = 1
		}
	}
	os.Exit(code)
}

// python returns a Python that has rpyc. GORPYC_TEST_PYTHON names one, which must have it; otherwise it is python3 from
// the PATH, and the test is skipped if there is none.
func python(t testing.TB) string {
	t.Helper()
	path, asked := os.LookupEnv("GORPYC_TEST_PYTHON")
	if !asked || path == "" {
		var err error
		if path, err = exec.LookPath("python3"); err != nil {
			t.Skip("NOT RUN AGAINST CPYTHON: GORPYC_TEST_PYTHON is not set and there is no python3")
		}
	}
	if out, err := exec.Command(path, "-c", "import rpyc").CombinedOutput(); err != nil {
		if asked {
			t.Fatalf("GORPYC_TEST_PYTHON cannot import rpyc: %s", out)
		}
		t.Skip("NOT RUN AGAINST RPyC: GORPYC_TEST_PYTHON is not set and python3 cannot import rpyc")
	}
	return path
}

// server is RPyC's own program, one for all tests.
var server struct {
	sync.Once
	addr string
	err  error
	stop func()
}

var started = regexp.MustCompile(`server started on \[127\.0\.0\.1\]:(\d+)`)

// startServer runs rpyc_classic and returns its address.
func startServer(path string, args ...string) (addr string, stop func(), err error) {
	cmd := exec.Command(path, append([]string{program(path), "--host", "127.0.0.1", "-p", "0"}, args...)...)
	cmd.Env = append(os.Environ(), "PYTHONUNBUFFERED=1", "PYTHONDONTWRITEBYTECODE=1", "PYTHONIOENCODING=utf-8")
	logged, err := cmd.StderrPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	lines := bufio.NewScanner(logged)
	for lines.Scan() {
		if m := started.FindStringSubmatch(lines.Text()); m != nil {
			addr = "127.0.0.1:" + m[1]
			break
		}
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		for lines.Scan() {
		}
	}()
	return addr, func() {
		_ = cmd.Process.Kill()
		<-drained
		_ = cmd.Wait()
	}, nil
}

// connect makes a connection to the program.
func connect(t testing.TB, cfg *protocol.Config) *classic.Conn {
	t.Helper()
	path := python(t)
	server.Do(func() { server.addr, server.stop, server.err = startServer(path) })
	require.NoError(t, server.err)
	return dial(t, server.addr, cfg)
}

// connectAlone makes the only connection to a program of its own: sys.stderr is the whole program's, and a thread of
// another connection may print there how it ended.
func connectAlone(t *testing.T) *classic.Conn {
	t.Helper()
	addr, stop, err := startServer(python(t))
	require.NoError(t, err)
	t.Cleanup(stop)
	c := dial(t, addr, nil)
	// Connections that felt out the protocol's family end in threads, which print how.
	require.NoError(t, c.Execute(t.Context(), `
import threading
for thread in threading.enumerate():
    if thread is not threading.current_thread() and not thread.name.startswith(("MainThread", "Plumbum")):
        thread.join(10)
`))
	return c
}

func dial(t testing.TB, addr string, cfg *protocol.Config) *classic.Conn {
	t.Helper()
	require.NotEmpty(t, addr, "rpyc_classic has not said where it listens")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, err := classic.Dial(ctx, addr, cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, c.Close())
		<-c.Done()
	})
	return c
}
