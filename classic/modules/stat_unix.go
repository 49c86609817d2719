//go:build unix

package modules

import (
	"context"
	"os"
	"syscall"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed"
)

// statResult is os.stat_result.
type statResult struct{ record }

var statClass = exposed.Register[statResult](recordOptions("os.stat_result"))

var statNames = []string{"st_mode", "st_ino", "st_dev", "st_nlink", "st_uid", "st_gid", "st_size", "st_atime",
	"st_mtime", "st_ctime"}

// stat is os.stat and its like for a path or a descriptor.
func (in *Interpreter) stat(ctx context.Context, name string, v any, follow bool) (*statResult, error) {
	var st syscall.Stat_t
	if fd, ok := v.(int64); ok {
		if err := ignoreInterrupt(func() error { return syscall.Fstat(int(fd), &st) }); err != nil {
			return nil, fileError(err)
		}
		return newStat(&st), nil
	}
	s, err := pathOf(ctx, v, name+": path should be string, bytes, os.PathLike or integer, not %s")
	if err != nil {
		return nil, err
	}
	call := syscall.Lstat
	if follow {
		call = syscall.Stat
	}
	if err := ignoreInterrupt(func() error { return call(s, &st) }); err != nil {
		return nil, fileError(err, v)
	}
	return newStat(&st), nil
}

func ignoreInterrupt(f func() error) error {
	for {
		if err := f(); err != syscall.EINTR { //nolint:errorlint // a system call returns the bare number
			return err
		}
	}
}

func newStat(st *syscall.Stat_t) *statResult {
	a, m, c := statTimes(st)
	r := new(statResult)
	seconds := func(t syscall.Timespec) float64 { return float64(t.Sec) + 1e-9*float64(t.Nsec) }
	//nolint:unconvert // signed on some systems
	r.set("os.stat_result", statNames, brine.Tuple{int64(st.Mode), unsigned(st.Ino), unsigned(uint64(st.Dev)),
		int64(st.Nlink),
		//nolint:unconvert // 32 bits on some systems
		int64(st.Uid), int64(st.Gid), st.Size, int64(a.Sec), int64(m.Sec), int64(c.Sec)},
		"st_atime", seconds(a), "st_mtime", seconds(m), "st_ctime", seconds(c),
		"st_atime_ns", a.Nano(), "st_mtime_ns", m.Nano(), "st_ctime_ns", c.Nano(),
		//nolint:unconvert // as above
		"st_blksize", int64(st.Blksize), "st_blocks", st.Blocks, "st_rdev", unsigned(uint64(st.Rdev)))
	return r
}

func unsigned(n uint64) any {
	form, _ := exposed.ByValue(n)
	return form
}

// device is the number of the device a file is on.
func device(fi os.FileInfo) uint64 {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Dev) //nolint:unconvert // signed on some systems
	}
	return 0
}

// removeFile and removeDir are the system calls: os.Remove tries both.
func removeFile(path string) error { return pathError("unlink", path, syscall.Unlink(path)) }
func removeDir(path string) error  { return pathError("rmdir", path, syscall.Rmdir(path)) }

func makeDir(path string, mode uint32) error {
	return pathError("mkdir", path, syscall.Mkdir(path, mode))
}

func chmod(path string, mode uint32) error {
	return pathError("chmod", path, syscall.Chmod(path, mode))
}

func pathError(op, path string, err error) error {
	if err == nil {
		return nil
	}
	return &os.PathError{Op: op, Path: path, Err: err}
}

func strerror(code int) string {
	e := fileError(syscall.Errno(code))
	if v, ok := attrOf(e, "strerror").(string); ok {
		return v
	}
	return "Unknown error"
}
