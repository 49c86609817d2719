package transport

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"sync"
	"time"
)

// processGrace is how long a program may take to end after its stdin was closed.
const processGrace = 5 * time.Second

// Process is a stream to the standard input and output of a program that was
// started for it. Read reads what the program writes, Write is what it reads.
type Process struct {
	cmd   *exec.Cmd
	r     io.ReadCloser
	w     io.WriteCloser
	close sync.Once
	ended chan struct{} // closed when the program has been waited for
	err   error         // of Wait, once ended
}

var _ io.ReadWriteCloser = (*Process)(nil)

// Start starts a program and returns the stream to it
// (rpyc.utils.factory.connect_subproc). cmd must not have been started, nor have
// a Stdin or Stdout; where its stderr goes is the caller's choice, and nowhere
// by default. The program is not bound to any context but that of
// exec.CommandContext.
func Start(cmd *exec.Cmd) (*Process, error) {
	w, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("transport: %w", err)
	}
	r, err := cmd.StdoutPipe()
	if err != nil {
		_ = w.Close()
		return nil, fmt.Errorf("transport: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("transport: %w", err)
	}
	return &Process{cmd: cmd, r: r, w: w, ended: make(chan struct{})}, nil
}

// Command is the command that was started, for its Process; it must not be waited for.
func (p *Process) Command() *exec.Cmd { return p.cmd }

// Read reads what the program writes to its standard output.
func (p *Process) Read(b []byte) (int, error) { return p.r.Read(b) }

// Write writes to the program's standard input.
func (p *Process) Write(b []byte) (int, error) { return p.w.Write(b) }

// Close closes the program's input and output, from which it learns that it is
// to end, and returns. A program that has not ended after 5 s is killed. It is
// waited for in any case, so that it does not stay as a zombie: see [Process.Wait].
func (p *Process) Close() error {
	var err error
	p.close.Do(func() {
		err = errors.Join(p.w.Close(), p.r.Close())
		kill := time.AfterFunc(processGrace, func() { _ = p.cmd.Process.Kill() })
		go func() {
			p.err = p.cmd.Wait()
			kill.Stop()
			close(p.ended)
		}()
	})
	return err
}

// Wait waits until the program has ended after Close and returns how it ended, as
// exec.Cmd.Wait does. It may be called any number of times.
func (p *Process) Wait() error {
	<-p.ended
	return p.err
}

// LocalAddr is no address, but a name for logs.
func (p *Process) LocalAddr() net.Addr { return pipeAddr{} }

// RemoteAddr is no address, but a name for logs.
func (p *Process) RemoteAddr() net.Addr { return pipeAddr{} }
