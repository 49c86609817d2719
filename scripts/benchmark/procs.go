package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/gorpyc/gorpyc/scripts/benchmark/measure"
)

// place says where processes run and what they are made of.
type place struct {
	self       string   // this program
	python     string   // an interpreter with rpyc
	grpc       string   // the program of scripts/benchmark/grpc; "" if there is none
	scripts    string   // the directory of the Python scripts
	pin        []string // what pins a command to a CPU; nil if that is not possible
	profileDir string   // for CPU profiles of gorpyc's processes
	round      int
}

// findPin returns the command that pins another one to the first CPU we may use.
func findPin() []string {
	out, err := exec.Command("taskset", "-cp", fmt.Sprint(os.Getpid())).Output()
	if err != nil {
		return nil
	}
	_, list, _ := strings.Cut(string(out), ": ")
	cpu := strings.FieldsFunc(list, func(r rune) bool { return r < '0' || r > '9' })
	if len(cpu) == 0 {
		return nil
	}
	pin := []string{"taskset", "-c", cpu[0]}
	if exec.Command(pin[0], append(pin[1:], "true")...).Run() != nil {
		return nil
	}
	return pin
}

// process is a server or a client of ours.
type process struct {
	name  string
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines *bufio.Scanner
}

// start starts a server (role serve) or a client (role load).
func (p place) start(role, stack, placement string) (*process, error) {
	args := []string{p.self, role, "--stack", stack}
	if stack == "grpc" {
		args = []string{p.grpc, role}
	} else if stack == "python" {
		script := map[string]string{"serve": "bench_service.py", "load": "bench_client.py"}[role]
		args = []string{p.python, filepath.Join(p.scripts, script)}
	} else if stack == "gorpyc" && p.profileDir != "" {
		file := fmt.Sprintf("%s-%s-%d.pprof", role, placement, p.round)
		args = append(args, "--cpuprofile", filepath.Join(p.profileDir, file))
	}
	if placement == same {
		args = append(append([]string(nil), p.pin...), args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &process{name: role + " " + stack, cmd: cmd, stdin: stdin, lines: bufio.NewScanner(stdout)}, nil
}

// read reads the next line of a process.
func (p *process) read(v any) error {
	if !p.lines.Scan() {
		return fmt.Errorf("%s ended: %w", p.name, errors.Join(p.lines.Err(), io.ErrUnexpectedEOF))
	}
	return json.Unmarshal(p.lines.Bytes(), v)
}

// stop ends a process in good order, or else at once.
func (p *process) stop() {
	_ = p.stdin.Close()
	timer := time.AfterFunc(5*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	for p.lines.Scan() {
	}
	_ = p.cmd.Wait()
}

// fleet is the processes of a round. They are started when they are first needed.
type fleet struct {
	place
	clients map[[2]string]*process // by stack and placement
	servers map[[2]string]*server
}

type server struct {
	*process
	measure.Listening
}

func newFleet(p place) *fleet {
	return &fleet{place: p, clients: map[[2]string]*process{}, servers: map[[2]string]*server{}}
}

func (f *fleet) stop() {
	for _, p := range f.clients {
		p.stop()
	}
	for _, p := range f.servers {
		p.stop()
	}
}

func (f *fleet) client(stack, placement string) (*process, error) {
	key := [2]string{stack, placement}
	if p := f.clients[key]; p != nil {
		return p, nil
	}
	p, err := f.start("load", stack, placement)
	if err == nil {
		f.clients[key] = p
	}
	return p, err
}

func (f *fleet) server(stack, placement string) (*server, error) {
	key := [2]string{stack, placement}
	if s := f.servers[key]; s != nil {
		return s, nil
	}
	p, err := f.start("serve", stack, placement)
	if err != nil {
		return nil, err
	}
	s := &server{process: p}
	if err := p.read(&s.Listening); err != nil {
		p.stop()
		return nil, err
	}
	f.servers[key] = s
	return s, nil
}

// measure carries out an experiment. A sample with an error in it is one that failed; an error is the end of the run.
func (f *fleet) measure(e experiment, seconds float64) (sample, error) {
	// memory that others have used is used again, and what others have left to be collected is collected
	if e.Mode == "idle" || e.Mode == "bylist" {
		key := [2]string{e.Server, e.Placement}
		if s := f.servers[key]; s != nil {
			delete(f.servers, key)
			s.stop()
		}
	}
	srv, err := f.server(e.Server, e.Placement)
	if err != nil {
		return sample{}, err
	}
	c, err := f.client(e.Client, e.Placement)
	if err != nil {
		return sample{}, err
	}
	if e.Server == "largeheap" { // collections come a second apart and more
		seconds = max(seconds, 2)
	}
	j := job{Mode: e.Mode, Host: srv.Host, Port: srv.Port, PID: srv.PID, Seconds: seconds, Warm: seconds / 4, N: e.Count,
		Size: e.Size}
	if err := json.NewEncoder(c.stdin).Encode(j); err != nil {
		return sample{}, err
	}
	// A measurement that hangs must not hang the run: its client is killed, which reads as an end.
	watchdog := time.AfterFunc(2*time.Minute, func() { _ = c.cmd.Process.Kill() })
	defer watchdog.Stop()
	var s sample
	if err := c.read(&s); err != nil {
		delete(f.clients, [2]string{e.Client, e.Placement})
		c.stop()
		s.Err = err.Error()
	}
	return s, nil
}
