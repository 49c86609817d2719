package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// place says what processes are made of.
type place struct {
	self   string   // this program
	python string   // an interpreter with rpyc
	peer   string   // peer.py
	prefix []string // of commands, such as ip netns exec NAME
}

// kinds are the implementations that serve and load.
var kinds = []string{"go", "python"}

// command is that of a server or of clients.
func (p place) command(kind string, args ...string) *exec.Cmd {
	line := append([]string{p.self}, args...)
	if kind == "python" {
		line = append([]string{p.python, p.peer}, args...)
	}
	line = append(append([]string(nil), p.prefix...), line...)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	return cmd
}

// server is a server's process.
type server struct {
	cmd   *exec.Cmd
	stdin io.Closer
	port  int
	kind  string
}

// serve starts a server; wrap, if not nil, changes its command.
func (p place) serve(kind, listen string, wrap func(*exec.Cmd)) (*server, error) {
	cmd := p.command(kind, "serve", "--listen", listen)
	if kind == "python" {
		cmd.Stderr = nil // it prints a traceback for each connection that ends in another way than by close
	}
	if wrap != nil {
		wrap(cmd)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = cmd.Process.Kill()
		return nil, fmt.Errorf("the %s server has not begun: %w", kind, cmd.Wait())
	}
	port, err := strconv.Atoi(strings.TrimSpace(line))
	return &server{cmd, in, port, kind}, err
}

// kill ends the process as if its machine had failed.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// stop ends the process in order, and says if it had ended before or does not end.
func (s *server) stop() error {
	_ = s.stdin.Close()
	stuck := time.AfterFunc(20*time.Second, func() { _ = s.cmd.Process.Signal(syscall.SIGQUIT) })
	defer stuck.Stop()
	if err := s.cmd.Wait(); err != nil {
		return fmt.Errorf("the %s server: %w", s.kind, err)
	}
	return nil
}

// load runs clients and returns what they say.
func (p place) load(ctx context.Context, kind string, args ...string) (outcome, error) {
	var o outcome
	cmd := p.command(kind, append([]string{"load"}, args...)...)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return o, err
	}
	defer context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })()
	late := time.AfterFunc(5*time.Minute+secondsOf(args), func() { _ = cmd.Process.Signal(syscall.SIGQUIT) })
	defer late.Stop()
	err = json.NewDecoder(out).Decode(&o)
	if werr := cmd.Wait(); err == nil {
		err = werr
	}
	if ctx.Err() != nil {
		return o, ctx.Err()
	}
	if err != nil {
		err = fmt.Errorf("the %s clients: %w", kind, err)
	}
	return o, err
}

// secondsOf is the value of --seconds.
func secondsOf(args []string) time.Duration {
	for i, a := range args {
		if a == "--seconds" && i+1 < len(args) {
			n, _ := strconv.ParseFloat(args[i+1], 64)
			return time.Duration(n * float64(time.Second))
		}
	}
	return 0
}
