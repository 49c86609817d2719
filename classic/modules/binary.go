//go:build unix

package modules

import (
	"context"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// binary is a file object that reads and writes bytes. Its four kinds differ in name only.
type binary struct {
	*file
	name any // as given to open
	mode string
	raw  bool // unbuffered: what is written goes out at once
}

// The classes of binary files.
type (
	bufferedReader struct{ binary }
	bufferedWriter struct{ binary }
	bufferedRandom struct{ binary }
	rawIO          struct{ binary }
	bytesIO        struct{ binary }
)

func init() {
	exposed.Register[bufferedReader](binaryOptions("_io.BufferedReader", func(f *bufferedReader) *binary {
		return &f.binary
	}))
	exposed.Register[bufferedWriter](binaryOptions("_io.BufferedWriter", func(f *bufferedWriter) *binary {
		return &f.binary
	}))
	exposed.Register[bufferedRandom](binaryOptions("_io.BufferedRandom", func(f *bufferedRandom) *binary {
		return &f.binary
	}))
	exposed.Register[rawIO](binaryOptions("_io.FileIO", func(f *rawIO) *binary { return &f.binary }))
}

var bytesIOClass = exposed.Register[bytesIO](bytesIOOptions())

func bytesIOOptions() exposed.ClassOptions {
	o := binaryOptions("_io.BytesIO", func(f *bytesIO) *binary { return &f.binary })
	o.New = exposed.Func(func(initial []byte) *bytesIO {
		return &bytesIO{binary{file: newFile(&memory{b: append([]byte{}, initial...)}, true, true)}}
	}, "initial_bytes=b''")
	o.Hidden["getvalue"] = func(f *bytesIO) ([]byte, error) {
		if err := f.use(); err != nil {
			return nil, err
		}
		defer f.mu.Unlock()
		if err := f.flush(); err != nil {
			return nil, err
		}
		return append([]byte{}, f.file.raw.(*memory).b...), nil
	}
	return o
}

// fileProperties are what all file objects have. of takes the common part out of one.
func fileProperties[T any](of func(*T) *file) map[string]exposed.Property {
	return map[string]exposed.Property{
		"closed": {Hidden: true, Get: func(f *T) bool {
			x := of(f)
			x.mu.Lock()
			defer x.mu.Unlock()
			return x.closed
		}},
	}
}

// fileMethods are what all file objects have.
func fileMethods[T any](of func(*T) *file) map[string]any {
	with := func(do func(x *file) (any, error)) func(f *T) (any, error) {
		return func(f *T) (any, error) {
			x := of(f)
			if err := x.use(); err != nil {
				return nil, err
			}
			defer x.mu.Unlock()
			return do(x)
		}
	}
	itself := func(f *T) (*T, error) {
		_, err := with(func(*file) (any, error) { return nil, nil })(f)
		return f, err
	}
	return map[string]any{
		"close":    func(f *T) error { return of(f).close() },
		"flush":    with(func(x *file) (any, error) { return nil, x.flush() }),
		"fileno":   with(func(x *file) (any, error) { n, err := x.raw.Fd(); return n, err }),
		"isatty":   with(func(x *file) (any, error) { return x.raw.Terminal(), nil }),
		"readable": with(func(x *file) (any, error) { return x.r != nil, nil }),
		"writable": with(func(x *file) (any, error) { return x.w != nil, nil }),
		"seekable": with(func(x *file) (any, error) { return x.seekable, nil }),
		"tell":     with(func(x *file) (any, error) { n, err := x.tell(); return n, err }),
		"truncate": exposed.Func(func(f *T, size *int64) (any, error) {
			return with(func(x *file) (any, error) { n, err := x.truncate(size); return n, err })(f)
		}, "size=None", "/"),
		"__enter__": itself,
		"__exit__":  func(f *T, _ ...any) error { return of(f).close() },
		"__iter__":  itself,
	}
}

func binaryOptions[T any](name string, of func(*T) *binary) exposed.ClassOptions {
	base := func(f *T) *file { return of(f).file }
	o := exposed.ClassOptions{Name: name, Hidden: fileMethods(base), Properties: fileProperties(base)}
	o.Properties["name"] = exposed.Property{Hidden: true, Get: func(f *T) (any, error) {
		if of(f).name == nil {
			return nil, vinegar.AttributeError.Errorf("'%s' object has no attribute 'name'", exposed.TypeName(f))
		}
		return of(f).name, nil
	}}
	o.Properties["mode"] = exposed.Property{Hidden: true, Get: func(f *T) string { return of(f).mode }}
	add := func(name string, do any, params ...string) { o.Hidden[name] = exposed.Func(do, params...) }
	for _, name := range []string{"read", "read1"} {
		add(name, func(f *T, size *int) ([]byte, error) { return of(f).read(count(size)) }, "size=-1", "/")
	}
	add("readline", func(f *T, size *int) ([]byte, error) { return of(f).readline(count(size)) }, "size=-1", "/")
	add("readlines", func(f *T, hint *int) (*exposed.List, error) {
		return readLines(count(hint), of(f).readline, func(line []byte) int { return len(line) })
	}, "hint=-1", "/")
	add("peek", func(f *T, size int) ([]byte, error) { return of(f).peek(size) }, "size=0", "/")
	add("write", func(f *T, ctx context.Context, data any) (int, error) { return of(f).write(ctx, data) }, "b", "/")
	add("writelines", func(f *T, ctx context.Context, lines any) error {
		return writeLines(ctx, lines, of(f).write)
	}, "lines", "/")
	add("seek", func(f *T, offset int64, whence int) (int64, error) {
		b := of(f)
		if err := b.use(); err != nil {
			return 0, err
		}
		defer b.mu.Unlock()
		return b.seek(offset, whence)
	}, "target", "whence=0", "/")
	o.Hidden["__next__"] = func(f *T) ([]byte, error) { return nextLine(of(f).readline(-1)) }
	o.Hidden["__repr__"] = func(f *T) string {
		if of(f).name == nil {
			return "<" + name + ">"
		}
		return "<" + name + " name=" + vinegar.Repr(of(f).name) + ">"
	}
	return o
}

// count is an optional size: None and negative ones mean all.
func count(n *int) int {
	if n == nil || *n < 0 {
		return -1
	}
	return *n
}

// begin locks the file and gets it ready to read.
func (b *binary) begin(what string) error {
	if b.r == nil {
		return unsupported(what)
	}
	if err := b.use(); err != nil {
		return err
	}
	err := b.reading(what)
	if err != nil {
		b.mu.Unlock()
	}
	return err
}

func (b *binary) read(n int) ([]byte, error) {
	if err := b.begin("read"); err != nil {
		return nil, err
	}
	defer b.mu.Unlock()
	if b.raw && n > 0 { // one system call: what there is
		p := make([]byte, min(n, 1<<20))
		got, err := b.r.Read(p)
		if err != nil && got == 0 && err.Error() != "EOF" {
			return nil, err
		}
		return p[:got], nil
	}
	return b.file.read(n)
}

func (b *binary) readline(limit int) ([]byte, error) {
	if err := b.begin("read"); err != nil {
		return nil, err
	}
	defer b.mu.Unlock()
	return b.readLine(limit)
}

// readLines is readlines: lines until the end, or until their sizes add up to hint.
func readLines[L string | []byte](
	hint int, readline func(limit int) (L, error), size func(L) int,
) (*exposed.List, error) {
	l := exposed.NewList()
	for total := 0; hint <= 0 || total < hint; {
		line, err := readline(-1)
		if err != nil {
			return nil, err
		}
		if len(line) == 0 {
			break
		}
		if l.Len() >= maxLines {
			return nil, vinegar.MemoryError.Errorf("more than %d lines", maxLines)
		}
		l.Append(line)
		total += size(line)
	}
	return l, nil
}

// maxLines bounds what readlines collects.
const maxLines = 1 << 22

// nextLine is __next__, given what readline has returned.
func nextLine[L string | []byte](line L, err error) (L, error) {
	if err == nil && len(line) == 0 {
		err = vinegar.StopIteration.New()
	}
	return line, err
}

// writeLines is writelines, given the file's write.
func writeLines(ctx context.Context, lines any, write func(context.Context, any) (int, error)) error {
	for line, err := range exposed.Iterate(ctx, lines) {
		if err != nil {
			return err
		}
		if _, err := write(ctx, line); err != nil {
			return err
		}
	}
	return nil
}

func (b *binary) peek(int) ([]byte, error) {
	if err := b.begin("peek"); err != nil {
		return nil, err
	}
	defer b.mu.Unlock()
	_, _ = b.r.Peek(1)
	return append([]byte{}, b.ahead()...), nil
}

func (b *binary) write(ctx context.Context, data any) (int, error) {
	p, err := bytesOf(ctx, data)
	if err != nil {
		return 0, err
	}
	if b.w == nil {
		return 0, unsupported("write")
	}
	if err := b.use(); err != nil {
		return 0, err
	}
	defer b.mu.Unlock()
	if err := b.writing("write"); err != nil {
		return 0, err
	}
	n, err := b.w.Write(p)
	if err == nil && b.raw {
		err = b.w.Flush()
	}
	return n, err
}

// bytesOf takes bytes, or what a peer has that is like them.
func bytesOf(ctx context.Context, v any) ([]byte, error) {
	switch x := v.(type) {
	case []byte:
		return x, nil
	case *netref.Object: // a bytearray or memoryview
		if r, err := x.CallMethod(ctx, "tobytes"); err == nil {
			if b, ok := r.([]byte); ok {
				return b, nil
			}
		}
		if r, err := x.CallMethod(ctx, "decode", "latin-1"); err == nil {
			if s, ok := r.(string); ok {
				b := make([]byte, 0, len(s))
				for _, c := range s {
					b = append(b, byte(c))
				}
				return b, nil
			}
		}
	}
	return nil, vinegar.TypeError.Errorf("a bytes-like object is required, not '%s'", exposed.TypeName(v))
}
