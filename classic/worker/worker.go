// Package worker serves the clients of a classic server by CPython: each has a Python process of its own, which speaks
// RPyC over its standard input and output, as under inetd, or all share one, as threads of it. The program in Go keeps
// the network: listening, TLS, limits, registration, logs. The Python must have rpyc installed.
package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol/frame"
)

// Engine starts the processes. It is safe for concurrent use; its fields must not be changed while it is used.
type Engine struct {
	// Python is the interpreter, a path or a name to be found on PATH; "" means "python3".
	Python string
	// Args come before the program, for instance "-I".
	Args []string
	// Env is the environment of the processes; nil is this process's.
	Env []string
	// Dir is their working directory; "" is this process's.
	Dir string
	// ScriptDir is sys.path[0] of the processes, where Python puts the directory of the script it runs; "" leaves it out.
	// Their working directory is not searched for modules, as it is not for those of rpyc_classic.py.
	ScriptDir string
	// Preload is a Python file that each process runs before it serves, for what takes long to import or to set up. The
	// names that it defines are in the namespace of every client (conn.namespace); "" is none.
	Preload string
	// Shared has one process serve all clients, each by a thread: they share sys.modules and all that hangs on it, as with
	// Python's threaded server, and what one client does to the process the others feel. It is started with the first
	// client, and anew if it has ended. On Unix only.
	Shared bool
	// Grace is how long a process may take to end once its client has gone, before it is killed; 0 means 5 s.
	Grace time.Duration
	// Logger is told what the processes write to stderr, and of those that fail; nil is silent.
	Logger *slog.Logger

	mu      sync.Mutex
	process *sharedProcess // nil before the first client
}

// prologue comes before all imports. What -c puts first on sys.path is the working directory, which need not be the
// user's own.
const prologue = `import sys
if sys.path[:1] == [""]:
    sys.path[:1] = sys.argv[1:]
`

// imports begins both programs. Where something is preloaded, it is a func preload and a Service with its names.
const imports = `
import os
from rpyc.core.service import SlaveService
from rpyc.utils import factory
names = {}
Service = SlaveService
if preloaded is not None:
    class Service(SlaveService):
        def on_connect(self, *args):
            SlaveService.on_connect(self, *args)
            getattr(self, "namespace", getattr(self, "exposed_namespace", {})).update(names)
    Service.__name__, Service.__qualname__ = "SlaveService", "SlaveService"
    Service.__module__ = SlaveService.__module__
def preload():
    if preloaded is not None:
        names.update(__name__="__preload__", __file__=preloaded)
        with open(preloaded, "rb") as f:
            exec(compile(f.read(), preloaded, "exec"), names)
        for name in [name for name in names if name.startswith("__")]:
            del names[name]
`

// program is what a process runs. It takes the descriptors of the protocol out of reach of what clients do with
// sys.stdout, as rpyc_classic.py does, and those of child processes, too.
const program = imports + `
reading, writing = os.fdopen(os.dup(0), "rb", 0), os.fdopen(os.dup(1), "wb", 0)
null = os.open(os.devnull, os.O_RDWR)
os.dup2(null, 0)
os.dup2(2, 1)
sys.argv[:] = ["rpyc_classic"]
preload()
conn = factory.connect_pipes(reading, writing, Service)
try:
    conn.serve_all()
except KeyboardInterrupt:
    pass
finally:
    conn.close()
`

func (e *Engine) python() string {
	if e.Python == "" {
		return "python3"
	}
	return e.Python
}

// Check starts the interpreter and returns the release of rpyc that it has, or an error that says what is missing.
func (e *Engine) Check(ctx context.Context) (version string, err error) {
	cmd := e.command(ctx, "try:\n    import rpyc\nexcept ImportError as e:\n    sys.exit('ImportError: %s' % "+
		"e)\nprint(rpyc.__version__)")
	out, err := cmd.Output()
	if err == nil {
		return strings.TrimSpace(string(out)), nil
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return "", fmt.Errorf("the engine %s cannot be started: %w", e.python(), err)
	}
	said := strings.TrimSpace(string(exit.Stderr))
	if strings.Contains(said, "ImportError") {
		return "", fmt.Errorf("the engine %[1]s has no rpyc (%[2]s); %[1]s -m pip install rpyc installs it", e.python(), said)
	}
	return "", fmt.Errorf("the engine %s failed: %w: %s", e.python(), err, said)
}

func (e *Engine) command(ctx context.Context, text string) *exec.Cmd {
	preloaded := "None"
	if e.Preload != "" {
		preloaded = pyvalue.Repr(e.Preload)
	}
	args := append(append([]string{}, e.Args...), "-u", "-c", prologue+"preloaded = "+preloaded+"\n"+text)
	if e.ScriptDir != "" {
		args = append(args, e.ScriptDir)
	}
	cmd := exec.CommandContext(ctx, e.python(), args...)
	cmd.Env, cmd.Dir = e.Env, e.Dir
	return cmd
}

// Serve starts a process, passes everything on between it and the client, and returns when either has ended: nil if the
// process ended by itself and in order. The end of ctx kills the process. The stream is closed. Of a shared process,
// Serve returns when the client or its connection has ended, and the end of ctx ends that alone.
func (e *Engine) Serve(ctx context.Context, stream io.ReadWriteCloser) error {
	defer func() { _ = stream.Close() }()
	if e.Shared {
		return e.serveShared(ctx, stream)
	}
	cmd := e.command(ctx, program)
	isolate(cmd)
	grace := e.grace()
	cmd.WaitDelay = min(grace/2, time.Second) // for children of its that keep stderr open
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	lines := &lineLogger{}
	cmd.Stderr = lines
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("the engine %s cannot be started: %w", e.python(), err)
	}
	lines.start(e.log().With("pid", cmd.Process.Pid))
	var reading sync.WaitGroup
	reading.Go(func() { // until the process closes its end
		_, _ = io.Copy(frame.NewSplitter(stream), out)
		_ = stream.Close() // the client is told, and the other direction ends
	})
	_, _ = io.Copy(in, acknowledged{stream}) // until the client has gone
	_ = in.Close()                           // the process sees the end, and ends
	killer := time.AfterFunc(grace, func() { kill(cmd) })
	defer killer.Stop()
	reading.Wait()
	err = cmd.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		return fmt.Errorf("the engine's process ended: %w", err)
	}
	return nil
}

func (e *Engine) grace() time.Duration {
	if e.Grace == 0 {
		return 5 * time.Second
	}
	return e.Grace
}

func (e *Engine) log() *slog.Logger {
	if e.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return e.Logger
}

// lineLogger logs each line that is written to it.
type lineLogger struct {
	mu   sync.Mutex
	log  *slog.Logger // nil before the process has started
	line []byte
}

func (l *lineLogger) start(log *slog.Logger) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.log = log
}

// Write implements io.Writer.
func (l *lineLogger) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line = append(l.line, p...)
	for {
		i := bytes.IndexByte(l.line, '\n')
		if i < 0 && len(l.line) < 1<<16 {
			return len(p), nil
		}
		line := l.line
		if i >= 0 {
			line = l.line[:i]
		}
		if l.log != nil {
			l.log.Info("engine", "stderr", string(line))
		}
		l.line = append([]byte(nil), l.line[min(len(line)+1, len(l.line)):]...)
	}
}

// acknowledged reads from a stream that it has acknowledge at once what comes, where that can be had
// (transport.QuickAcker): a client on CPython writes a large frame in pieces and waits for the acknowledgement, 40 ms
// each.
type acknowledged struct{ io.Reader }

func (a acknowledged) Read(p []byte) (int, error) {
	if q, ok := a.Reader.(interface{ QuickAck() }); ok {
		q.QuickAck()
	}
	return a.Reader.Read(p)
}
