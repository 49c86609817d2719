package classic

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
)

// RedirectedStdio runs f while the server's sys.stdin, sys.stdout and sys.stderr are those of stdio
// (rpyc.classic.redirected_stdio), and puts back afterwards what was there before. They are those of the server's whole
// process: other clients of a threaded server see it, too. Reads and writes happen while a request of this connection
// is under way.
//
// If ctx ends while f is under way, the server is asked to put the streams back as soon as it can, and RedirectedStdio
// waits no longer than half a second for that: a server that is busy cannot answer. If it has not done so by then, its
// streams raise EOFError once the connection has ended. The connection is fit for nothing but to be closed.
func (c *Conn) RedirectedStdio(ctx context.Context, stdio Stdio, f func(context.Context) error) (err error) {
	sys, err := c.Module(ctx, "sys")
	if err != nil {
		return err
	}
	version, err := c.Python(ctx)
	if err != nil {
		return err
	}
	builtins, err := c.Builtins(ctx)
	if err != nil {
		return err
	}
	setattr, err := netref.Get[*netref.Object](ctx, builtins, "setattr")
	if err != nil {
		return err
	}
	out := &output{w: stdio.Out}
	r := redirection{sys: sys, setattr: setattr}
	defer func() {
		if ctx.Err() != nil {
			r.giveUp(ctx)
			return
		}
		undoing, cancel := c.afterwards(ctx)
		defer cancel()
		if undoErr := r.undo(undoing); err == nil {
			err = undoErr
		}
	}()
	for _, s := range []struct {
		name string
		to   any
	}{
		{"stdin", &stdin{lines: stdio.Lines, out: out, r: bufio.NewReader(orEmpty(stdio.In))}},
		{"stdout", &stdout{out}},
		{"stderr", &stdout{&output{w: stdio.Err}}},
	} {
		if version[0] < 3 && s.name != "stdin" {
			if s.to, err = c.python2(ctx, s.to); err != nil {
				return err
			}
		}
		if err := r.set(ctx, s.name, s.to); err != nil {
			return err
		}
	}
	return f(ctx)
}

// redirection is what has been done to the streams of a server.
type redirection struct {
	sys, setattr *netref.Object
	streams      []redirected
}

// redirected is one of the streams: sys.name, what it is now, and what it was.
type redirected struct {
	name       string
	to, before any
}

func (r *redirection) set(ctx context.Context, name string, to any) error {
	before, err := r.sys.Get(ctx, name)
	if err != nil {
		return err
	}
	r.streams = append(r.streams, redirected{name, to, before}) // first: ctx may end when it has been set
	return r.sys.Set(ctx, name, to)
}

// undo puts the streams back.
func (r *redirection) undo(ctx context.Context) (err error) {
	for _, s := range r.streams {
		if setErr := r.sys.Set(ctx, s.name, s.before); err == nil {
			err = setErr
		}
	}
	return err
}

// patience is how long a server may take to put the streams back when its client gives up.
const patience = 500 * time.Millisecond

// abandoned numbers the redirections of this process that were given up.
var abandoned atomic.Uint64

// giveUp asks the server to put the streams back while it may still be running the program that uses them. It must keep
// ours for good: CPython's input and print hold no reference on the stream they use, so that the process crashes if it
// is freed meanwhile.
func (r *redirection) giveUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	kept := make(brine.Tuple, len(r.streams))
	for i, s := range r.streams {
		kept[i] = s.to
	}
	var results []*netref.AsyncResult
	set := func(name string, v any) {
		if result, err := r.setattr.CallAsync(ctx, r.sys, name, v); err == nil {
			results = append(results, result)
		}
	}
	set(fmt.Sprintf("_gorpyc_streams_%d_%d", os.Getpid(), abandoned.Add(1)), kept)
	for _, s := range r.streams {
		set(s.name, s.before)
	}
	for _, result := range results {
		if _, err := result.Wait(ctx); err != nil {
			result.Abandon()
		}
	}
}

// python2File is what Python 2 needs of a file to print to: the print statement leaves a note in the file about whether
// a space or a line feed is due, and a server may not set attributes of ours.
const python2File = `
class _gorpyc_file(object):
    softspace = 0
    def __init__(self, file):
        self._file = file
    def __getattr__(self, name):
        return getattr(self._file, name)
`

// python2 wraps a file of ours at a server that runs Python 2.
func (c *Conn) python2(ctx context.Context, file any) (any, error) {
	if err := c.Execute(ctx, python2File); err != nil {
		return nil, err
	}
	ns, err := c.Namespace(ctx)
	if err != nil {
		return nil, err
	}
	class, err := netref.Item[*netref.Object](ctx, ns, "_gorpyc_file")
	if err != nil {
		return nil, err
	}
	if err := ns.DelItem(ctx, "_gorpyc_file"); err != nil {
		return nil, err
	}
	return netref.CallFunc[*netref.Object](ctx, class, file)
}
