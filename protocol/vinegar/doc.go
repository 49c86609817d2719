// Package vinegar carries exceptions between Go and Python: the counterpart of
// rpyc.core.vinegar. A Python exception is an [*Error] here, its class a [*Class];
// a Go error that leaves for a Python peer becomes the exception that a Python
// programmer expects in its place.
//
// # Raising and catching
//
// A handler raises an exception by returning it:
//
//	return 0, vinegar.ZeroDivisionError.New("division by zero")
//	return nil, vinegar.KeyError.New(key)
//	return vinegar.ValueError.Errorf("bad port %q: %w", s, err)
//	return vinegar.FileNotFoundError.New(2, "No such file or directory", path)
//
// and a caller recognises one by its class, subclasses included:
//
//	if errors.Is(err, vinegar.LookupError) { … }
//
//	var exc *vinegar.Error
//	if errors.As(err, &exc) { code, ok := exc.Attr("code"); … }
//
// Classes of one's own are made by [NewClass].
//
// # Go errors and Python exceptions
//
// [FromError] turns Go errors into exceptions, which is done to everything that a
// handler returns. In the other direction errors.Is finds the Go error in an
// exception from a peer. An arrow that points one way holds in that direction only.
//
//	Go                                          Python
//	--                                          ------
//	*Error, *Class                          ↔   itself
//	fs.ErrNotExist                          ↔   FileNotFoundError         (1)
//	fs.ErrExist                             ↔   FileExistsError           (1)
//	fs.ErrPermission                        ↔   PermissionError           (1)
//	syscall.Errno                           ↔   the subclass of OSError   (2)
//	*fs.PathError                           ↔   the same, with filename   (3)
//	*os.LinkError                           →   the same, with filename and filename2
//	*os.SyscallError                        →   as the error in it
//	context.DeadlineExceeded                ↔   TimeoutError              (4)
//	os.ErrDeadlineExceeded                  ↔   TimeoutError              (4)
//	Timeout() bool                          ↔   TimeoutError              (4)
//	context.Canceled                        ↔   concurrent.futures.CancelledError  (5)
//	io.EOF                                  ↔   EOFError
//	io.ErrUnexpectedEOF                     →   EOFError
//	io.ErrUnexpectedEOF                     ←   asyncio.IncompleteReadError
//	io.ErrClosedPipe                        ↔   BrokenPipeError
//	net.ErrClosed                           →   OSError, errno 9
//	fs.ErrClosed, fs.ErrInvalid             →   ValueError
//	any other net.Error                     →   OSError
//	errors.ErrUnsupported                   ↔   NotImplementedError
//	errors.ErrUnsupported                   ←   io.UnsupportedOperation
//	strconv.ErrSyntax                       →   ValueError
//	strconv.ErrRange                        →   OverflowError
//	syntax errors of encoding/json, encoding/hex,
//	    encoding/base64, time, net          →   ValueError
//	*json.UnmarshalTypeError,
//	    *json.UnsupportedValueError         →   ValueError
//	*json.UnsupportedTypeError,
//	    *json.InvalidUnmarshalError         →   TypeError
//	*brine.UnsupportedTypeError             →   TypeError
//	*brine.LimitError                       →   OverflowError
//	*brine.DecodeError                      →   ValueError
//	brine.ErrInvalidUTF8                    →   UnicodeError
//	runtime errors                          →   see below
//	anything else                           →   RuntimeError
//
//	(1) With errno 2, 17 and 13. An OSError matches by its errno too, for every
//	    sentinel that syscall.Errno knows.
//	(2) args (errno, strerror) in the C library's words, class by errno as
//	    CPython chooses it. errors.Is finds the errno by number or, where a class
//	    stands for one errno only, by class. errors.As gives the number.
//	(3) errors.As gives an *fs.PathError whose Op is "remote".
//	(4) Also socket.timeout and the TimeoutError of asyncio, concurrent.futures
//	    and multiprocessing, which were classes of their own before Python 3.11,
//	    and subprocess.TimeoutExpired.
//	(5) "except Exception" catches it. Coming from a peer, asyncio.CancelledError
//	    matches too.
//
// Errors of the Go runtime, which reach [FromPanic] when a handler panics:
//
//	Go                                          Python
//	--                                          ------
//	index or slice bounds out of range      →   IndexError
//	division by zero, of math/big too        →   ZeroDivisionError
//	*runtime.TypeAssertionError             →   TypeError
//	unhashable or uncomparable value        →   TypeError
//	negative shift amount                   →   ValueError
//	length out of range in make or append   →   MemoryError
//	*reflect.ValueError                     →   TypeError
//	anything else, nil dereferences too     →   RuntimeError
//
// A nil dereference is no AttributeError although Python would say so, because
// callers take an AttributeError for a missing attribute and carry on.
//
// What a Go error wraps shows up in the traceback text as Python's "direct cause",
// joined errors one after the other. If it wraps an exception or an error of the
// operating system, that is what the peer catches, and the text around it
// becomes a note below the message.
//
// # Class identity
//
// A class is its module and name; nothing else crosses the wire. A received name
// that is registered here has the bases registered here, any other derives from
// [GenericException] alone, so errors.Is(err, vinegar.Exception) holds and nothing
// closer does. Registered are the builtin exceptions of CPython 3.8 to 3.13, some
// of the standard library and what [NewClass] adds.
//
// RPyC renames a class that it cannot instantiate and sends it on as
// "rpyc.core.vinegar/MODULE.MODULE.CLASS"; the original name is restored here,
// however often that has happened. Python 2's module "exceptions" counts as builtins.
//
// # Hostile input
//
// No payload makes [DecodePayload] panic or allocate more than a fixed multiple
// of its size. Class names from a peer are neither looked up beyond the registry nor
// kept. A received exception can have any class, so a program that passes
// received errors on should not draw conclusions from SystemExit or the like.
package vinegar
