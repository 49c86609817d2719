//go:build unix

package modules

import (
	"context"
	"crypto/rand"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// osPath is the wording of the TypeErrors of os: name is that of the function.
func osPath(ctx context.Context, name string, v any) (string, error) {
	return pathOf(ctx, v, name+": path should be string, bytes or os.PathLike, not %s")
}

// newOS makes the module os.
func newOS(in *Interpreter) *Module {
	m := New("os", "OS routines for NT or Posix depending on what system we're on.")
	m.Const("name", "posix", "path", in.must("posixpath"), "sep", "/", "pardir", "..", "curdir", ".", "extsep",
		".", "altsep", nil,
		"pathsep", ":", "linesep", "\n", "defpath", defaultPath, "devnull", "/dev/null",
		"F_OK", 0, "X_OK", 1, "W_OK", 2, "R_OK", 4, "SEEK_SET", 0, "SEEK_CUR", 1, "SEEK_END", 2, "EX_OK", 0,
		"error", vinegar.OSError, "environ", &environ{}, "stat_result", statClass)
	defineFiles(in, m)
	defineDirectories(in, m)
	defineProcess(m)
	defineSystem(in, m)
	return m
}

// newPosix makes posix, the module below os, with what os has.
func newPosix(in *Interpreter) *Module {
	m := New("posix", "")
	for _, name := range in.must("os").Names() {
		if strings.HasPrefix(name, "__") || name == "path" || name == "walk" || name == "makedirs" || name == "environ" {
			continue
		}
		if v, ok := in.must("os").Get(name); ok {
			m.Set(name, v)
		}
	}
	return m
}

// onPath adds a function of one path.
func onPath(m *Module, name string, f func(path string) error) {
	m.Def(name, func(ctx context.Context, v any) error {
		s, err := osPath(ctx, name, v)
		if err != nil {
			return err
		}
		if err := f(s); err != nil {
			return fileError(err, v)
		}
		return nil
	}, "path")
}

// onPathAnd adds a function of a path and another argument.
func onPathAnd[T any](m *Module, name string, f func(path string, v T) error, params ...string) {
	m.Def(name, func(ctx context.Context, path any, v T) error {
		s, err := osPath(ctx, name, path)
		if err != nil {
			return err
		}
		if err := f(s, v); err != nil {
			return fileError(err, path)
		}
		return nil
	}, params...)
}

func onPair(m *Module, name string, f func(a, b string) error, params ...string) {
	m.Def(name, func(ctx context.Context, v, w any) error {
		a, err := pathOf(ctx, v, name+": "+params[0]+" should be string, bytes or os.PathLike, not %s")
		if err != nil {
			return err
		}
		b, err := pathOf(ctx, w, name+": "+params[1]+" should be string, bytes or os.PathLike, not %s")
		if err != nil {
			return err
		}
		if err := f(a, b); err != nil {
			return fileError(err, v, w)
		}
		return nil
	}, params...)
}

func defineFiles(in *Interpreter, m *Module) {
	onPath(m, "remove", removeFile)
	onPath(m, "unlink", removeFile)
	onPath(m, "rmdir", removeDir)
	onPath(m, "chdir", os.Chdir)
	onPair(m, "rename", os.Rename, "src", "dst")
	onPair(m, "replace", os.Rename, "src", "dst")
	onPair(m, "link", os.Link, "src", "dst")
	m.Def("symlink", func(ctx context.Context, v, w any, _ bool) error {
		a, err := osPath(ctx, "symlink", v)
		if err != nil {
			return err
		}
		b, err := osPath(ctx, "symlink", w)
		if err != nil {
			return err
		}
		if err := os.Symlink(a, b); err != nil {
			return fileError(err, v, w)
		}
		return nil
	}, "src", "dst", "target_is_directory=False")
	m.Def("readlink", func(ctx context.Context, v any) (any, error) {
		s, back, err := onePath(ctx, v)
		if err != nil {
			return nil, err
		}
		target, err := os.Readlink(s)
		if err != nil {
			return nil, fileError(err, v)
		}
		return back(target), nil
	}, "path")
	onPathAnd(m, "chmod", chmod, "path", "mode")
	onPathAnd(m, "truncate", os.Truncate, "path", "length")
	m.Def("stat", func(ctx context.Context, v any, follow bool) (any, error) {
		return in.stat(ctx, "stat", v, follow)
	}, "path", "*", "follow_symlinks=True")
	m.Def("lstat", func(ctx context.Context, v any) (any, error) { return in.stat(ctx, "lstat", v, false) }, "path")
	m.Def("utime", utime, "path", "times=None", "*", "ns=None")
	m.Def("fspath", func(ctx context.Context, v any) (any, error) {
		s, back, err := onePath(ctx, v)
		if err != nil {
			return nil, err
		}
		return back(s), nil
	}, "path")
	m.Def("fsencode", func(ctx context.Context, v any) ([]byte, error) {
		s, _, err := onePath(ctx, v)
		return []byte(s), err
	}, "filename")
	m.Def("fsdecode", func(ctx context.Context, v any) (string, error) {
		s, _, err := onePath(ctx, v)
		return s, err
	}, "filename")
}

// utime sets the times of a file.
func utime(ctx context.Context, v, times, ns any) error {
	s, err := osPath(ctx, "utime", v)
	if err != nil {
		return err
	}
	if times != nil && ns != nil {
		return vinegar.ValueError.New("utime: you may specify either 'times' or 'ns' but not both")
	}
	stamp := func(v any, unit float64) (time.Time, error) {
		switch x := v.(type) {
		case int64:
			if unit == 1 {
				return time.Unix(0, x), nil
			}
			return time.Unix(x, 0), nil
		case float64:
			whole := int64(x)
			return time.Unix(whole, int64((x-float64(whole))*1e9)), nil
		}
		return time.Time{}, vinegar.TypeError.New("utime: 'times' must be either a tuple of two ints or None")
	}
	now := time.Now()
	pair := [2]time.Time{now, now}
	for which, given := range map[float64]any{1e9: times, 1: ns} {
		if given == nil {
			continue
		}
		t, ok := given.(brine.Tuple)
		if !ok || len(t) != 2 {
			return vinegar.TypeError.New("utime: 'times' must be either a tuple of two ints or None")
		}
		for i := range pair {
			if pair[i], err = stamp(t[i], which); err != nil {
				return err
			}
		}
	}
	if err := os.Chtimes(s, pair[0], pair[1]); err != nil {
		return fileError(err, v)
	}
	return nil
}

func defineDirectories(in *Interpreter, m *Module) {
	m.Def("getcwd", os.Getwd)
	m.Def("getcwdb", func() ([]byte, error) { s, err := os.Getwd(); return []byte(s), err })
	m.Def("listdir", func(ctx context.Context, v any) (*exposed.List, error) {
		if v == nil {
			v = "."
		}
		s, err := pathOf(ctx, v, "listdir: path should be string, bytes, os.PathLike, integer or None, not %s")
		if err != nil {
			return nil, err
		}
		f, err := os.Open(s)
		if err == nil {
			defer func() { _ = f.Close() }()
			var names []string
			if names, err = f.Readdirnames(-1); err == nil {
				l := exposed.NewList()
				_, isBytes := v.([]byte)
				for _, n := range names {
					if isBytes {
						l.Append([]byte(n))
					} else {
						l.Append(n)
					}
				}
				return l, nil
			}
		}
		return nil, fileError(err, v)
	}, "path=None")
	onPathAnd(m, "mkdir", makeDir, "path", "mode=511")
	m.Def("mkfifo", func(ctx context.Context, v any, mode uint32) error {
		return makeNode(ctx, "mkfifo", v, mode|syscall.S_IFIFO, 0)
	}, "path", "mode=438")
	m.Def("mknod", func(ctx context.Context, v any, mode uint32, device uint64) error {
		return makeNode(ctx, "mknod", v, mode, device)
	}, "path", "mode=384", "device=0")
	m.Def("makedirs", func(ctx context.Context, v any, mode uint32, existOK bool) error {
		s, back, err := onePath(ctx, v)
		if err != nil {
			return err
		}
		return makeDirs(ctx, s, back, mode, existOK)
	}, "name", "mode=511", "exist_ok=False")
	m.Def("removedirs", func(ctx context.Context, v any) error {
		s, back, err := onePath(ctx, v)
		if err != nil {
			return err
		}
		if err := removeDir(s); err != nil {
			return fileError(err, back(s))
		}
		for s, _ = splitPath(strings.TrimRight(s, "/")); s != "" && s != "/"; s, _ = splitPath(s) {
			if removeDir(s) != nil {
				break
			}
		}
		return nil
	}, "name")
	m.Def("scandir", func(ctx context.Context, v any) (any, error) {
		if v == nil {
			v = "."
		}
		s, back, err := onePath(ctx, v)
		if err != nil {
			return nil, err
		}
		return in.scan(s, back, v)
	}, "path=None")
	m.Def("walk", func(ctx context.Context, top any, topdown bool, onerror any, follow bool) (any, error) {
		s, back, err := onePath(ctx, top)
		if err != nil {
			return nil, err
		}
		return walk(s, back, topdown, onerror, follow), nil
	}, "top", "topdown=True", "onerror=None", "followlinks=False")
}

func makeNode(ctx context.Context, op string, v any, mode uint32, device uint64) error {
	s, err := osPath(ctx, op, v)
	if err != nil {
		return err
	}
	if err := mknod(s, mode, device); err != nil {
		return fileError(err)
	}
	return nil
}

func makeDirs(ctx context.Context, s string, back func(string) any, mode uint32, existOK bool) error {
	ctx, err := exposed.Descend(ctx, "")
	if err != nil {
		return err
	}
	head, tail := splitPath(s)
	if tail == "" {
		head, tail = splitPath(head)
	}
	if head != "" && tail != "" {
		if _, err := os.Stat(head); err != nil {
			if err := makeDirs(ctx, head, back, 0o777, existOK); err != nil &&
				vinegar.FromError(err).Class != vinegar.FileExistsError {
				return err
			}
			if tail == "." {
				return nil
			}
		}
	}
	if err := makeDir(s, mode); err != nil {
		if fi, e := os.Stat(s); existOK && e == nil && fi.IsDir() {
			return nil
		}
		return fileError(err, back(s))
	}
	return nil
}

// walk yields what os.walk does. Going down, the list of directories is read after the consumer may have changed it.
func walk(top string, back func(string) any, topdown bool, onerror any, follow bool) *exposed.Generator {
	type step struct {
		path string
		item brine.Tuple // set: to be yielded as it is
	}
	stack := []step{{path: top}}
	var open *exposed.List // directories of the item yielded last, still to be descended into
	var parent string
	return exposed.NewGenerator(func(ctx context.Context) (any, error) {
		for {
			if open != nil {
				dirs := open.Items()
				open = nil
				for _, d := range slices.Backward(dirs) {
					name, _, err := onePath(ctx, d)
					if err != nil {
						return nil, err
					}
					next := joined(parent, name)
					if fi, err := os.Lstat(next); !follow && err == nil && fi.Mode()&os.ModeSymlink != 0 {
						continue
					}
					stack = append(stack, step{path: next})
				}
			}
			if len(stack) == 0 {
				return nil, vinegar.StopIteration
			}
			s := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if s.item != nil {
				return s.item, nil
			}
			entries, err := readDir(s.path)
			if err != nil {
				if onerror != nil {
					if _, err := exposed.Call(ctx, onerror, exposed.NewArgs([]any{fileError(err, back(s.path))}, nil)); err != nil {
						return nil, err
					}
				}
				continue
			}
			dirs, files := exposed.NewList(), exposed.NewList()
			var down []string
			for _, e := range entries {
				isDir := e.IsDir()
				if e.Type()&os.ModeSymlink != 0 {
					fi, err := os.Stat(joined(s.path, e.Name()))
					isDir = err == nil && fi.IsDir()
				}
				if !isDir {
					files.Append(back(e.Name()))
					continue
				}
				dirs.Append(back(e.Name()))
				if follow || e.Type()&os.ModeSymlink == 0 {
					down = append(down, joined(s.path, e.Name()))
				}
			}
			item := brine.Tuple{back(s.path), dirs, files}
			if topdown {
				open, parent = dirs, s.path
				return item, nil
			}
			stack = append(stack, step{item: item})
			for _, d := range slices.Backward(down) {
				stack = append(stack, step{path: d})
			}
		}
	})
}

// readDir lists a directory in the order of the file system, as CPython does.
func readDir(path string) ([]os.DirEntry, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return f.ReadDir(-1)
}

// cpuCount is os.cpu_count: the processors that are online, whichever of them this process may use.
func cpuCount() int {
	text, err := os.ReadFile("/sys/devices/system/cpu/online") // such as 0-3,6
	n := 0
	for part := range strings.SplitSeq(strings.TrimSpace(string(text)), ",") {
		low, high, isRange := strings.Cut(part, "-")
		if !isRange {
			high = low
		}
		first, e1 := strconv.Atoi(low)
		last, e2 := strconv.Atoi(high)
		if err != nil || e1 != nil || e2 != nil || last < first {
			return runtime.NumCPU()
		}
		n += last - first + 1
	}
	return n
}

func defineProcess(m *Module) {
	m.Def("getpid", os.Getpid)
	m.Def("getppid", os.Getppid)
	m.Def("cpu_count", cpuCount)
	m.Def("urandom", func(n int) ([]byte, error) {
		if n < 0 {
			return nil, vinegar.ValueError.New("negative argument not allowed")
		}
		if n > maxRead/16 {
			return nil, vinegar.MemoryError.Errorf("more than %d random bytes", maxRead/16)
		}
		b := make([]byte, n)
		_, _ = rand.Read(b) // never fails
		return b, nil
	}, "size")
	m.Def("strerror", func(code int) string { return strerror(code) }, "code")
	m.Def("getenv", func(key string, missing any) any {
		if v, ok := os.LookupEnv(key); ok {
			return v
		}
		return missing
	}, "key", "default=None")
	m.Def("putenv", os.Setenv, "name", "value", "/")
	m.Def("unsetenv", os.Unsetenv, "name", "/")
}
