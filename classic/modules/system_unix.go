//go:build unix

package modules

import (
	"context"
	"os"
	"os/user"
	"strings"
	"syscall"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/classic/internal/pytypes"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

type (
	unameResult struct{ record }
	timesResult struct{ record }
)

var (
	_ = exposed.Register[unameResult](recordOptions("posix.uname_result"))
	_ = exposed.Register[timesResult](recordOptions("posix.times_result"))
)

// attrOf reads an attribute of an exception.
func attrOf(err error, name string) any {
	v, _ := vinegar.FromError(err).Attr(name)
	return v
}

// defineSystem adds what asks the operating system.
func defineSystem(in *Interpreter, m *Module) {
	m.Const("O_RDONLY", os.O_RDONLY, "O_WRONLY", os.O_WRONLY, "O_RDWR", os.O_RDWR, "O_APPEND", os.O_APPEND,
		"O_CREAT", os.O_CREATE,
		"O_EXCL", os.O_EXCL, "O_TRUNC", os.O_TRUNC, "O_SYNC", os.O_SYNC, "O_NONBLOCK", syscall.O_NONBLOCK, "O_CLOEXEC",
		syscall.O_CLOEXEC, "WNOHANG", syscall.WNOHANG)
	for name, f := range map[string]func() int{
		"getuid": os.Getuid, "geteuid": os.Geteuid, "getgid": os.Getgid, "getegid": os.Getegid, "getpgrp": syscall.Getpgrp,
	} {
		m.Def(name, f)
	}
	m.Def("getgroups", func() (*exposed.List, error) {
		ids, err := os.Getgroups()
		l := exposed.NewList()
		for _, id := range ids {
			l.Append(int64(id))
		}
		return l, err
	})
	m.Def("getlogin", func() (string, error) {
		for _, name := range []string{"LOGNAME", "USER", "LNAME", "USERNAME"} {
			if s := os.Getenv(name); s != "" {
				return s, nil
			}
		}
		u, err := user.Current()
		if err != nil {
			return "", vinegar.OSError.New(int64(syscall.ENXIO), "No such device or address")
		}
		return u.Username, nil
	})
	m.Def("umask", func(mask int) int { return syscall.Umask(mask) }, "mask")
	m.Def("access", func(ctx context.Context, v any, mode uint32) (bool, error) {
		s, err := osPath(ctx, "access", v)
		return err == nil && syscall.Access(s, mode) == nil, err
	}, "path", "mode")
	m.Def("kill", func(pid, sig int) error { return bare(syscall.Kill(pid, syscall.Signal(sig))) }, "pid", "signal", "/")
	m.Def("killpg", func(pgid, sig int) error {
		return bare(syscall.Kill(-pgid, syscall.Signal(sig)))
	}, "pgid", "signal", "/")
	m.Def("getpgid", func(pid int) (int, error) { n, err := syscall.Getpgid(pid); return n, bare(err) }, "pid")
	onOwner := func(name string, f func(string, int, int) error) {
		m.Def(name, func(ctx context.Context, v any, uid, gid int) error {
			s, err := osPath(ctx, name, v)
			if err != nil {
				return err
			}
			if err := f(s, uid, gid); err != nil {
				return fileError(err, v)
			}
			return nil
		}, "path", "uid", "gid")
	}
	onOwner("chown", os.Chown)
	onOwner("lchown", os.Lchown)
	m.Def("uname", func() (*unameResult, error) {
		u, err := uname()
		r := new(unameResult)
		r.set("posix.uname_result", []string{"sysname", "nodename", "release", "version", "machine"},
			brine.Tuple{u[0], u[1], u[2], u[3], u[4]})
		return r, bare(err)
	})
	m.Def("times", func() (*timesResult, error) {
		own, children, err := cpuTimes()
		r := new(timesResult)
		r.set("posix.times_result", []string{"user", "system", "children_user", "children_system", "elapsed"},
			brine.Tuple{own[0], own[1], children[0], children[1], float64(time.Since(started)) / 1e9})
		return r, bare(err)
	})
	m.Def("getloadavg", func() (brine.Tuple, error) {
		b, err := os.ReadFile("/proc/loadavg")
		f := strings.Fields(string(b))
		if err != nil || len(f) < 3 {
			return nil, vinegar.OSError.New("Load averages are unobtainable")
		}
		var t brine.Tuple
		for _, s := range f[:3] {
			n, err := exposed.Call(background, pytypes.Class("float"), exposed.NewArgs([]any{s}, nil))
			if err != nil {
				return nil, err
			}
			t = append(t, n)
		}
		return t, nil
	})
	m.Def("system", func(ctx context.Context, command any) (int, error) {
		s, err := pathOf(ctx, command, "expected str, bytes or os.PathLike object, not %s")
		if err != nil {
			return 0, err
		}
		return in.system(ctx, s)
	}, "command")
	m.Def("popen", in.popen, "cmd", "mode='r'", "buffering=-1")
	defineDescriptors(in, m)
}

var started = time.Now()

// bare drops the file name from an error that has none in Python.
func bare(err error) error {
	if err == nil {
		return nil
	}
	return fileError(err)
}

// defineDescriptors adds what works on descriptors.
func defineDescriptors(in *Interpreter, m *Module) {
	m.Def("open", func(ctx context.Context, v any, flags int, mode uint32) (int, error) {
		s, err := osPath(ctx, "open", v)
		if err != nil {
			return 0, err
		}
		fd, err := syscall.Open(s, flags|syscall.O_CLOEXEC, mode)
		if err != nil {
			return 0, fileError(err, v)
		}
		return fd, nil
	}, "path", "flags", "mode=511")
	m.Def("close", func(fd int) error { return bare(syscall.Close(fd)) }, "fd")
	m.Def("read", func(fd, n int) ([]byte, error) {
		if n < 0 {
			return nil, bare(syscall.EINVAL)
		}
		b := make([]byte, min(n, 1<<24))
		got := 0
		err := ignoreInterrupt(func() (err error) { got, err = syscall.Read(fd, b); return err })
		if err != nil {
			return nil, bare(err)
		}
		return b[:got], nil
	}, "fd", "length", "/")
	m.Def("write", func(fd int, b []byte) (int, error) {
		n := 0
		err := ignoreInterrupt(func() (err error) { n, err = syscall.Write(fd, b); return err })
		return max(n, 0), bare(err)
	}, "fd", "data", "/")
	m.Def("lseek", func(fd int, offset int64, how int) (int64, error) {
		n, err := syscall.Seek(fd, offset, how)
		return n, bare(err)
	}, "fd", "position", "how", "/")
	m.Def("fsync", func(fd int) error { return bare(syscall.Fsync(fd)) }, "fd")
	m.Def("ftruncate", func(fd int, n int64) error { return bare(syscall.Ftruncate(fd, n)) }, "fd", "length", "/")
	m.Def("dup", func(fd int) (int, error) {
		n, err := syscall.Dup(fd)
		if err == nil {
			syscall.CloseOnExec(n)
		}
		return n, bare(err)
	}, "fd", "/")
	m.Def("pipe", func() (brine.Tuple, error) {
		var p [2]int
		err := syscall.Pipe(p[:])
		if err != nil {
			return nil, bare(err)
		}
		for _, fd := range p {
			syscall.CloseOnExec(fd)
		}
		return brine.Tuple{int64(p[0]), int64(p[1])}, nil
	})
	m.Def("fstat", func(fd int) (*statResult, error) {
		var st syscall.Stat_t
		if err := syscall.Fstat(fd, &st); err != nil {
			return nil, bare(err)
		}
		return newStat(&st), nil
	}, "fd")
	m.Def("isatty", func(fd int) bool {
		var st syscall.Stat_t
		return syscall.Fstat(fd, &st) == nil && st.Mode&syscall.S_IFMT == syscall.S_IFCHR && isTerminal(fd)
	}, "fd", "/")
	m.Def("fdopen", func(ctx context.Context, fd any, args []any, kw []netref.Keyword) (any, error) {
		if _, ok := fd.(int64); !ok {
			return nil, vinegar.TypeError.Errorf("invalid fd type (%s, expected integer)", exposed.TypeName(fd))
		}
		return exposed.Call(ctx, exposed.Func(in.openFile, openParams...), exposed.NewArgs(append([]any{fd}, args...), kw))
	}, "fd", "*args", "**kwargs")
}

// cpuTimes gives the user and system time in seconds of this process and of its children that have ended.
func cpuTimes() (own, children [2]float64, err error) {
	for who, times := range map[int]*[2]float64{syscall.RUSAGE_SELF: &own, syscall.RUSAGE_CHILDREN: &children} {
		var u syscall.Rusage
		if err = syscall.Getrusage(who, &u); err != nil {
			break
		}
		times[0], times[1] = float64(u.Utime.Nano())/1e9, float64(u.Stime.Nano())/1e9
	}
	return own, children, err
}
