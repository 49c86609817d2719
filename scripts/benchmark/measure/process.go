package measure

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
)

// Addr is where the server listens.
func (j Job) Addr() string { return net.JoinHostPort(j.Host, strconv.Itoa(j.Port)) }

// Unknown is the error for a mode that a client does not have.
func (j Job) Unknown() error { return fmt.Errorf("unknown mode %q", j.Mode) }

// CarryOut is what a client does: it reads jobs from stdin and prints a sample for each.
func CarryOut(do func(Job) (Sample, error)) error {
	out := json.NewEncoder(os.Stdout)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var j Job
		if err := json.Unmarshal(lines.Bytes(), &j); err != nil {
			return err
		}
		s, err := do(j)
		if err != nil {
			s.Err = err.Error()
		}
		if err := out.Encode(s); err != nil {
			return err
		}
	}
	return lines.Err()
}

// Listening is the line a server prints when it listens.
type Listening struct {
	Host string `json:"host"`
	Port int    `json:"port"`
	PID  int    `json:"pid"`
}

// Serve is what a server does: it says where it listens, and serves until stdin ends.
func Serve(host string, port int, handle func(net.Listener) error) error {
	l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return err
	}
	line := Listening{Host: host, Port: l.Addr().(*net.TCPAddr).Port, PID: os.Getpid()}
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- handle(l) }()
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	select {
	case err := <-failed:
		return err
	case <-ended:
		return nil
	}
}
