//go:build unix

package modules

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gorpyc/gorpyc/classic/internal/pytypes"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// The values of stdin, stdout and stderr that are no files.
const (
	streamPipe   = -1
	streamStdout = -2
	streamNull   = -3
)

// process is subprocess.Popen.
type process struct {
	exposed.Attrs
	cmd  *exec.Cmd
	args any
	text bool
	ends []*os.File // of pipes, which the process has: closed here once it has started, so that readers see their end

	done   chan struct{} // closed when the process has ended
	mu     sync.Mutex
	status any // None until then

	stdin          any // a file, or nil
	stdout, stderr any
}

// processOptions are the keyword arguments of Popen that mean something here.
type processOptions struct {
	Executable, Stdin, Stdout, Stderr, Cwd, Env, Encoding, Errors any
	Shell, Text                                                   bool
}

// parseOptions takes the options out of keyword arguments; those that this server does not know are refused.
func parseOptions(ctx context.Context, kw []netref.Keyword) (o processOptions, err error) {
	for _, k := range kw {
		target := map[string]*any{"executable": &o.Executable, "stdin": &o.Stdin, "stdout": &o.Stdout, "stderr": &o.Stderr,
			"cwd": &o.Cwd, "env": &o.Env,
			"encoding": &o.Encoding, "errors": &o.Errors}[k.Name]
		switch {
		case target != nil:
			*target = k.Value
			if k.Name == "encoding" || k.Name == "errors" {
				o.Text = o.Text || k.Value != nil
			}
		case k.Name == "shell" || k.Name == "text" || k.Name == "universal_newlines":
			on, err := exposed.Truth(ctx, k.Value)
			if err != nil {
				return o, err
			}
			if k.Name == "shell" {
				o.Shell = on
			} else {
				o.Text = o.Text || on
			}
		case k.Name == "bufsize" || k.Name == "close_fds" || k.Name == "restore_signals":
		default:
			return o, vinegar.TypeError.Errorf("Popen.__init__() got an unexpected keyword argument '%s'", k.Name)
		}
	}
	return o, nil
}

// command makes the command line: a list, or one text, which is a program's name without a shell.
func command(ctx context.Context, args any, shell bool) ([]string, error) {
	if s, err := pathOf(ctx, args, "%s"); err == nil {
		if shell {
			return []string{"/bin/sh", "-c", s}, nil
		}
		return []string{s}, nil
	}
	var list []string
	for a, err := range exposed.Iterate(ctx, args) {
		if err != nil {
			return nil, vinegar.TypeError.Errorf("'%s' object is not iterable", exposed.TypeName(args))
		}
		s, err := pathOf(ctx, a, "expected str, bytes or os.PathLike object, not %s")
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	if len(list) == 0 {
		return nil, vinegar.IndexError.New("list index out of range")
	}
	if shell {
		list = append([]string{"/bin/sh", "-c"}, list...)
	}
	return list, nil
}

// start is Popen(args, …).
func (in *Interpreter) start(ctx context.Context, args any, kw []netref.Keyword) (*process, error) {
	o, err := parseOptions(ctx, kw)
	if err != nil {
		return nil, err
	}
	list, err := command(ctx, args, o.Shell)
	if err != nil {
		return nil, err
	}
	name := list[0]
	if o.Executable != nil {
		if name, err = pathOf(ctx, o.Executable, "expected str, bytes or os.PathLike object, not %s"); err != nil {
			return nil, err
		}
	}
	p := &process{args: args, text: o.Text, done: make(chan struct{})}
	p.cmd = &exec.Cmd{Args: list}
	if o.Cwd != nil {
		if p.cmd.Dir, err = pathOf(ctx, o.Cwd, "expected str, bytes or os.PathLike object, not %s"); err != nil {
			return nil, err
		}
		if _, err := os.Stat(p.cmd.Dir); err != nil {
			return nil, fileError(err, o.Cwd)
		}
	}
	if o.Env != nil {
		if p.cmd.Env, err = environment(ctx, o.Env); err != nil {
			return nil, err
		}
	}
	if p.cmd.Path, err = programPath(name, p.cmd.Env); err != nil {
		return nil, fileError(err, name)
	}
	if err := in.connect(p, o); err != nil {
		return nil, err
	}
	err = p.cmd.Start()
	for _, f := range p.ends {
		_ = f.Close()
	}
	if err != nil {
		closeAll(p.stdin, p.stdout, p.stderr)
		return nil, fileError(err, name)
	}
	go func() {
		_ = p.cmd.Wait() // its state says it all
		st, _ := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
		p.mu.Lock()
		p.status = int64(st.ExitStatus())
		if st.Signaled() {
			p.status = -int64(st.Signal())
		}
		p.mu.Unlock()
		close(p.done)
	}()
	return p, nil
}

// programPath finds a program on the PATH of the environment that it gets (nil is ours), or where CPython looks if
// there is none, as under inetd.
func programPath(name string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	search, set := os.LookupEnv("PATH")
	if env != nil {
		set = false
		for _, pair := range env {
			if value, ok := strings.CutPrefix(pair, "PATH="); ok {
				search, set = value, true
			}
		}
	}
	if !set {
		search = defaultPath
	}
	failure := &os.PathError{Op: "exec", Path: name, Err: syscall.ENOENT}
	for dir := range strings.SplitSeq(search, ":") {
		path := joined(dir, name)
		if dir == "" {
			path = "./" + name
		}
		if fi, err := os.Stat(path); err != nil || fi.IsDir() {
			continue
		}
		if syscall.Access(path, 1) == nil {
			return path, nil
		}
		failure.Err = syscall.EACCES
	}
	return "", failure
}

func environment(ctx context.Context, env any) ([]string, error) {
	d, err := exposed.Call(ctx, pytypes.Class("dict"), exposed.NewArgs([]any{env}, nil))
	if err != nil {
		return nil, err
	}
	all := []string{}
	for _, k := range d.(*exposed.Dict).Keys() {
		v, _, _ := d.(*exposed.Dict).Get(ctx, k)
		key, err := pathOf(ctx, k, "expected str, bytes or os.PathLike object, not %s")
		if err != nil {
			return nil, err
		}
		value, err := pathOf(ctx, v, "expected str, bytes or os.PathLike object, not %s")
		if err != nil {
			return nil, err
		}
		all = append(all, key+"="+value)
	}
	return all, nil
}

func closeAll(files ...any) {
	for _, f := range files {
		if x, ok := underlying(f); ok {
			_ = x.close()
		}
	}
}

// underlying finds the file in a file object of ours.
func underlying(v any) (*file, bool) {
	switch x := v.(type) {
	case *textIO:
		return x.file, true
	case *bufferedReader:
		return x.file, true
	case *bufferedWriter:
		return x.file, true
	case *bufferedRandom:
		return x.file, true
	case *rawIO:
		return x.file, true
	}
	return nil, false
}

// connect sets the standard streams of a process that is about to start.
func (in *Interpreter) connect(p *process, o processOptions) error {
	var ours []*os.File // the ends that the process has, to be closed here once it has started
	open := func(v any, inherit any, write bool) (*os.File, any, error) {
		switch x := v.(type) {
		case nil:
			f, _ := inherit.(*os.File)
			return f, nil, nil // nil is the null device
		case int64:
			switch x {
			case streamNull:
				return nil, nil, nil
			case streamPipe:
				r, w, err := os.Pipe()
				if err != nil {
					return nil, nil, err
				}
				mine, its := r, w
				if !write {
					mine, its = w, r
				}
				ours = append(ours, its)
				return its, in.pipeObject(mine, write, o), nil
			}
			fd, err := syscall.Dup(int(x))
			if err != nil {
				return nil, nil, bare(err)
			}
			f := os.NewFile(uintptr(fd), "fd")
			ours = append(ours, f)
			return f, nil, nil
		}
		if x, ok := underlying(v); ok {
			if f, ok := x.raw.(osFile); ok {
				x.mu.Lock()
				defer x.mu.Unlock()
				return f.File, nil, x.flush()
			}
		}
		return nil, nil, vinegar.ValueError.Errorf("a '%s' object is no file of this machine", exposed.TypeName(v))
	}
	var err error
	var f *os.File
	defer func() {
		if err != nil {
			for _, f := range ours {
				_ = f.Close()
			}
		}
	}()
	var none *os.File
	if f, p.stdin, err = open(o.Stdin, none, false); err != nil {
		return err
	} else if f != nil {
		p.cmd.Stdin = f
	}
	if f, p.stdout, err = open(o.Stdout, in.opts.Stdout, true); err != nil {
		return err
	} else if f != nil {
		p.cmd.Stdout = f
	}
	if n, ok := o.Stderr.(int64); ok && n == streamStdout {
		p.cmd.Stderr = p.cmd.Stdout
	} else if f, p.stderr, err = open(o.Stderr, in.opts.Stderr, true); err != nil {
		return err
	} else if f != nil {
		p.cmd.Stderr = f
	}
	p.ends = ours
	return nil
}

// pipeObject is the file object of our end of a pipe.
func (in *Interpreter) pipeObject(f *os.File, read bool, o processOptions) any {
	x := in.adopt(newFile(osFile{f}, read, !read))
	x.seekable = false
	name, _ := osFile{f}.Fd()
	if o.Text {
		enc := "utf-8"
		if s, ok := o.Encoding.(string); ok {
			if c, err := pytypes.Encoding(s); err == nil {
				enc = c
			}
		}
		mis := "strict"
		if s, ok := o.Errors.(string); ok {
			mis = s
		}
		mode := "w"
		if read {
			mode = "r"
		}
		return &textIO{text{file: x, name: int64(name), mode: mode, encoding: enc, errors: mis}}
	}
	if read {
		return &bufferedReader{binary{file: x, name: int64(name), mode: "rb"}}
	}
	return &bufferedWriter{binary{file: x, name: int64(name), mode: "wb"}}
}

// wait waits for the process's end: seconds, or None for ever.
func (p *process) wait(ctx context.Context, seconds any) (any, error) {
	var limit <-chan time.Time
	if seconds != nil {
		f, err := exposed.Call(ctx, pytypes.Class("float"), exposed.NewArgs([]any{seconds}, nil))
		if err != nil {
			return nil, err
		}
		t := time.NewTimer(time.Duration(f.(float64) * float64(time.Second)))
		defer t.Stop()
		limit = t.C
	}
	select {
	case <-p.done:
	case <-limit:
		return nil, timeoutExpired(p.args, seconds, nil, nil)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	return p.returncode(), nil
}

func (p *process) returncode() any {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status
}

// signal sends a signal unless the process is known to have ended.
func (p *process) signal(n int) error {
	if p.returncode() != nil {
		return nil
	}
	if err := p.cmd.Process.Signal(syscall.Signal(n)); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return bare(err)
	}
	return nil
}

// system is os.system.
func (in *Interpreter) system(ctx context.Context, s string) (int, error) {
	p, err := in.start(ctx, s, []netref.Keyword{netref.Kw("shell", true)})
	if err != nil {
		return 0, err
	}
	code, err := p.wait(ctx, nil)
	if err != nil {
		return 0, err
	}
	n := int(code.(int64))
	if n < 0 {
		return -n, nil
	}
	return n << 8, nil
}
