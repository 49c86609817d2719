package classic

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Stdio is where the server's standard streams lead while they are redirected. Nil fields are empty or drop what is
// written.
type Stdio struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer

	// Lines takes In's place where a person types lines: see [LineReader].
	Lines LineReader
}

// LineReader asks a person for a line, with editing and history (see package terminal). prompt is what has been
// written to Out since the last line feed; it is on the screen already. io.EOF ends the input, and [ErrInterrupt] is a
// KeyboardInterrupt to the program that reads.
type LineReader interface {
	ReadLine(ctx context.Context, prompt string) (line string, err error)
}

// CompletingLineReader is a [LineReader] that completes words. [Conn.Interact] sets what it asks: complete returns what a
// dotted name can be completed to, and is to be called with the context of the line.
type CompletingLineReader interface {
	LineReader
	SetCompletion(complete func(ctx context.Context, word string) []string)
}

// ErrInterrupt is what a [LineReader] returns when the person pressed Ctrl-C.
var ErrInterrupt = errors.New("classic: interrupted")

// RedirectedStdio runs f while the server's sys.stdin, sys.stdout and sys.stderr are those of stdio
// (rpyc.classic.redirected_stdio), and puts back afterwards what was there before. They are those of the server's whole
// process: other clients of a threaded server see it, too. Reads and writes happen while a request of this connection is
// under way.
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
	if err := r.sys.Set(ctx, name, to); err != nil {
		return err
	}
	r.streams = append(r.streams, redirected{name, to, before})
	return nil
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
// ours for good: CPython's input and print hold no reference on the stream they use, so that the process crashes if it is
// freed meanwhile.
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

// python2File is what Python 2 needs of a file to print to: the print statement leaves a note in the file about whether a
// space or a line feed is due, and a server may not set attributes of ours.
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

func orEmpty(r io.Reader) io.Reader {
	if r == nil {
		return strings.NewReader("")
	}
	return r
}

// output is a writer that remembers the line that is not complete.
type output struct {
	mu   sync.Mutex
	w    io.Writer
	line string
}

// maxPrompt is how much of an incomplete line is remembered.
const maxPrompt = 4096

func (o *output) write(s string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if i := strings.LastIndexByte(s, '\n'); i >= 0 {
		o.line = s[i+1:]
	} else {
		o.line += s
	}
	if len(o.line) > maxPrompt {
		o.line = ""
	}
	if o.w == nil {
		return nil
	}
	_, err := io.WriteString(o.w, s)
	return err
}

// prompt returns the incomplete line and begins a new one.
func (o *output) prompt() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.line
	o.line = ""
	return s
}

// stdout is a text file to write to, as Python sees it.
type stdout struct{ o *output }

// stdin is a text file to read from, as Python sees it.
type stdin struct {
	lines LineReader
	out   *output

	mu sync.Mutex
	r  *bufio.Reader
}

// What Python asks of its standard streams beside reading and writing.
var fileConstants = map[string]any{"encoding": "utf-8", "errors": "strict", "closed": false, "newlines": nil, "line_buffering": true}

func init() {
	exposed.Register[stdout](exposed.ClassOptions{Name: "gorpyc.classic.Output", Static: fileConstants})
	exposed.Register[stdin](exposed.ClassOptions{Name: "gorpyc.classic.Input", Static: fileConstants})
}

// Write takes text, and the bytes that a program on Python 2 writes.
func (f *stdout) Write(v any) (int, error) {
	switch s := v.(type) {
	case string:
		return len([]rune(s)), f.o.write(s)
	case []byte:
		return len(s), f.o.write(string(s))
	}
	return 0, vinegar.TypeError.Errorf("write() argument must be str, not %s", exposed.TypeName(v))
}

// Writelines writes several texts.
func (f *stdout) Writelines(ctx context.Context, lines any) error {
	for line, err := range exposed.Iterate(ctx, lines) {
		if err != nil {
			return err
		}
		if _, err := f.Write(line); err != nil {
			return err
		}
	}
	return nil
}

// Flush has nothing to do: nothing is held back.
func (f *stdout) Flush() {}

// Isatty says that Python should not use terminal features.
func (f *stdout) Isatty() bool { return false }

// Writable is true.
func (f *stdout) Writable() bool { return true }

// Readable is false.
func (f *stdout) Readable() bool { return false }

// Readline returns a line with its line feed, without one at the end of the input, and nothing after it. size is the most
// characters of it that are wanted; the rest is the next line's.
func (f *stdin) Readline(ctx context.Context, size ...any) (string, error) {
	limit := -1
	if len(size) > 0 && size[0] != nil {
		n, err := netref.As[int](ctx, size[0])
		if err != nil {
			return "", err
		}
		limit = n
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lines != nil && f.r.Buffered() == 0 {
		line, err := f.lines.ReadLine(ctx, f.out.prompt())
		switch {
		case errors.Is(err, ErrInterrupt):
			return "", vinegar.KeyboardInterrupt.New()
		case errors.Is(err, io.EOF):
			return "", nil
		case err != nil:
			return "", err
		}
		f.r = bufio.NewReader(strings.NewReader(line + "\n"))
	} else {
		f.out.prompt()
	}
	return f.line(limit)
}

// maxLine bounds a line of input in bytes.
const maxLine = 64 << 20

func (f *stdin) line(limit int) (string, error) {
	var b strings.Builder
	for n := 0; limit < 0 || n < limit; n++ {
		r, _, err := f.r.ReadRune()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", err
		}
		b.WriteRune(r)
		if r == '\n' {
			break
		}
		if b.Len() > maxLine {
			return "", vinegar.MemoryError.Errorf("a line of more than %d bytes", maxLine)
		}
	}
	return b.String(), nil
}

// Read returns so many characters, or all there are until the end.
func (f *stdin) Read(ctx context.Context, size ...any) (string, error) {
	limit := -1
	if len(size) > 0 && size[0] != nil {
		n, err := netref.As[int](ctx, size[0])
		if err != nil {
			return "", err
		}
		limit = n
	}
	var b strings.Builder
	for n := 0; limit < 0 || n < limit; {
		left := -1
		if limit >= 0 {
			left = limit - n
		}
		line, err := f.Readline(ctx, left)
		if err != nil {
			return "", err
		}
		if line == "" {
			break
		}
		b.WriteString(line)
		n += len([]rune(line))
		if b.Len() > maxLine {
			return "", vinegar.MemoryError.Errorf("more than %d bytes of input", maxLine)
		}
	}
	return b.String(), nil
}

// Readlines returns the lines until the end.
func (f *stdin) Readlines(ctx context.Context) (*exposed.List, error) {
	lines := exposed.NewList()
	for {
		line, err := f.Readline(ctx)
		if err != nil {
			return nil, err
		}
		if line == "" {
			return lines, nil
		}
		lines.Append(line)
	}
}

// PyIter makes the input an iterator over its lines.
func (f *stdin) PyIter() any { return f }

// PyNext returns the next line.
func (f *stdin) PyNext(ctx context.Context) (string, error) {
	line, err := f.Readline(ctx)
	if err == nil && line == "" {
		err = vinegar.StopIteration.New()
	}
	return line, err
}

// Isatty says that Python should not use terminal features.
func (f *stdin) Isatty() bool { return false }

// Readable is true.
func (f *stdin) Readable() bool { return true }

// Writable is false.
func (f *stdin) Writable() bool { return false }

// Flush has nothing to do.
func (f *stdin) Flush() {}

// unbounded calls a remote function that takes as long as a person does, and not the connection's default timeout.
func unbounded(ctx context.Context, o *netref.Object, method string, args ...any) error {
	r, err := o.CallMethodAsync(ctx, method, args...)
	if err != nil {
		return err
	}
	_, err = r.Wait(ctx)
	if err != nil {
		r.Abandon()
	}
	return err
}

// Interact is a remote Python prompt (rpyc.classic.interact): what stdio has as input is run at the server until it ends
// or says exit(). names are Go values and handles that the program there knows by these names, in a namespace of its own;
// nil means none. Nothing but ctx bounds the time.
func (c *Conn) Interact(ctx context.Context, stdio Stdio, names map[string]any) error {
	namespace, err := c.dict(ctx, names)
	if err != nil {
		return err
	}
	code, err := c.Module(ctx, "code")
	if err != nil {
		return needsPython(err)
	}
	if lines, ok := stdio.Lines.(CompletingLineReader); ok {
		lines.SetCompletion(c.completion(ctx, namespace))
		defer lines.SetCompletion(nil)
	}
	err = c.RedirectedStdio(ctx, stdio, func(ctx context.Context) error {
		return unbounded(ctx, code, "interact", netref.Kw("local", namespace))
	})
	if errors.Is(err, vinegar.SystemExit) {
		return nil
	}
	return err
}

// completion asks the server's rlcompleter; nil if it has none.
func (c *Conn) completion(ctx context.Context, namespace *netref.Object) func(context.Context, string) []string {
	completer, err := Call[*netref.Object](ctx, c, "rlcompleter.Completer", namespace)
	if err != nil {
		return nil
	}
	return func(ctx context.Context, word string) []string {
		method := "global_matches"
		if strings.Contains(word, ".") {
			method = "attr_matches"
		}
		words, err := netref.Call[[]string](ctx, completer, method, word)
		if err != nil {
			return nil // nothing can be completed to what fails
		}
		slices.Sort(words)
		return slices.Compact(words)
	}
}

// dict makes a dict of the server's own, which eval and exec need.
func (c *Conn) dict(ctx context.Context, names map[string]any) (*netref.Object, error) {
	d, err := Call[*netref.Object](ctx, c, "builtins.dict")
	if err != nil {
		return nil, err
	}
	for name, v := range names {
		if err := d.SetItem(ctx, name, v); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// ErrNoTraceback is the error of [Conn.PM] if nothing has failed on the connection.
var ErrNoTraceback = errors.New("classic: no exception has been raised on this connection")

// PM runs Python's debugger at the server on the last exception that a request of this connection ended with
// (rpyc.classic.pm).
func (c *Conn) PM(ctx context.Context, stdio Stdio) error {
	pdb, err := c.Module(ctx, "pdb")
	if err != nil {
		return needsPython(err)
	}
	remote, err := c.Remote(ctx)
	if err != nil {
		return err
	}
	traceback, err := remote.Get(ctx, "_last_traceback")
	if err != nil {
		return err
	}
	if traceback == nil {
		return ErrNoTraceback
	}
	return c.RedirectedStdio(ctx, stdio, func(ctx context.Context) error {
		return unbounded(ctx, pdb, "post_mortem", traceback)
	})
}
