package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/gorpyc/gorpyc/protocol/frame"
)

// sharedProgram serves each connection of the listener that it inherits as descriptor 3 by a thread, and ends with its
// standard input.
const sharedProgram = imports + `
import socket, threading
from rpyc.core.stream import SocketStream
lifeline, null = os.dup(0), os.open(os.devnull, os.O_RDWR)
os.dup2(null, 0)
os.dup2(2, 1)
sys.argv[:] = ["rpyc_classic"]
listener = socket.fromfd(3, socket.AF_UNIX, socket.SOCK_STREAM)
os.close(3)
def thread(function, *args):
    t = threading.Thread(target=function, args=args)
    t.daemon = True
    t.start()
def serve(sock):
    conn = None
    try:
        conn = factory.connect_stream(SocketStream(sock), Service)
        conn.serve_all()
    except (EOFError, KeyboardInterrupt):
        pass
    finally:
        if conn is not None:
            conn.close()
def watch():
    os.read(lifeline, 1)
    os._exit(0)
thread(watch)
preload()
while True:
    thread(serve, listener.accept()[0])
`

// sharedProcess is the process of an engine that all clients share.
type sharedProcess struct {
	cmd   *exec.Cmd
	dir   string // of the socket
	stdin io.Closer
	ended chan struct{} // closed when it has ended; err is set then
	err   error
}

func (p *sharedProcess) path() string { return filepath.Join(p.dir, "clients") }

// shared gives the process, which it starts if there is none.
func (e *Engine) shared() (*sharedProcess, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p := e.process; p != nil {
		select {
		case <-p.ended:
		default:
			return p, nil
		}
	}
	p, err := e.startShared()
	if err == nil {
		e.process = p
	}
	return p, err
}

func (e *Engine) startShared() (p *sharedProcess, err error) {
	p = &sharedProcess{ended: make(chan struct{})}
	if p.dir, err = os.MkdirTemp("", "rpyc_classic"); err != nil { // for its owner alone
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(p.dir)
		}
	}()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: p.path(), Net: "unix"})
	if err != nil {
		return nil, err
	}
	defer l.Close()
	l.SetUnlinkOnClose(false)
	f, err := l.File()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p.cmd = e.command(context.Background(), sharedProgram)
	isolate(p.cmd)
	p.cmd.ExtraFiles = []*os.File{f}
	p.cmd.WaitDelay = min(e.grace()/2, time.Second)
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	lines := &lineLogger{}
	p.cmd.Stderr = lines
	if err = p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("the engine %s cannot be started: %w", e.python(), err)
	}
	lines.start(e.log().With("pid", p.cmd.Process.Pid))
	go func() {
		p.err = p.cmd.Wait()
		_ = os.RemoveAll(p.dir)
		close(p.ended)
	}()
	return p, nil
}

func (e *Engine) serveShared(ctx context.Context, stream io.ReadWriteCloser) error {
	p, err := e.shared()
	if err != nil {
		return err
	}
	conn, err := net.Dial("unix", p.path())
	if err != nil { // it is about to end, by what a client has done
		select {
		case <-p.ended:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if p, err = e.shared(); err != nil {
			return err
		}
		if conn, err = net.Dial("unix", p.path()); err != nil {
			return p.failed(err)
		}
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() {
		_ = conn.Close()
		_ = stream.Close()
	})()
	var reading sync.WaitGroup
	reading.Go(func() {
		_, _ = io.Copy(frame.NewSplitter(stream), conn)
		_ = stream.Close() // the client is told, and the other direction ends
	})
	_, _ = io.Copy(conn, acknowledged{stream}) // until the client has gone
	if c, ok := conn.(*net.UnixConn); ok {
		_ = c.CloseWrite() // the thread sees the end, and ends
	}
	waiting := time.AfterFunc(e.grace(), func() { _ = conn.Close() }) // it may be busy; it ends when it is not
	defer waiting.Stop()
	reading.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return p.failed(nil)
}

// failed says that the process has ended, if it has, or else err.
func (p *sharedProcess) failed(err error) error {
	select {
	case <-p.ended:
		if p.err != nil && !errors.Is(p.err, exec.ErrWaitDelay) {
			return fmt.Errorf("the engine's process ended: %w", p.err)
		}
	default:
	}
	return err
}

// Close ends the process that clients share, if there is one: in order, or killed after Grace. It is for programs that
// go on; the process ends with this one in any case.
func (e *Engine) Close() error {
	e.mu.Lock()
	p := e.process
	e.process = nil
	e.mu.Unlock()
	if p == nil {
		return nil
	}
	_ = p.stdin.Close()
	killer := time.AfterFunc(e.grace(), func() { kill(p.cmd) })
	defer killer.Stop()
	<-p.ended
	return p.failed(nil)
}
