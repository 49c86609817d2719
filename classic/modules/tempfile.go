//go:build unix

package modules

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"os"
	"strings"
	"sync"
	"syscall"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// tempDir is tempfile.TemporaryDirectory. The directory is removed when the connection ends, at the latest.
type tempDir struct {
	in   *Interpreter
	name string
	once sync.Once
}

func (d *tempDir) cleanup() error {
	var err error
	d.once.Do(func() {
		d.in.mu.Lock()
		delete(d.in.temps, d.name)
		d.in.mu.Unlock()
		err = os.RemoveAll(d.name)
	})
	return err
}

var _ = exposed.Register[tempDir](exposed.ClassOptions{
	Name:       "tempfile.TemporaryDirectory",
	Properties: map[string]exposed.Property{"name": {Hidden: true, Get: func(d *tempDir) string { return d.name }}},
	Hidden: map[string]any{
		"cleanup":   (*tempDir).cleanup,
		"__enter__": func(d *tempDir) string { return d.name },
		"__exit__":  func(d *tempDir, _ ...any) error { return d.cleanup() },
		"__repr__":  func(d *tempDir) string { return "<TemporaryDirectory " + vinegar.Repr(d.name) + ">" },
	},
})

// tempDirectory is tempfile.gettempdir.
func tempDirectory() (string, error) {
	candidates := []string{os.Getenv("TMPDIR"), os.Getenv("TEMP"), os.Getenv("TMP"), "/tmp", "/var/tmp", "/usr/tmp"}
	for _, dir := range candidates {
		if fi, err := os.Stat(dir); dir != "" && err == nil && fi.IsDir() {
			return absolute(dir)
		}
	}
	return os.Getwd()
}

// fresh makes something under a new name.
func fresh(ctx context.Context, suffix, prefix, dir any,
	create func(path string) error) (string, func(string) any, error) {
	parts := [3]string{"", "tmp", ""}
	back := func(s string) any { return s }
	for i, v := range []any{suffix, prefix, dir} {
		if v == nil {
			continue
		}
		s, b, err := onePath(ctx, v)
		if err != nil {
			return "", nil, err
		}
		parts[i], back = s, b
	}
	if dir == nil {
		var err error
		if parts[2], err = tempDirectory(); err != nil {
			return "", nil, err
		}
	}
	base, err := absolute(parts[2])
	if err != nil {
		return "", nil, err
	}
	for range 100 {
		var b [5]byte
		_, _ = rand.Read(b[:]) // never fails
		path := joined(base, parts[1]+strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))+parts[0])
		err := create(path)
		if err == nil {
			return path, back, nil
		}
		if !os.IsExist(err) {
			return "", nil, fileError(err, back(path))
		}
	}
	return "", nil, vinegar.FileExistsError.New(int64(syscall.EEXIST), "No usable temporary file name found")
}

func newTempfile(in *Interpreter) *Module {
	m := New("tempfile", "Temporary files.")
	m.Const("tempdir", nil, "template", "tmp")
	m.Def("gettempdir", tempDirectory)
	m.Def("gettempprefix", func() string { return "tmp" })
	params := []string{"suffix=None", "prefix=None", "dir=None"}
	m.Def("mkdtemp", func(ctx context.Context, suffix, prefix, dir any) (any, error) {
		s, back, err := fresh(ctx, suffix, prefix, dir, func(p string) error { return makeDir(p, 0o700) })
		if err != nil {
			return nil, err
		}
		return back(s), nil
	}, params...)
	m.Def("mkstemp", func(ctx context.Context, suffix, prefix, dir any, _ bool) (any, any, error) {
		fd := 0
		s, back, err := fresh(ctx, suffix, prefix, dir, func(p string) (err error) {
			fd, err = syscall.Open(p, syscall.O_RDWR|syscall.O_CREAT|syscall.O_EXCL|syscall.O_CLOEXEC, 0o600)
			return err
		})
		if err != nil {
			return nil, nil, err
		}
		return int64(fd), back(s), nil
	}, append(params, "text=False")...)
	m.Def("TemporaryDirectory", func(ctx context.Context, suffix, prefix, dir any, _ bool) (*tempDir, error) {
		s, _, err := fresh(ctx, suffix, prefix, dir, func(p string) error { return makeDir(p, 0o700) })
		if err != nil {
			return nil, err
		}
		in.mu.Lock()
		in.temps[s] = struct{}{}
		in.mu.Unlock()
		return &tempDir{in: in, name: s}, nil
	}, append(params, "ignore_cleanup_errors=False")...)
	for name, keepsName := range map[string]bool{"NamedTemporaryFile": true, "TemporaryFile": false} {
		m.Def(name,
			func(ctx context.Context, mode string, buffering int, encoding, newline *string, suffix, prefix, dir any,
				del bool) (any, error) {
				s, _, err := fresh(ctx, suffix, prefix, dir, func(p string) error {
					f, err := os.OpenFile(p, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
					if err == nil {
						err = f.Close()
					}
					return err
				})
				if err != nil {
					return nil, err
				}
				kw := []netref.Keyword{netref.Kw("encoding", encoding), netref.Kw("newline", newline),
					netref.Kw("buffering", buffering)}
				f, err := exposed.Call(ctx, exposed.Func(in.openFile, openParams...), exposed.NewArgs([]any{s, mode}, kw))
				switch {
				case err != nil || !keepsName:
					_ = os.Remove(s)
				case del:
					if x, ok := underlying(f); ok {
						x.raw = removing{x.raw, s}
						in.mu.Lock()
						in.temps[s] = struct{}{}
						in.mu.Unlock()
					}
				}
				return f, err
			}, append([]string{"mode='w+b'", "buffering=-1", "encoding=None", "newline=None"},
				append(params, "delete=True")...)...)
	}
	return m
}

// removing is a file that is removed when it is closed.
type removing struct {
	rawFile
	path string
}

// Close implements io.Closer.
func (r removing) Close() error {
	err := r.rawFile.Close()
	if e := os.Remove(r.path); e != nil && !os.IsNotExist(e) && err == nil {
		err = e
	}
	return err
}
