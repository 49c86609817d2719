//go:build unix

package modules

import (
	"context"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

type diskUsage struct{ record }

var (
	_             = exposed.Register[diskUsage](recordOptions("shutil.usage"))
	shutilError   = vinegar.NewClass("shutil.Error", vinegar.OSError)
	sameFileError = vinegar.NewClass("shutil.SameFileError", shutilError)
)

// copyData is shutil.copyfile.
func copyData(src, dst string, back func(string) any) error {
	a, err := os.Stat(src)
	if b, e := os.Stat(dst); err == nil && e == nil && os.SameFile(a, b) {
		return sameFileError.Errorf("%s and %s are the same file", vinegar.Repr(back(src)), vinegar.Repr(back(dst)))
	}
	if err == nil && a.Mode()&os.ModeNamedPipe != 0 {
		return vinegar.NewClass("shutil.SpecialFileError", vinegar.OSError).Errorf("`%s` is a named pipe", src)
	}
	r, err := os.Open(src)
	if err != nil {
		return fileError(err, back(src))
	}
	defer func() { _ = r.Close() }()
	if a != nil && a.IsDir() {
		return vinegar.OSError.New(int64(syscall.EISDIR), "Is a directory", back(src))
	}
	w, err := os.OpenFile(dst, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return fileError(err, back(dst))
	}
	_, err = io.Copy(w, r)
	if e := w.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fileError(err, back(dst))
	}
	return nil
}

func copyMode(src, dst string, back func(string) any) error {
	st, err := os.Stat(src)
	if err == nil {
		err = os.Chmod(dst, st.Mode())
	}
	if err != nil {
		return fileError(err, back(dst))
	}
	return nil
}

func copyTimes(src, dst string, back func(string) any) error {
	if err := copyMode(src, dst, back); err != nil {
		return err
	}
	var st syscall.Stat_t
	if err := syscall.Stat(src, &st); err != nil {
		return fileError(err, back(src))
	}
	a, m, _ := statTimes(&st)
	if err := syscall.UtimesNano(dst, []syscall.Timespec{a, m}); err != nil {
		return fileError(err, back(dst))
	}
	return nil
}

func intoDir(src, dst string) string {
	if fi, err := os.Stat(dst); err == nil && fi.IsDir() {
		_, name := splitPath(strings.TrimRight(src, "/"))
		return joined(dst, name)
	}
	return dst
}

// twoPaths takes a source and a destination; back is as [onePath] returns it for the latter.
func twoPaths(ctx context.Context, a, b any) (src, dst string, back func(string) any, err error) {
	if src, _, err = onePath(ctx, a); err == nil {
		dst, back, err = onePath(ctx, b)
	}
	return src, dst, back, err
}

func newShutil(*Interpreter) *Module {
	m := New("shutil", "Utility functions for copying and archiving files and directory trees.")
	m.Const("Error", shutilError, "SameFileError", sameFileError)
	pair := func(name string, f func(src, dst string, back func(string) any) (string, error)) {
		m.Def(name, func(ctx context.Context, a, b any, _ bool) (any, error) {
			src, dst, back, err := twoPaths(ctx, a, b)
			if err != nil {
				return nil, err
			}
			s, err := f(src, dst, back)
			if err != nil || s == "" {
				return nil, err
			}
			return back(s), nil
		}, "src", "dst", "*", "follow_symlinks=True")
	}
	pair("copyfile", func(src, dst string, back func(string) any) (string, error) { return dst, copyData(src, dst, back) })
	pair("copymode", func(src, dst string, back func(string) any) (string, error) { return "", copyMode(src, dst, back) })
	pair("copystat", func(src, dst string, back func(string) any) (string, error) { return "", copyTimes(src, dst, back) })
	afterCopy := map[string]func(string, string, func(string) any) error{"copy": copyMode, "copy2": copyTimes}
	for name, after := range afterCopy {
		pair(name, func(src, dst string, back func(string) any) (string, error) {
			dst = intoDir(src, dst)
			if err := copyData(src, dst, back); err != nil {
				return "", err
			}
			return dst, after(src, dst, back)
		})
	}
	m.Def("copytree", func(ctx context.Context, a, b any, links, existOK bool) (any, error) {
		src, dst, back, err := twoPaths(ctx, a, b)
		if err != nil {
			return nil, err
		}
		return back(dst), copyTree(ctx, src, dst, back, links, existOK)
	}, "src", "dst", "symlinks=False", "dirs_exist_ok=False")
	m.Def("move", func(ctx context.Context, a, b any) (any, error) {
		src, dst, back, err := twoPaths(ctx, a, b)
		if err != nil {
			return nil, err
		}
		real := intoDir(src, dst)
		if _, err := os.Lstat(real); err == nil && real != dst {
			return nil, shutilError.Errorf("Destination path '%s' already exists", real)
		}
		err = os.Rename(src, real)
		if le, ok := err.(*os.LinkError); ok && le.Err == syscall.EXDEV { //nolint:errorlint // as os.Rename returns it
			if fi, e := os.Stat(src); e == nil && fi.IsDir() {
				err = copyTree(ctx, src, real, back, true, false)
			} else if err = copyData(src, real, back); err == nil {
				err = copyTimes(src, real, back)
			}
			if err == nil {
				err = os.RemoveAll(src)
			}
			return back(real), err
		}
		if err != nil {
			return nil, fileError(err, a)
		}
		return back(real), nil
	}, "src", "dst")
	m.Def("rmtree", func(ctx context.Context, v any, ignore bool, onerror any) error {
		s, back, err := onePath(ctx, v)
		if err != nil {
			return err
		}
		err = removeTree(s, back)
		if err == nil || ignore {
			return nil
		}
		if onerror != nil {
			info := brine.Tuple{vinegar.FromError(err).Class, err, nil}
			_, err = exposed.Call(ctx, onerror, exposed.NewArgs([]any{nil, back(s), info}, nil))
		}
		return err
	}, "path", "ignore_errors=False", "onerror=None")
	m.Def("disk_usage", func(ctx context.Context, v any) (any, error) {
		s, _, err := onePath(ctx, v)
		if err != nil {
			return nil, err
		}
		var st syscall.Statfs_t
		if err := syscall.Statfs(s, &st); err != nil {
			return nil, fileError(err, v)
		}
		size := int64(st.Bsize) //nolint:unconvert // 32 bits on some systems
		r := new(diskUsage)
		total, used, free := int64(st.Blocks)*size, int64(st.Blocks-st.Bfree)*size, int64(st.Bavail)*size
		r.set("usage", []string{"total", "used", "free"}, brine.Tuple{total, used, free})
		return r, nil
	}, "path")
	m.Def("which", func(ctx context.Context, cmd any, mode int, path any) (any, error) {
		name, back, err := onePath(ctx, cmd)
		if err != nil {
			return nil, err
		}
		fits := func(s string) bool {
			fi, err := os.Stat(s)
			return err == nil && !fi.IsDir() && syscall.Access(s, uint32(mode)) == nil
		}
		if strings.Contains(name, "/") {
			if fits(name) {
				return back(name), nil
			}
			return nil, nil
		}
		search, set := os.LookupEnv("PATH")
		if !set {
			search = defaultPath
		}
		if path != nil {
			if search, _, err = onePath(ctx, path); err != nil {
				return nil, err
			}
		}
		for _, dir := range strings.Split(search, ":") {
			if s := joined(dir, name); fits(s) {
				return back(s), nil
			}
		}
		return nil, nil
	}, "cmd", "mode=1", "path=None")
	return m
}

func copyTree(ctx context.Context, src, dst string, back func(string) any, links, existOK bool) error {
	entries, err := readDir(src)
	if err != nil {
		return fileError(err, back(src))
	}
	if err := makeDirs(ctx, dst, back, 0o777, existOK); err != nil {
		return err
	}
	for _, e := range entries {
		from, to := joined(src, e.Name()), joined(dst, e.Name())
		if e.Type()&os.ModeSymlink != 0 && links {
			target, err := os.Readlink(from)
			if err == nil {
				err = os.Symlink(target, to)
			}
			if err != nil {
				return fileError(err, back(from))
			}
			continue
		}
		fi, err := os.Stat(from)
		if err != nil {
			return fileError(err, back(from))
		}
		if fi.IsDir() {
			err = copyTree(ctx, from, to, back, links, existOK)
		} else if err = copyData(from, to, back); err == nil {
			err = copyTimes(from, to, back)
		}
		if err != nil {
			return err
		}
	}
	return copyTimes(src, dst, back)
}

// removeTree is shutil.rmtree. It does not follow symbolic links, and refuses one to begin with.
func removeTree(s string, back func(string) any) error {
	fi, err := os.Lstat(s)
	if err != nil {
		return fileError(err, back(s))
	}
	if fi.Mode()&os.ModeSymlink != 0 {
		return vinegar.OSError.New("Cannot call rmtree on a symbolic link")
	}
	if !fi.IsDir() {
		return vinegar.OSError.New(int64(syscall.ENOTDIR), "Not a directory", back(s))
	}
	if err := os.RemoveAll(s); err != nil {
		return fileError(err, back(s))
	}
	return nil
}
