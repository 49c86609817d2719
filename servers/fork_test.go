//go:build unix

package servers_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/servers"
)

// forkEnv has the test binary be a program with a forking server instead, which it is in the server's workers as well.
const forkEnv = "GORPYC_SERVERS_TEST_FORK"

// forker is what the program serves.
type forker struct{ entered string }

// Pid is the process that serves the caller.
func (f *forker) Pid() int { return os.Getpid() }

// Crash ends the process that serves the caller.
func (f *forker) Crash() { os.Exit(3) }

// Wait returns after the server was told to end, and not before the file named is there.
func (f *forker) Wait(file string) string {
	_ = os.WriteFile(f.entered, nil, 0o600)
	for {
		if _, err := os.Stat(file); err == nil {
			return "done"
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// Note writes down that it was called.
func (f *forker) Note(token string) string {
	file := must(os.OpenFile(f.entered, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600))
	defer func() { _ = file.Close() }()
	_ = must(file.WriteString(token + "\n"))
	return token
}

func forkingProgram() {
	srv := &servers.Server{Service: &forker{entered: os.Getenv(forkEnv)}, Mode: servers.Forking, MaxConns: 10}
	other := &servers.Server{Name: "other", Mode: servers.Forking}
	ctx := context.Background()
	go func() { _ = other.ListenAndServe(ctx, "tcp", "127.0.0.1:0") }()
	if servers.Forked() {
		err := srv.Serve(ctx, nil)
		fmt.Println("worker:", err)
		return
	}
	l := must(listen())
	fmt.Println("READY", l.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		limit, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		fmt.Println("shutdown:", srv.Shutdown(limit))
		os.Exit(0)
	}()
	fmt.Println("server:", srv.Serve(ctx, l))
	select {}
}

// listenerEnv has the test binary be a program that opens a listener of its own, at the address it names, in whichever
// process it is.
const listenerEnv = "GORPYC_SERVERS_TEST_LISTENER"

func listenerProgram(addr string) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		os.Exit(7)
	}
	_ = os.Setenv(listenerEnv, l.Addr().String()) // for the processes that the server starts
	srv := &servers.Server{Service: &forker{}, Mode: servers.Forking}
	fmt.Println(srv.Serve(context.Background(), l))
}

// TestForkingRefusesAListenerOfItsOwn runs a program whose workers would end before they serve. The server says so when
// it begins, and not to its first client.
func TestForkingRefusesAListenerOfItsOwn(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), listenerEnv+"=127.0.0.1:0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err)
	require.Contains(t, string(out), "the program ended before it came to serve (exit status 7)")
	require.Contains(t, string(out), "servers.Forked()")
}

type program struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.Closer
	lines chan string
	addr  string
}

// startForking starts the program and waits until it listens.
func startForking(t *testing.T, entered string) *program {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), forkEnv+"="+entered)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	p := &program{t: t, cmd: cmd, stdin: stdin, lines: make(chan string, 100)}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	go func() {
		for s := bufio.NewScanner(stdout); s.Scan(); {
			p.lines <- s.Text()
		}
		close(p.lines)
	}()
	p.addr = strings.TrimPrefix(p.expect("READY "), "READY ")
	return p
}

// expect waits for a line that begins in this way, leaving others out.
func (p *program) expect(begin string) string {
	p.t.Helper()
	limit := time.After(30 * time.Second)
	for {
		select {
		case line, ok := <-p.lines:
			require.True(p.t, ok, "the program has ended without saying %q", begin)
			if strings.HasPrefix(line, begin) {
				return line
			}
		case <-limit:
			p.t.Fatalf("the program does not say %q", begin)
		}
	}
}

func pid(t *testing.T, c *protocol.Conn) int {
	t.Helper()
	return call[int](t, c, "pid")
}

// TestForking serves Python and Go clients in processes of their own; what happens to one harms none of the others.
func TestForking(t *testing.T) {
	p := startForking(t, t.TempDir()+"/entered")
	a, b := dial(t, p.addr), dial(t, p.addr)
	seen := map[int]bool{p.cmd.Process.Pid: true, pid(t, a): true, pid(t, b): true}
	require.Len(t, seen, 3)
	out := runPython(t, `
import sys, rpyc
c = rpyc.connect("127.0.0.1", int(sys.argv[1]))
print(c.root.pid())
try:
    c.root.crash()
except EOFError:
    print("EOFError")
`, port(p.addr))
	require.Contains(t, out, "EOFError")
	require.NotContains(t, out, fmt.Sprint(p.cmd.Process.Pid))
	require.NoError(t, syscall.Kill(pid(t, a), syscall.SIGKILL))
	<-a.Done()
	require.NotZero(t, pid(t, b))
	c := dial(t, p.addr)
	require.NotContains(t, seen, pid(t, c))
	require.NoError(t, c.Close())
	p.expect("worker: rpyc: server closed")
	require.NoError(t, b.CloseNow())
	<-b.Done()
	<-c.Done()
	_ = p.stdin.Close()
	p.expect("shutdown: <nil>")
}

// TestForkingShutdown lets the request in a worker finish.
func TestForkingShutdown(t *testing.T) {
	entered, leave := t.TempDir()+"/entered", t.TempDir()+"/leave"
	p := startForking(t, entered)
	c := dial(t, p.addr)
	r := async(t, c, "wait", leave)
	require.Eventually(t, func() bool {
		_, err := os.Stat(entered)
		return err == nil
	}, 20*time.Second, 5*time.Millisecond)
	_ = p.stdin.Close()
	p.expect("server: rpyc: server closed")
	require.NoError(t, os.WriteFile(leave, nil, 0o600))
	require.Equal(t, "done", await(t, r))
	p.expect("shutdown: <nil>")
	<-c.Done()
}

// TestForkingShutdownUnderLoad is TestShutdownUnderLoad for processes.
func TestForkingShutdownUnderLoad(t *testing.T) {
	notes := t.TempDir() + "/notes"
	p := startForking(t, notes)
	outcome := &outcomes{answered: make(map[string]bool)}
	var wg sync.WaitGroup
	for i := range 3 {
		c := dial(t, p.addr)
		for g := range 4 {
			wg.Go(func() {
				for n := 0; outcome.add(fmt.Sprint(i, " ", g, " ", n), false, c); n++ {
				}
			})
		}
	}
	require.Eventually(t, func() bool {
		all, err := os.ReadFile(notes)
		return err == nil && bytes.Count(all, []byte("\n")) > 100
	}, 20*time.Second, time.Millisecond)
	_ = p.stdin.Close()
	p.expect("shutdown: <nil>")
	wg.Wait()
	require.Empty(t, outcome.wrong)
	all, err := os.ReadFile(notes)
	require.NoError(t, err)
	for token := range strings.Lines(string(all)) {
		require.True(t, outcome.answered[strings.TrimSpace(token)], "%s was carried out and is not answered", token)
	}
}

// TestForkingServerKilled leaves the clients alone that are being served.
func TestForkingServerKilled(t *testing.T) {
	p := startForking(t, t.TempDir()+"/entered")
	c := dial(t, p.addr)
	before := pid(t, c)
	require.NoError(t, p.cmd.Process.Kill())
	_, _ = p.cmd.Process.Wait()
	require.Equal(t, before, pid(t, c))
	require.NoError(t, c.Close())
	<-c.Done()
	require.Eventually(t, func() bool {
		return syscall.Kill(before, 0) == syscall.ESRCH
	}, 20*time.Second, 5*time.Millisecond)
}
