package servers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorpyc/gorpyc/protocol/transport"
)

// A forking server cannot fork as RPyC does: a Go process has many threads, of which fork would copy one. It runs the
// program anew instead, with the same arguments, and passes the socket. When that process comes to serve, it finds in
// its environment that it is a worker, and serves the one connection.
//
// A worker and its server share a pipe, which tells the worker to end in order. A server that dies closes it without a
// word: its workers then go on until their clients leave, as RPyC's do.

const (
	// workerEnv tells a process that it is a worker, of which server, and which descriptor holds the pipe.
	workerEnv = "GORPYC_FORKED_WORKER"
	// rehearsalEnv tells a worker that it has no connection, and is to say so when it would serve one.
	rehearsalEnv = "GORPYC_FORKED_REHEARSAL"
	// socketFD and pipeFD are where the worker finds its connection and the pipe: behind the standard files.
	socketFD, pipeFD = 3, 4
	endInOrder       = 'S'
	// rehearsalFD is where a rehearsing worker writes one byte.
	rehearsalFD = 3
)

// rehearsalTimeout is how long a rehearsing worker may take. If it takes longer, nothing is known.
const rehearsalTimeout = 10 * time.Second

// worker is a process that serves one connection.
type worker struct {
	cmd  *exec.Cmd
	pipe *os.File // the end to write to
	once sync.Once
}

// shutdown tells the process to end in order.
func (w *worker) shutdown() {
	w.once.Do(func() { _, _ = w.pipe.Write([]byte{endInOrder}) })
}

func (w *worker) kill() { _ = w.cmd.Process.Kill() }

// canFork reports why this system has no forking servers.
func canFork() error {
	if !forkable {
		return fmt.Errorf("rpyc: forking servers need a Unix system: %w", errors.ErrUnsupported)
	}
	return nil
}

// fork has a process of its own serve the connection. It takes the stream over.
func (s *Server) fork(ctx context.Context, stream net.Conn, log *slog.Logger) {
	w, err := s.startWorker(stream)
	_ = stream.Close() // the worker has it
	if err != nil {
		log.Error("refused", "reason", err)
		s.leave()
		return
	}
	s.mu.Lock()
	put(&s.forked, w)
	closed := s.closed
	s.mu.Unlock()
	if closed {
		w.kill()
	}
	stop := context.AfterFunc(ctx, w.kill)
	log.Debug("process started", "pid", w.cmd.Process.Pid)
	go func() {
		err := w.cmd.Wait()
		stop()
		_ = w.pipe.Close()
		if err != nil {
			log.Warn("process ended abnormally", "pid", w.cmd.Process.Pid, "error", err)
		} else {
			log.Debug("process ended", "pid", w.cmd.Process.Pid)
		}
		s.leave()
		s.mu.Lock()
		delete(s.forked, w)
		s.maybeEnded()
		s.mu.Unlock()
	}()
}

func (s *Server) startWorker(stream net.Conn) (*worker, error) {
	if nc, ok := stream.(interface{ NetConn() net.Conn }); ok {
		stream = nc.NetConn()
	}
	filer, ok := stream.(interface{ File() (*os.File, error) })
	if !ok {
		return nil, fmt.Errorf("rpyc: a %T cannot be passed to another process", stream)
	}
	socket, err := filer.File()
	if err != nil {
		return nil, err
	}
	defer func() { _ = socket.Close() }()
	r, pipe, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	cmd, err := s.workerCommand()
	if err != nil {
		_ = pipe.Close()
		return nil, err
	}
	cmd.Stdout = os.Stdout
	cmd.ExtraFiles = []*os.File{socket, r}
	if err := cmd.Start(); err != nil {
		_ = pipe.Close()
		return nil, err
	}
	return &worker{cmd: cmd, pipe: pipe}, nil
}

// workerCommand is this program, as a worker of this server.
func (s *Server) workerCommand() (*exec.Cmd, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program)
	cmd.Args = os.Args
	cmd.Env = append(os.Environ(), workerEnv+"="+strconv.Itoa(os.Getpid())+":"+s.Name)
	cmd.Stderr = os.Stderr
	return cmd, nil
}

// rehearse starts a worker without a connection, to see whether it comes to serve: a program that listens by itself and
// does not ask Forked finds its address in use, by the server that has started it, and mostly ends there.
func (s *Server) rehearse() error {
	cmd, err := s.workerCommand()
	if err != nil {
		return err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	cmd.Env = append(cmd.Env, rehearsalEnv+"=1")
	cmd.ExtraFiles = []*os.File{w}
	err = cmd.Start()
	_ = w.Close()
	if err != nil {
		return fmt.Errorf("rpyc: a forking server cannot start its program: %w", err)
	}
	_ = r.SetReadDeadline(time.Now().Add(rehearsalTimeout))
	_, failed := r.Read(make([]byte, 1))
	if failed != io.EOF {
		_ = cmd.Process.Kill() // it has done what it was started for, or takes too long
	}
	err = cmd.Wait()
	switch {
	case failed == io.EOF:
		return fmt.Errorf("rpyc: a forking server starts its program anew for each client, and the program ended before "+
			"it came to serve (%v). A program that opens its own listener must not do so if servers.Forked() is true; "+
			"ListenAndServe sees to that", cmp.Or(err, errors.New("exit status 0")))
	case failed != nil:
		s.log().Warn("a new process of the program takes long until it serves", "waited", rehearsalTimeout)
	}
	return nil
}

func (s *Server) eachWorker(f func(*worker)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.forked {
		f(w)
	}
}

// inherited is what a worker was given.
var inherited struct {
	once       sync.Once
	worker     bool
	rehearsing bool          // without a connection
	name       string        // of the server it works for
	taken      atomic.Bool   // it is being served
	done       chan struct{} // closed when the connection has been served
}

// inherit finds out whether this process is a worker.
func inherit() {
	value, ok := os.LookupEnv(workerEnv)
	if !ok {
		return
	}
	_ = os.Unsetenv(workerEnv) // it is not for the worker's own children
	parent, name, _ := strings.Cut(value, ":")
	if parent != strconv.Itoa(os.Getppid()) && os.Getppid() != 1 { // 1: the server is gone already
		return
	}
	inherited.worker, inherited.name, inherited.done = true, name, make(chan struct{})
	inherited.rehearsing = os.Getenv(rehearsalEnv) != ""
	_ = os.Unsetenv(rehearsalEnv)
}

// Forked reports whether this process is one that a [Forking] server has started to serve one connection. Such a
// process runs the program from the beginning; what a program does only once, such as opening a listener of its own for
// [Server.Serve], it has to leave out if it could not do it again: another listener on the same port, say. Serve and
// ListenAndServe do not use their listener or address in such a process. A server starts one without a connection when
// it begins to serve, and fails if that ends before it has come to Serve.
func Forked() bool {
	inherited.once.Do(inherit)
	return inherited.worker
}

// serveAsWorker serves the connection this process was started for. The program's other servers wait until that is
// done.
func (s *Server) serveAsWorker(ctx context.Context) error {
	if s.Mode != Forking || s.Name != inherited.name || inherited.taken.Swap(true) {
		select {
		case <-inherited.done:
			return ErrServerClosed
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	defer close(inherited.done)
	if inherited.rehearsing {
		pipe := os.NewFile(rehearsalFD, "pipe")
		_, _ = pipe.Write([]byte{endInOrder})
		_ = pipe.Close()
		return ErrServerClosed
	}
	keepFromChildren(socketFD, pipeFD)
	socket, pipe := os.NewFile(socketFD, "socket"), os.NewFile(pipeFD, "pipe")
	stream, err := net.FileConn(socket)
	_ = socket.Close()
	if err != nil {
		return fmt.Errorf("rpyc: the socket of a forked server: %w", err)
	}
	go func() {
		defer func() { _ = pipe.Close() }()
		word := make([]byte, 1)
		if n, _ := pipe.Read(word); n == 1 && word[0] == endInOrder {
			_ = s.Shutdown(ctx)
		}
	}()
	s.init()
	s.slots = nil // the server that has accepted counts
	stream = transport.Wrap(stream)
	if !s.addWaiting(stream) {
		_ = stream.Close()
		return ErrServerClosed
	}
	c := s.admit(ctx, stream, s.peerLog(stream))
	if c != nil {
		<-c.Done()
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return ErrServerClosed
}
