//go:build unix

package modules

import (
	"context"
	"os"
	"strings"

	"github.com/gorpyc/gorpyc/classic/internal/pytypes"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

var openParams = []string{"file", "mode='r'", "buffering=-1", "encoding=None", "errors=None", "newline=None",
	"closefd=True", "opener=None"}

// openFile is builtins.open.
func (in *Interpreter) openFile(ctx context.Context, name any, mode string, buffering int, encoding, errs,
	newline *string, closefd bool, opener any) (any, error) {
	m, err := parseMode(mode)
	if err != nil {
		return nil, err
	}
	switch {
	case m.binary && encoding != nil:
		return nil, vinegar.ValueError.New("binary mode doesn't take an encoding argument")
	case m.binary && errs != nil:
		return nil, vinegar.ValueError.New("binary mode doesn't take an errors argument")
	case m.binary && newline != nil:
		return nil, vinegar.ValueError.New("binary mode doesn't take a newline argument")
	case !m.binary && buffering == 0:
		return nil, vinegar.ValueError.New("can't have unbuffered text I/O")
	case newline != nil && *newline != "" && *newline != "\n" && *newline != "\r" && *newline != "\r\n":
		return nil, vinegar.ValueError.Errorf("illegal newline value: %s", *newline)
	}
	enc, mis, called := "utf-8", "strict", ""
	if errs != nil {
		mis = *errs
	}
	if encoding != nil && *encoding != "locale" {
		called = *encoding
		if enc, err = pytypes.Encoding(*encoding); err != nil {
			return nil, err
		}
	}
	raw, err := in.openRaw(ctx, name, m, closefd, opener)
	if err != nil {
		return nil, err
	}
	f := in.adopt(newFile(raw, m.read, m.write))
	f.append = m.append
	if !m.binary {
		return &textIO{text{file: f, name: name, mode: mode, encoding: enc, called: called, errors: mis, newline: newline,
			lineBuffered: buffering == 1 || buffering < 0 && raw.Terminal()}}, nil
	}
	b := binary{file: f, name: name, mode: m.raw, raw: buffering == 0}
	switch {
	case buffering == 0:
		return &rawIO{b}, nil
	case m.read && m.write:
		return &bufferedRandom{b}, nil
	case m.write:
		return &bufferedWriter{b}, nil
	}
	return &bufferedReader{b}, nil
}

// openMode is what a mode such as "r+b" says.
type openMode struct {
	read, write, append, binary bool
	flags                       int
	raw                         string // the mode of the raw file, as CPython shows it
}

func parseMode(mode string) (openMode, error) {
	var m openMode
	kinds, seen := 0, ""
	for _, c := range mode {
		if strings.ContainsRune(seen, c) || !strings.ContainsRune("rwxa+tb", c) {
			return m, vinegar.ValueError.Errorf("invalid mode: %s", vinegar.Repr(mode))
		}
		seen += string(c)
		if strings.ContainsRune("rwxa", c) {
			kinds++
		}
	}
	has := func(s string) bool { return strings.Contains(mode, s) }
	if has("t") && has("b") {
		return m, vinegar.ValueError.New("can't have text and binary mode at once")
	}
	if kinds > 1 {
		return m, vinegar.ValueError.New("must have exactly one of create/read/write/append mode")
	}
	if kinds == 0 {
		return m, vinegar.ValueError.New("Must have exactly one of create/read/write/append mode and at most one plus")
	}
	m.binary = has("b")
	m.read, m.write = has("r") || has("+"), !has("r") || has("+")
	m.append = has("a")
	switch {
	case m.read && m.write:
		m.flags = os.O_RDWR
	case m.write:
		m.flags = os.O_WRONLY
	}
	switch {
	case has("w"):
		m.flags |= os.O_CREATE | os.O_TRUNC
		m.raw = "wb"
	case has("x"):
		m.flags |= os.O_CREATE | os.O_EXCL
		m.raw = "xb"
	case has("a"):
		m.flags |= os.O_CREATE | os.O_APPEND
		m.raw = "ab"
	default:
		m.raw = "rb"
	}
	if has("+") {
		m.raw += "+"
	}
	if m.raw == "wb+" {
		m.raw = "rb+"
	}
	return m, nil
}

func (in *Interpreter) openRaw(ctx context.Context, name any, m openMode, closefd bool, opener any) (rawFile, error) {
	if fd, ok := name.(int64); ok {
		return openFD(int(fd), closefd, name)
	}
	if !closefd {
		return nil, vinegar.ValueError.New("Cannot use closefd=False with file name")
	}
	path, err := pathOf(ctx, name, "expected str, bytes or os.PathLike object, not %s")
	if err != nil {
		return nil, err
	}
	if opener != nil {
		fd, err := exposed.Call(ctx, opener, exposed.NewArgs([]any{name, int64(m.flags)}, nil))
		if err != nil {
			return nil, err
		}
		n, ok := fd.(int64)
		if !ok || n < 0 {
			return nil, vinegar.ValueError.Errorf("opener returned %s", vinegar.Repr(fd))
		}
		return openFD(int(n), true, name)
	}
	f, err := os.OpenFile(path, m.flags, 0o666)
	if err != nil {
		return nil, fileError(err, name)
	}
	if st, err := f.Stat(); err == nil && st.IsDir() {
		_ = f.Close()
		return nil, vinegar.IsADirectoryError.New(int64(21), "Is a directory", name)
	}
	if m.append {
		_, _ = f.Seek(0, 2)
	}
	return osFile{f}, nil
}

// fileError puts the name as the caller gave it into an OSError.
func fileError(err error, names ...any) error {
	e := vinegar.FromError(err)
	if len(e.Args) >= 2 && e.Class.IsSubclass(vinegar.OSError) {
		args := []any{e.Args[0], e.Args[1]}
		if len(names) > 0 {
			args = append(args, names[0])
		}
		if len(names) > 1 {
			args = append(args, nil, names[1])
		}
		return vinegar.OSError.New(args...)
	}
	return err
}

// pathOf takes a path: str, bytes, or an object with __fspath__. wrong is the text of the TypeError for anything else.
func pathOf(ctx context.Context, v any, wrong string) (string, error) {
	var s string
	switch x := fspath(ctx, v).(type) {
	case string:
		s = x
	case []byte:
		s = string(x)
	default:
		return "", vinegar.TypeError.Errorf(wrong, exposed.TypeName(v))
	}
	if strings.IndexByte(s, 0) >= 0 {
		return "", vinegar.ValueError.New("embedded null byte")
	}
	return s, nil
}

// fspath is os.fspath without the check of the type.
func fspath(ctx context.Context, v any) any {
	if o, ok := v.(*netref.Object); ok {
		if r, err := o.CallMethod(ctx, "__fspath__"); err == nil {
			return r
		}
	}
	return v // if it is no path, the caller says what is wanted
}
