//go:build unix

package modules

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"syscall"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

var (
	subprocessError    = vinegar.NewClass("subprocess.SubprocessError")
	calledProcessError = vinegar.NewClass("subprocess.CalledProcessError", subprocessError)
	timeoutClass       = func() *vinegar.Class {
		if c, ok := vinegar.Lookup("subprocess", "TimeoutExpired"); ok {
			return c
		}
		return vinegar.NewClass("subprocess.TimeoutExpired", subprocessError)
	}()
)

func timeoutExpired(args, seconds, out, errs any) error {
	return timeoutClass.New(args, seconds).With("cmd", args).With("timeout", seconds).With("output", out).With("stdout",
		out).With("stderr", errs)
}

// completed is subprocess.CompletedProcess.
type completed struct {
	mu                         sync.Mutex
	args, code, stdout, stderr any
}

// completedPart is an attribute that programs may set.
func completedPart(of func(c *completed) *any) exposed.Property {
	return exposed.Property{
		Hidden: true,
		Get: func(c *completed) any {
			c.mu.Lock()
			defer c.mu.Unlock()
			return *of(c)
		},
		Set: func(c *completed, v any) {
			c.mu.Lock()
			defer c.mu.Unlock()
			*of(c) = v
		},
	}
}

var completedClass = exposed.Register[completed](exposed.ClassOptions{
	Name: "subprocess.CompletedProcess",
	Properties: map[string]exposed.Property{
		"args":       completedPart(func(c *completed) *any { return &c.args }),
		"returncode": completedPart(func(c *completed) *any { return &c.code }),
		"stdout":     completedPart(func(c *completed) *any { return &c.stdout }),
		"stderr":     completedPart(func(c *completed) *any { return &c.stderr }),
	},
	New: exposed.Func(func(args, code, stdout, stderr any) *completed {
		return &completed{args: args, code: code, stdout: stdout, stderr: stderr}
	}, "args", "returncode", "stdout=None", "stderr=None"),
	Hidden: map[string]any{
		"check_returncode": func(c *completed) error { return c.check() },
		"__repr__": func(c *completed, ctx context.Context) (string, error) {
			s, err := exposed.Repr(ctx, c.args)
			if err != nil {
				return "", err
			}
			s = "CompletedProcess(args=" + s + ", returncode=" + vinegar.Repr(c.code)
			if c.stdout != nil {
				s += ", stdout=" + vinegar.Repr(c.stdout)
			}
			if c.stderr != nil {
				s += ", stderr=" + vinegar.Repr(c.stderr)
			}
			return s + ")", nil
		},
	},
})

func (c *completed) check() error {
	if c.code == any(int64(0)) {
		return nil
	}
	return calledProcessError.New(c.code, c.args).With("returncode", c.code).With("cmd", c.args).With("output",
		c.stdout).With("stdout", c.stdout).With("stderr", c.stderr)
}

var _ = exposed.Register[process](exposed.ClassOptions{
	Name: "subprocess.Popen",
	Omit: attrsMethods(),
	Properties: map[string]exposed.Property{
		"pid":        {Hidden: true, Get: func(p *process) int { return p.cmd.Process.Pid }},
		"args":       {Hidden: true, Get: func(p *process) any { return p.args }},
		"returncode": {Hidden: true, Get: func(p *process) any { return p.returncode() }},
		"stdin":      {Hidden: true, Get: func(p *process) any { return p.stdin }},
		"stdout":     {Hidden: true, Get: func(p *process) any { return p.stdout }},
		"stderr":     {Hidden: true, Get: func(p *process) any { return p.stderr }},
	},
	Hidden: map[string]any{
		"poll": func(p *process) any { return p.returncode() },
		"wait": exposed.Func(func(p *process, ctx context.Context, timeout any) (any, error) {
			return p.wait(ctx, timeout)
		}, "timeout=None"),
		"kill":        func(p *process) error { return p.signal(int(syscall.SIGKILL)) },
		"terminate":   func(p *process) error { return p.signal(int(syscall.SIGTERM)) },
		"send_signal": func(p *process, n int) error { return p.signal(n) },
		"communicate": exposed.Func(func(p *process, ctx context.Context, input, timeout any) (any, error) {
			out, errs, err := p.communicate(ctx, input, timeout)
			return brine.Tuple{out, errs}, err
		}, "input=None", "timeout=None"),
		"__enter__": func(p *process) *process { return p },
		"__exit__": func(p *process, ctx context.Context, _ ...any) error {
			closeAll(p.stdin, p.stdout, p.stderr)
			_, err := p.wait(ctx, nil)
			return err
		},
		"__repr__": func(p *process, ctx context.Context) (string, error) {
			s, err := exposed.Repr(ctx, p.args)
			return "<Popen: returncode: " + vinegar.Repr(p.returncode()) + " args: " + s + ">", err
		},
	},
})

// communicate writes input, reads what there is to read and waits. It returns None for what is no pipe.
func (p *process) communicate(ctx context.Context, input, timeout any) (out, errs any, err error) {
	var data []byte
	switch x := input.(type) {
	case nil:
	case string:
		if !p.text {
			return nil, nil, vinegar.TypeError.New("a bytes-like object is required, not 'str'")
		}
		data = []byte(x)
	default:
		if data, err = bytesOf(ctx, input); err != nil {
			return nil, nil, err
		}
	}
	var streams sync.WaitGroup
	waiting, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	collect := func(from any, to *any) {
		if from == nil {
			return
		}
		streams.Go(func() {
			r, err := exposed.CallAttr(ctx, everything, from, "read", &exposed.Args{})
			if *to = r; err != nil { // too much: the process would wait for somebody to read the rest
				closeAll(from)
				stop(err)
			}
		})
	}
	var texts [2]any
	collect(p.stdout, &texts[0])
	collect(p.stderr, &texts[1])
	if f, ok := underlying(p.stdin); ok {
		streams.Go(func() {
			f.mu.Lock()
			_, err := f.w.Write(data)
			if err == nil {
				err = f.w.Flush()
			}
			f.mu.Unlock()
			_ = err // a process that does not read is none of ours
			_ = f.close()
		})
	}
	if _, err := p.wait(waiting, timeout); err != nil {
		if cause := context.Cause(waiting); cause != nil && ctx.Err() == nil {
			err = cause
		}
		return nil, nil, err
	}
	streams.Wait()
	closeAll(p.stdout, p.stderr)
	if ctx.Err() == nil {
		err = context.Cause(waiting)
	}
	return texts[0], texts[1], err
}

// run is subprocess.run with the keyword arguments that it has beside Popen's.
func (in *Interpreter) run(ctx context.Context, args any, kw []netref.Keyword) (*completed, error) {
	var input, timeout any
	var check bool
	var rest []netref.Keyword
	for _, k := range kw {
		on, err := exposed.Truth(ctx, k.Value)
		if err != nil {
			return nil, err
		}
		switch k.Name {
		case "input":
			if input = k.Value; input != nil {
				if _, given := keyword(kw, "stdin"); given {
					return nil, vinegar.ValueError.New("stdin and input arguments may not both be used.")
				}
				rest = append(rest, netref.Kw("stdin", int64(streamPipe)))
			}
		case "timeout":
			timeout = k.Value
		case "check":
			check = on
		case "capture_output":
			if _, given := keyword(kw, "stdout"); on && given {
				return nil, vinegar.ValueError.New("stdout and stderr arguments may not be used with capture_output.")
			}
			if on {
				rest = append(rest, netref.Kw("stdout", int64(streamPipe)), netref.Kw("stderr", int64(streamPipe)))
			}
		default:
			rest = append(rest, k)
		}
	}
	p, err := in.start(ctx, args, rest)
	if err != nil {
		return nil, err
	}
	out, errs, err := p.communicate(ctx, input, timeout)
	if err != nil {
		_ = p.signal(int(syscall.SIGKILL))
		closeAll(p.stdin, p.stdout, p.stderr)
		return nil, err
	}
	c := &completed{args: args, code: p.returncode(), stdout: out, stderr: errs}
	if check {
		return c, c.check()
	}
	return c, nil
}

// newSubprocess makes the module subprocess.
func newSubprocess(in *Interpreter) *Module {
	m := New("subprocess", "Subprocesses with accessible I/O streams")
	m.Const("PIPE", streamPipe, "STDOUT", streamStdout, "DEVNULL", streamNull, "CompletedProcess", completedClass,
		"SubprocessError", subprocessError, "CalledProcessError", calledProcessError, "TimeoutExpired", timeoutClass)
	m.Def("Popen", in.start, "args", "**kwargs")
	m.Def("run", in.run, "args", "**kwargs")
	with := func(kw []netref.Keyword, more ...netref.Keyword) []netref.Keyword {
		return append(append([]netref.Keyword{}, kw...), more...)
	}
	m.Def("call", func(ctx context.Context, args any, kw []netref.Keyword) (any, error) {
		c, err := in.run(ctx, args, kw)
		if err != nil {
			return nil, err
		}
		return c.code, nil
	}, "args", "**kwargs")
	m.Def("check_call", func(ctx context.Context, args any, kw []netref.Keyword) (any, error) {
		c, err := in.run(ctx, args, with(kw, netref.Kw("check", true)))
		if err != nil {
			return nil, err
		}
		return c.code, nil
	}, "args", "**kwargs")
	m.Def("check_output", func(ctx context.Context, args any, kw []netref.Keyword) (any, error) {
		c, err := in.run(ctx, args, with(kw, netref.Kw("stdout", int64(streamPipe)), netref.Kw("check", true)))
		if err != nil {
			return nil, err
		}
		return c.stdout, nil
	}, "args", "**kwargs")
	shell := func(ctx context.Context, cmd any) (any, string, error) {
		c, err := in.run(ctx, cmd, []netref.Keyword{netref.Kw("shell", true), netref.Kw("text", true),
			netref.Kw("stdout", int64(streamPipe)), netref.Kw("stderr", int64(streamStdout))})
		if err != nil {
			return nil, "", err
		}
		s, _ := c.stdout.(string)
		return c.code, strings.TrimSuffix(s, "\n"), nil
	}
	m.Def("getoutput", func(ctx context.Context, cmd any) (string, error) {
		_, s, err := shell(ctx, cmd)
		return s, err
	}, "cmd")
	m.Def("getstatusoutput", func(ctx context.Context, cmd any) (any, error) {
		code, s, err := shell(ctx, cmd)
		return brine.Tuple{code, s}, err
	}, "cmd")
	return m
}

// shellPipe is what os.popen returns: a text file whose close waits for the command.
type shellPipe struct {
	text
	p *process
}

func init() {
	o := textOptions("os._wrap_close", func(f *shellPipe) *text { return &f.text })
	end := func(f *shellPipe, ctx context.Context) (any, error) {
		if err := f.close(); err != nil && !errors.Is(err, io.ErrClosedPipe) {
			return nil, err
		}
		code, err := f.p.wait(ctx, nil)
		if err != nil || code == any(int64(0)) {
			return nil, err
		}
		if n := code.(int64); n > 0 {
			return n << 8, nil
		}
		return code, nil
	}
	o.Hidden["close"] = end
	o.Hidden["__exit__"] = func(f *shellPipe, ctx context.Context, _ ...any) error { _, err := end(f, ctx); return err }
	exposed.Register[shellPipe](o)
}

// popen is os.popen.
func (in *Interpreter) popen(ctx context.Context, cmd any, mode string, _ int) (any, error) {
	stream := "stdout"
	switch mode {
	case "r":
	case "w":
		stream = "stdin"
	default:
		return nil, vinegar.ValueError.Errorf("invalid mode %s", vinegar.Repr(mode))
	}
	if _, ok := cmd.(string); !ok {
		return nil, vinegar.TypeError.Errorf("invalid cmd type (<class '%s'>, expected string)", exposed.TypeName(cmd))
	}
	p, err := in.start(ctx, cmd, []netref.Keyword{netref.Kw("shell", true), netref.Kw("text", true),
		netref.Kw(stream, int64(streamPipe))})
	if err != nil {
		return nil, err
	}
	f, _ := p.stdout.(*textIO)
	if mode == "w" {
		f, _ = p.stdin.(*textIO)
	}
	return &shellPipe{text: f.text, p: p}, nil
}
