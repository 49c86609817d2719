//go:build unix

package servers_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/wire"
	"github.com/gorpyc/gorpyc/servers"
)

// herdEnv has the test binary be a crowd of clients: "address idle busy".
const herdEnv = "GORPYC_SERVERS_TEST_HERD"

// herdProgram opens idle connections, each of which has made one call, and then has busy ones make calls until stdin
// ends.
func herdProgram(what string) {
	var addr string
	var idle, busy int
	if _, err := fmt.Sscan(what, &addr, &idle, &busy); err != nil {
		panic(err)
	}
	ctx := context.Background()
	cfg := &protocol.Config{Dialect: wire.FamilyD, Timeout: 2 * time.Minute}
	conns := make([]*protocol.Conn, idle+busy)
	each := func(first, last int, do func(i int) error) {
		var wg sync.WaitGroup
		limit := make(chan struct{}, 100)
		for i := first; i < last; i++ {
			limit <- struct{}{}
			wg.Go(func() {
				defer func() { <-limit }()
				if err := do(i); err != nil {
					fmt.Println("FAILED", err)
					os.Exit(1)
				}
			})
		}
		wg.Wait()
	}
	echo := func(c *protocol.Conn, text string) error {
		got, err := netref.Call[string](ctx, c.Root(), "pass", text)
		if err == nil && got != text {
			err = fmt.Errorf("%q came back as %q", text, got)
		}
		return err
	}
	each(0, len(conns), func(i int) (err error) {
		d := protocol.Dialer{Config: cfg}
		d.Timeout = time.Minute
		if conns[i], err = d.Dial(ctx, "tcp", addr); err != nil {
			return err
		}
		return echo(conns[i], fmt.Sprint("first of ", i))
	})
	fmt.Println("CONNECTED")
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	var wg sync.WaitGroup
	calls := make([]int, len(conns))
	for i := idle; i < len(conns); i++ {
		wg.Go(func() {
			for ; ; calls[i]++ {
				select {
				case <-ended:
					if calls[i] >= 10 {
						return
					}
				default:
				}
				if err := echo(conns[i], fmt.Sprint(i, " ", calls[i])); err != nil {
					fmt.Println("FAILED", err)
					os.Exit(1)
				}
			}
		})
	}
	wg.Wait()
	sum := 0
	for _, n := range calls {
		sum += n
	}
	each(0, idle, func(i int) error { return echo(conns[i], "still there") })
	fmt.Println("CALLS", sum)
	os.Exit(0) // without closing anything: the kernel does
}

// echoes is what the herd calls.
type echoes struct{}

// Pass returns what it gets.
func (echoes) Pass(text string) string { return text }

// TestHerd has one process serve 10,000 idle connections and 2,000 busy ones at the same time, as far as its file limit
// goes; a tenth of that under the race detector.
func TestHerd(t *testing.T) {
	idle, busy := 10000, 2000
	if raceEnabled || testing.Short() {
		idle, busy = idle/10, busy/10
	}
	var files syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files))
	if room := int(min(files.Max, 1<<20)) - 500; idle+busy > room {
		t.Logf("the limit of open files, %d, has room for less than %d connections", files.Max, idle+busy)
		idle, busy = room*5/6, room/6
	}
	before := runtime.NumGoroutine()
	srv := &servers.Server{Service: echoes{}}
	addr, result := start(t, t.Context(), srv)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %d", herdEnv, addr, idle, busy))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	begun := time.Now()
	heap := heapInUse()
	require.NoError(t, cmd.Start())
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	lines := bufio.NewScanner(stdout)
	require.True(t, lines.Scan())
	require.Equal(t, "CONNECTED", lines.Text())
	opened := time.Since(begun)
	// a connection may answer before the server lists it
	require.Eventually(t, func() bool { return len(srv.Clients()) == idle+busy }, time.Minute, time.Millisecond)

	// A newcomer is served as if nothing were going on.
	begun = time.Now()
	c := dial(t, addr)
	require.Equal(t, "x", call[string](t, c, "pass", "x"))
	newcomer := time.Since(begun)
	_ = stdin.Close()
	require.True(t, lines.Scan())
	require.True(t, strings.HasPrefix(lines.Text(), "CALLS "), lines.Text())
	goroutines, memory := runtime.NumGoroutine()-before, heapInUse()-heap
	t.Logf("%d idle and %d busy: opened in %v, %s made, a newcomer served in %v, %d goroutines, %d KiB of heap and "+
		"stacks each",
		idle, busy, opened.Round(time.Millisecond), lines.Text(), newcomer.Round(time.Microsecond), goroutines,
		memory/int64(idle+busy)>>10)
	// One reads; one more may have been kept by a connection that was busy.
	require.LessOrEqual(t, goroutines, idle+2*busy+20)

	require.NoError(t, cmd.Wait())
	require.Eventually(t, func() bool {
		return len(srv.Clients()) == 1
	}, time.Minute, 10*time.Millisecond, "all but our own are gone")
	require.NoError(t, c.Close())
	<-c.Done()
	stop(t, srv, result)
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// TestSlowClients has a hundred clients that stop within a message, and one of RPyC's that does not read; each ends at
// its time, and nobody else notices.
func TestSlowClients(t *testing.T) {
	srv := &servers.Server{Service: whoami{}, Config: &protocol.Config{StallTimeout: 300 * time.Millisecond,
		IdleTimeout: time.Minute}}
	gone := make(chan error, 200)
	srv.OnGone = func(c *protocol.Conn) { gone <- c.Err() }
	addr, result := start(t, t.Context(), srv)
	good := dial(t, addr)
	for range 100 {
		c, err := netDial(addr)
		require.NoError(t, err)
		defer c.Close()
		_, err = c.Write([]byte{0, 0, 1, 0, 0, 1, 2, 3})
		require.NoError(t, err)
	}
	// A client of RPyC that asks for a lot and is stopped.
	stopped := pythonCommand(t, `
import os, sys, signal, rpyc
c = rpyc.connect("127.0.0.1", int(sys.argv[1]))
f = rpyc.async_(c.root.echo)
f(b"x" * (32 << 20))
os.kill(os.getpid(), signal.SIGSTOP)
`, port(addr))
	require.NoError(t, stopped.Start())
	defer func() {
		_ = stopped.Process.Kill()
		_ = stopped.Wait()
	}()
	for range 101 {
		var stall *protocol.StallError
		require.ErrorAs(t, <-gone, &stall)
	}
	require.Equal(t, "plain text", call[string](t, good, "name"))
	require.Eventually(t, func() bool { return len(srv.Clients()) == 1 }, time.Minute, time.Millisecond)
	require.NoError(t, good.Close())
	<-good.Done()
	stop(t, srv, result)
}

// lasting waits in its handlers until the caller is gone.
type lasting struct {
	came, gone   chan struct{}
	disconnected chan struct{}
}

// Last returns when its caller is gone.
func (l *lasting) Last(ctx context.Context) {
	l.came <- struct{}{}
	<-ctx.Done()
	l.gone <- struct{}{}
}

// OnDisconnect is called when the handlers have returned.
func (l *lasting) OnDisconnect(*protocol.Conn) { l.disconnected <- struct{}{} }

// TestKilledClient kills a client of RPyC in the midst of a call: the handler learns of it.
func TestKilledClient(t *testing.T) {
	l := &lasting{make(chan struct{}), make(chan struct{}), make(chan struct{})}
	srv := &servers.Server{Service: l}
	addr, result := start(t, t.Context(), srv)
	cmd := pythonCommand(t, `import sys, rpyc; rpyc.connect("127.0.0.1", int(sys.argv[1])).root.last()`, port(addr))
	require.NoError(t, cmd.Start())
	<-l.came
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	<-l.gone
	<-l.disconnected
	stop(t, srv, result)
}

// TestKilledServer kills servers, RPyC's and ours, in the midst of a call, and starts them anew at the same place: the
// callers fail at once, and a Client goes on.
func TestKilledServer(t *testing.T) {
	program := `
import sys, threading, time, rpyc
from rpyc.utils.server import ThreadedServer
class S(rpyc.Service):
    def exposed_last(self):
        print("came", flush=True)
        time.sleep(100)
    def exposed_pid(self):
        import os
        return os.getpid()
server = ThreadedServer(S, hostname="127.0.0.1", port=int(sys.argv[1]))
server.listener.listen(10)
print("READY", server.port, flush=True)
server.start()
`
	for name, server := range map[string]func(t *testing.T, port string) *exec.Cmd{
		"python": func(t *testing.T, port string) *exec.Cmd { return pythonCommand(t, program, port) },
		"go":     lastingServer,
	} {
		t.Run(name, func(t *testing.T) {
			begin := func(cmd *exec.Cmd) (*exec.Cmd, *bufio.Scanner, string) {
				stdout, err := cmd.StdoutPipe()
				require.NoError(t, err)
				cmd.Stderr = os.Stderr
				require.NoError(t, cmd.Start())
				lines := bufio.NewScanner(stdout)
				require.True(t, lines.Scan())
				_, port, _ := strings.Cut(lines.Text(), "READY ")
				return cmd, lines, port
			}
			cmd, lines, port := begin(server(t, "0"))
			c, err := protocol.NewClient(protocol.ClientConfig{Addrs: []string{"127.0.0.1:" + port},
				MinBackoff: 10 * time.Millisecond, MaxBackoff: 50 * time.Millisecond})
			require.NoError(t, err)
			failed := make(chan error, 1)
			go func() {
				failed <- c.Do(t.Context(), func(ctx context.Context, conn *protocol.Conn) error {
					_, err := netref.Call[any](ctx, conn.Root(), "last")
					return err
				})
			}()
			require.True(t, lines.Scan())
			require.Equal(t, "came", lines.Text())
			require.NoError(t, cmd.Process.Kill())
			_ = cmd.Wait()
			err = <-failed
			require.ErrorIs(t, err, protocol.ErrClosed)
			require.False(t, protocol.SafeToRetry(err))
			cmd, _, _ = begin(server(t, port))
			require.NoError(t, c.DoIdempotent(t.Context(), func(ctx context.Context, conn *protocol.Conn) error {
				pid, err := netref.Call[int](ctx, conn.Root(), "pid")
				if err == nil {
					require.Equal(t, cmd.Process.Pid, pid)
				}
				return err
			}))
			require.NoError(t, c.Close())
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
	}
}

// TestServerOfAPythonClientKilled kills our server in the midst of a call of RPyC's client.
func TestServerOfAPythonClientKilled(t *testing.T) {
	python(t) // or the test is skipped before there is a server
	cmd := lastingServer(t, "0")
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(stdout)
	require.True(t, lines.Scan())
	_, port, _ := strings.Cut(lines.Text(), "READY ")
	client := pythonCommand(t, `
import sys, rpyc
c = rpyc.connect("127.0.0.1", int(sys.argv[1]))
try:
    c.root.last()
except EOFError:
    print("EOFError")
`, port)
	out := &strings.Builder{}
	client.Stdout, client.Stderr = out, os.Stderr
	require.NoError(t, client.Start())
	require.True(t, lines.Scan())
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	require.NoError(t, client.Wait())
	require.Equal(t, "EOFError\n", out.String())
}

// lastingEnv has the test binary be a server on the port given.
const lastingEnv = "GORPYC_SERVERS_TEST_LASTING"

// mortal is a service that is killed.
type mortal struct{}

// Last takes long.
func (mortal) Last(ctx context.Context) {
	fmt.Println("came")
	<-ctx.Done()
}

// Pid is the server's process.
func (mortal) Pid() int { return os.Getpid() }

// lastingServer is a process that serves a mortal on the port given.
func lastingServer(_ *testing.T, port string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), lastingEnv+"="+port)
	return cmd
}

func lastingProgram(port string) {
	l, err := listenOn("127.0.0.1:" + port)
	if err != nil {
		panic(err)
	}
	_, port, _ = strings.Cut(l.Addr().String(), ":")
	fmt.Println("READY", port)
	panic((&servers.Server{Service: mortal{}}).Serve(context.Background(), l))
}
