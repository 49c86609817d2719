//go:build unix

package modules

import (
	"os"
	"os/user"
	"strings"
	"syscall"

	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// newStatModule makes the module stat.
func newStatModule(*Interpreter) *Module {
	m := New("stat", "S_IFMT_: file type bits ...")
	for name, bits := range map[string]int64{"DIR": 0o040000, "CHR": 0o020000, "BLK": 0o060000, "REG": 0o100000,
		"FIFO": 0o010000, "LNK": 0o120000, "SOCK": 0o140000} {
		m.Set("S_IF"+strings.Replace(name, "FIFO", "IFO", 1), bits)
		m.Def("S_IS"+name, func(mode int64) bool { return mode&0o170000 == bits }, "mode", "/")
	}
	m.Def("S_IMODE", func(mode int64) int64 { return mode & 0o7777 }, "mode", "/")
	m.Def("S_IFMT", func(mode int64) int64 { return mode & 0o170000 }, "mode", "/")
	for i, name := range []string{"ST_MODE", "ST_INO", "ST_DEV", "ST_NLINK", "ST_UID", "ST_GID", "ST_SIZE", "ST_ATIME",
		"ST_MTIME", "ST_CTIME"} {
		m.Set(name, int64(i))
	}
	m.Const("S_ISUID", 0o4000, "S_ISGID", 0o2000, "S_ISVTX", 0o1000, "S_IRWXU", 0o700, "S_IRUSR", 0o400, "S_IWUSR", 0o200,
		"S_IXUSR", 0o100,
		"S_IRWXG", 0o070, "S_IRGRP", 0o040, "S_IWGRP", 0o020, "S_IXGRP", 0o010, "S_IRWXO", 0o007, "S_IROTH", 0o004, "S_IWOTH",
		0o002, "S_IXOTH", 0o001)
	m.Def("filemode", func(mode int64) string {
		kinds := map[int64]byte{0o040000: 'd', 0o020000: 'c', 0o060000: 'b', 0o100000: '-', 0o010000: 'p',
			0o120000: 'l', 0o140000: 's'}
		b := []byte("?rwxrwxrwx")
		if k, ok := kinds[mode&0o170000]; ok {
			b[0] = k
		}
		for i := range 9 {
			if mode&(1<<(8-i)) == 0 {
				b[i+1] = '-'
			}
		}
		for _, s := range []struct {
			bit   int64
			at    int
			x, no byte
		}{{0o4000, 3, 's', 'S'}, {0o2000, 6, 's', 'S'}, {0o1000, 9, 't', 'T'}} {
			if mode&s.bit != 0 {
				if b[s.at] == 'x' {
					b[s.at] = s.x
				} else {
					b[s.at] = s.no
				}
			}
		}
		return string(b)
	}, "mode", "/")
	return m
}

// errnos are the numbers that have the same names on all systems.
var errnos = map[string]syscall.Errno{
	"EPERM": syscall.EPERM, "ENOENT": syscall.ENOENT, "ESRCH": syscall.ESRCH, "EINTR": syscall.EINTR, "EIO": syscall.EIO,
	"ENXIO": syscall.ENXIO,
	"E2BIG": syscall.E2BIG, "ENOEXEC": syscall.ENOEXEC, "EBADF": syscall.EBADF, "ECHILD": syscall.ECHILD,
	"EAGAIN": syscall.EAGAIN, "ENOMEM": syscall.ENOMEM,
	"EACCES": syscall.EACCES, "EFAULT": syscall.EFAULT, "EBUSY": syscall.EBUSY, "EEXIST": syscall.EEXIST,
	"EXDEV": syscall.EXDEV, "ENODEV": syscall.ENODEV,
	"ENOTDIR": syscall.ENOTDIR, "EISDIR": syscall.EISDIR, "EINVAL": syscall.EINVAL, "ENFILE": syscall.ENFILE,
	"EMFILE": syscall.EMFILE, "ENOTTY": syscall.ENOTTY,
	"EFBIG": syscall.EFBIG, "ENOSPC": syscall.ENOSPC, "ESPIPE": syscall.ESPIPE, "EROFS": syscall.EROFS,
	"EMLINK": syscall.EMLINK, "EPIPE": syscall.EPIPE,
	"EDOM": syscall.EDOM, "ERANGE": syscall.ERANGE, "EDEADLK": syscall.EDEADLK, "ENAMETOOLONG": syscall.ENAMETOOLONG,
	"ENOSYS":    syscall.ENOSYS,
	"ENOTEMPTY": syscall.ENOTEMPTY, "ELOOP": syscall.ELOOP, "ENOTSOCK": syscall.ENOTSOCK, "EADDRINUSE": syscall.EADDRINUSE,
	"EADDRNOTAVAIL": syscall.EADDRNOTAVAIL, "ENETUNREACH": syscall.ENETUNREACH, "ECONNABORTED": syscall.ECONNABORTED,
	"ECONNRESET": syscall.ECONNRESET,
	"EISCONN":    syscall.EISCONN, "ENOTCONN": syscall.ENOTCONN, "ETIMEDOUT": syscall.ETIMEDOUT,
	"ECONNREFUSED": syscall.ECONNREFUSED,
	"EHOSTUNREACH": syscall.EHOSTUNREACH, "EALREADY": syscall.EALREADY, "EINPROGRESS": syscall.EINPROGRESS,
}

func newErrno(*Interpreter) *Module {
	m := New("errno", "This module makes available standard errno system symbols.")
	codes := exposed.NewDict()
	for name, n := range errnos {
		m.Set(name, int64(n))
		_ = codes.Set(background, int64(n), name) // an int is hashable
	}
	return m.Const("EWOULDBLOCK", int64(syscall.EWOULDBLOCK), "errorcode", codes)
}

func newSignal(*Interpreter) *Module {
	m := New("signal", "Numbers of signals. This server has no handlers of clients.")
	for name, s := range map[string]syscall.Signal{
		"SIGHUP": syscall.SIGHUP, "SIGINT": syscall.SIGINT, "SIGQUIT": syscall.SIGQUIT, "SIGABRT": syscall.SIGABRT,
		"SIGKILL": syscall.SIGKILL,
		"SIGUSR1": syscall.SIGUSR1, "SIGUSR2": syscall.SIGUSR2, "SIGPIPE": syscall.SIGPIPE, "SIGALRM": syscall.SIGALRM,
		"SIGTERM": syscall.SIGTERM,
		"SIGCHLD": syscall.SIGCHLD, "SIGCONT": syscall.SIGCONT, "SIGSTOP": syscall.SIGSTOP, "SIGTSTP": syscall.SIGTSTP,
	} {
		m.Set(name, int64(s))
	}
	return m
}

func newGetpass(*Interpreter) *Module {
	m := New("getpass", "Utilities to get a password and/or the current user name.")
	m.Def("getuser", func() (string, error) {
		for _, name := range []string{"LOGNAME", "USER", "LNAME", "USERNAME"} {
			if s := os.Getenv(name); s != "" {
				return s, nil
			}
		}
		u, err := user.Current()
		if err != nil {
			return "", vinegar.KeyError.Errorf("getpwuid(): uid not found: %d", os.Getuid())
		}
		return u.Username, nil
	})
	return m
}
