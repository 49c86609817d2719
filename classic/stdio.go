package classic

import (
	"bufio"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"

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

// CompletingLineReader is a [LineReader] that completes words. [Conn.Interact] sets what it asks: complete returns what
// a dotted name can be completed to, and is to be called with the context of the line.
type CompletingLineReader interface {
	LineReader
	SetCompletion(complete func(ctx context.Context, word string) []string)
}

// ErrInterrupt is what a [LineReader] returns when the person pressed Ctrl-C.
var ErrInterrupt = errors.New("classic: interrupted")

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
var fileConstants = map[string]any{"encoding": "utf-8", "errors": "strict", "closed": false, "newlines": nil,
	"line_buffering": true}

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

// limitOf is an optional size; -1 means all.
func limitOf(ctx context.Context, size []any) (int, error) {
	if len(size) == 0 || size[0] == nil {
		return -1, nil
	}
	return netref.As[int](ctx, size[0])
}

// Readline returns a line with its line feed, without one at the end of the input, and nothing after it. size is the
// most characters of it that are wanted; the rest is the next line's.
func (f *stdin) Readline(ctx context.Context, size ...any) (string, error) {
	limit, err := limitOf(ctx, size)
	if err != nil {
		return "", err
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
	limit, err := limitOf(ctx, size)
	if err != nil {
		return "", err
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

// Interact is a remote Python prompt (rpyc.classic.interact): what stdio has as input is run at the server until it
// ends or says exit(). names are Go values and handles that the program there knows by these names, in a namespace of
// its own; nil means none. Nothing but ctx bounds the time.
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
