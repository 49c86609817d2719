package vinegar

import (
	"runtime"
	"syscall"
	"unicode"
	"unicode/utf8"
)

// errnoClasses is CPython's choice of a class for an error number.
var errnoClasses = func() map[syscall.Errno]*Class {
	m := map[syscall.Errno]*Class{
		syscall.EAGAIN:       BlockingIOError,
		syscall.EALREADY:     BlockingIOError,
		syscall.EINPROGRESS:  BlockingIOError,
		syscall.EPIPE:        BrokenPipeError,
		syscall.ESHUTDOWN:    BrokenPipeError,
		syscall.ECHILD:       ChildProcessError,
		syscall.ECONNABORTED: ConnectionAbortedError,
		syscall.ECONNREFUSED: ConnectionRefusedError,
		syscall.ECONNRESET:   ConnectionResetError,
		syscall.EEXIST:       FileExistsError,
		syscall.ENOENT:       FileNotFoundError,
		syscall.EISDIR:       IsADirectoryError,
		syscall.ENOTDIR:      NotADirectoryError,
		syscall.EINTR:        InterruptedError,
		syscall.EACCES:       PermissionError,
		syscall.EPERM:        PermissionError,
		syscall.ESRCH:        ProcessLookupError,
		syscall.ETIMEDOUT:    TimeoutError,
	}
	m[syscall.EWOULDBLOCK] = BlockingIOError // often the same number as EAGAIN
	if runtime.GOOS == "windows" {
		// What Windows itself returns; the constants above are Go's inventions there.
		for num, c := range map[syscall.Errno]*Class{
			2: FileNotFoundError, 3: FileNotFoundError, 5: PermissionError,
			80: FileExistsError, 183: FileExistsError, 109: BrokenPipeError,
			10035: BlockingIOError, 10036: BlockingIOError, 10037: BlockingIOError,
			10053: ConnectionAbortedError, 10054: ConnectionResetError,
			10058: BrokenPipeError, 10060: TimeoutError, 10061: ConnectionRefusedError,
		} {
			m[num] = c
		}
	}
	return m
}()

// classOfErrno returns the class CPython raises for an error number of this
// system, nil if it is OSError.
func classOfErrno(num int64) *Class {
	if num <= 0 || num > 1<<31-1 {
		return nil
	}
	return errnoClasses[syscall.Errno(num)]
}

// soleErrno reports whether the class stands for one error number only, so that it
// says as much as the number.
func soleErrno(c *Class) bool {
	switch c {
	case BlockingIOError, BrokenPipeError, PermissionError:
		return false
	}
	return true
}

// strerror returns the system's text for an error number in the form of the C
// library, which Python shows: Go has the same texts beginning in lower case.
func strerror(num syscall.Errno) string {
	s := num.Error()
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[size:]
}
