//go:build unix

package modules

import (
	"cmp"
	"context"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/classic/internal/pytypes"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// text is a file object that reads and writes str. It decodes a character at a time, so that positions are those of the
// bytes.
type text struct {
	*file
	name             any
	mode             string
	encoding, errors string
	called           string  // the encoding as it was given
	newline          *string // nil: any line end is read as "\n"
	lineBuffered     bool
	pendingCR        bool // a "\r" was returned as "\n"; a "\n" that follows is dropped
}

type (
	textIO   struct{ text }
	stringIO struct{ text }
)

func init() {
	exposed.Register[textIO](textOptions("_io.TextIOWrapper", func(f *textIO) *text { return &f.text }))
}

var stringIOClass = exposed.Register[stringIO](stringIOOptions())

func stringIOOptions() exposed.ClassOptions {
	o := textOptions("_io.StringIO", func(f *stringIO) *text { return &f.text })
	o.New = exposed.Func(func(ctx context.Context, initial string, newline *string) (*stringIO, error) {
		f := &stringIO{text{file: newFile(&memory{b: []byte(initial)}, true, true), encoding: "utf-8", errors: "strict",
			newline: newline}}
		return f, nil
	}, "initial_value=''", "newline='\\n'")
	o.Hidden["getvalue"] = func(f *stringIO) (string, error) {
		if err := f.use(); err != nil {
			return "", err
		}
		defer f.mu.Unlock()
		err := f.flush()
		return string(f.raw.(*memory).b), err
	}
	delete(o.Properties, "name")
	delete(o.Properties, "mode")
	delete(o.Properties, "buffer")
	return o
}

func textOptions[T any](name string, of func(*T) *text) exposed.ClassOptions {
	base := func(f *T) *file { return of(f).file }
	o := exposed.ClassOptions{Name: name, Hidden: fileMethods(base), Properties: fileProperties(base)}
	for attr, get := range map[string]func(f *text) any{
		"name":           func(f *text) any { return f.name },
		"mode":           func(f *text) any { return f.mode },
		"encoding":       func(f *text) any { return cmp.Or(f.called, f.encoding) },
		"errors":         func(f *text) any { return f.errors },
		"line_buffering": func(f *text) any { return f.lineBuffered },
	} {
		o.Properties[attr] = exposed.Property{Hidden: true, Get: func(f *T) any { return get(of(f)) }}
	}
	o.Properties["buffer"] = exposed.Property{Hidden: true, Get: func(f *T) any {
		t := of(f)
		return &bufferedRandom{binary{file: t.file, name: t.name, mode: strings.ReplaceAll(t.mode, "t", "") + "b"}}
	}}
	add := func(name string, do any, params ...string) { o.Hidden[name] = exposed.Func(do, params...) }
	add("read", func(f *T, size *int) (string, error) { return of(f).read(count(size)) }, "size=-1", "/")
	add("readline", func(f *T, size *int) (string, error) { return of(f).readline(count(size)) }, "size=-1", "/")
	add("readlines", func(f *T, hint *int) (*exposed.List, error) {
		return readLines(count(hint), of(f).readline, utf8.RuneCountInString)
	}, "hint=-1", "/")
	add("write", func(f *T, ctx context.Context, s any) (int, error) { return of(f).write(ctx, s) }, "text", "/")
	add("writelines", func(f *T, ctx context.Context, lines any) error {
		return writeLines(ctx, lines, of(f).write)
	}, "lines", "/")
	add("seek", func(f *T, offset int64, whence int) (int64, error) {
		return of(f).seekTo(offset, whence)
	}, "cookie", "whence=0", "/")
	o.Hidden["__next__"] = func(f *T) (string, error) { return nextLine(of(f).readline(-1)) }
	o.Hidden["__repr__"] = func(f *T) string {
		t := of(f)
		if name != "_io.TextIOWrapper" {
			return "<" + name + ">"
		}
		return "<" + name + " name=" + vinegar.Repr(t.name) + " mode=" + vinegar.Repr(t.mode) + " encoding=" +
			vinegar.Repr(cmp.Or(t.called, t.encoding)) + ">"
	}
	return o
}

// char reads one character and the line end that it is, if any. It returns io.EOF at the end.
func (t *text) char() (string, error) {
	r, n, err := rune(0), 1, error(nil)
	if t.encoding == "utf-8" {
		r, n, err = t.r.ReadRune()
	} else {
		_, err = t.r.Peek(1)
		r = utf8.RuneError
	}
	if err != nil {
		return "", err
	}
	s := string(r)
	if r == utf8.RuneError && n == 1 {
		_ = t.r.UnreadRune()
		b, _ := t.r.Peek(min(utf8.UTFMax, t.r.Buffered())) // ReadRune has waited for what makes a character
		s, n, err = pytypes.DecodeNext(b, t.encoding, t.errors)
		_, _ = t.r.Discard(n)
		if err != nil {
			return "", err
		}
	}
	if t.newline != nil {
		return s, nil
	}
	was := t.pendingCR
	t.pendingCR = s == "\r"
	switch {
	case s == "\n" && was:
		return t.char()
	case s == "\r":
		return "\n", nil
	}
	return s, nil
}

func (t *text) begin(what string) error {
	if err := t.use(); err != nil {
		return err
	}
	if t.r == nil {
		t.mu.Unlock()
		return unsupported("not readable")
	}
	if err := t.reading(what); err != nil {
		t.mu.Unlock()
		return err
	}
	return nil
}

func (t *text) read(n int) (string, error) {
	if err := t.begin("read"); err != nil {
		return "", err
	}
	defer t.mu.Unlock()
	var b strings.Builder
	for chars := 0; n < 0 || chars < n; chars++ {
		c, err := t.char()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", err
		}
		if c == "" {
			chars--
		}
		if b.Len() > maxRead {
			return "", vinegar.MemoryError.Errorf("more than %d bytes to read at once", maxRead)
		}
		b.WriteString(c)
	}
	return b.String(), nil
}

func (t *text) readline(limit int) (string, error) {
	if err := t.begin("readline"); err != nil {
		return "", err
	}
	defer t.mu.Unlock()
	end := "\n"
	if t.newline != nil && *t.newline != "" {
		end = *t.newline
	}
	universal := t.newline != nil && *t.newline == ""
	var b strings.Builder
	for chars := 0; limit < 0 || chars < limit; chars++ {
		c, err := t.char()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", err
		}
		if b.Len() > maxRead {
			return "", vinegar.MemoryError.Errorf("a line of more than %d bytes", maxRead)
		}
		b.WriteString(c)
		if universal && c == "\r" {
			if next, _ := t.r.Peek(1); len(next) == 1 && next[0] == '\n' {
				continue
			}
			break
		}
		if c == end[len(end)-1:] && strings.HasSuffix(b.String()[max(0, b.Len()-len(end)):], end) {
			break
		}
	}
	return b.String(), nil
}

func (t *text) write(ctx context.Context, v any) (int, error) {
	s, ok := textOf(ctx, v)
	if !ok {
		return 0, vinegar.TypeError.Errorf("write() argument must be str, not %s", exposed.TypeName(v))
	}
	out := s
	if t.newline != nil && *t.newline != "" && *t.newline != "\n" {
		out = strings.ReplaceAll(s, "\n", *t.newline)
	}
	b, err := encodeText(out, t.encoding, t.errors)
	if err != nil {
		return 0, err
	}
	if err := t.use(); err != nil {
		return 0, err
	}
	defer t.mu.Unlock()
	if t.w == nil {
		return 0, unsupported("not writable")
	}
	if err := t.writing("write"); err != nil {
		return 0, err
	}
	if _, err = t.w.Write(b); err == nil && t.lineBuffered && strings.ContainsAny(out, "\n\r") {
		err = t.w.Flush()
	}
	return utf8.RuneCountInString(s), err
}

// encodeText is s.encode(encoding, errors).
func encodeText(s, encoding, errs string) ([]byte, error) {
	if encoding == "utf-8" {
		return []byte(s), nil
	}
	r, err := exposed.CallAttr(background, everything, s, "encode", exposed.NewArgs([]any{encoding, errs}, nil))
	if err != nil {
		return nil, err
	}
	return r.([]byte), nil
}

// everything is the policy of a classic server: every attribute there is.
var everything = exposed.Unrestricted()

func (t *text) seekTo(offset int64, whence int) (int64, error) {
	if err := t.use(); err != nil {
		return 0, err
	}
	defer t.mu.Unlock()
	if whence == io.SeekCurrent && offset != 0 {
		return 0, unsupported("can't do nonzero cur-relative seeks")
	}
	if whence == io.SeekEnd && offset != 0 {
		return 0, unsupported("can't do nonzero end-relative seeks")
	}
	t.pendingCR = false
	return t.seek(offset, whence)
}
