package vinegar

// builtin declares a class of Python's module builtins.
func builtin(name string, bases ...*Class) *Class { return register("builtins", name, bases) }

// The builtin exception classes of CPython 3.8 to 3.13 with CPython's
// hierarchy. The groups exist from 3.11, EncodingWarning from 3.10 and
// PythonFinalizationError from 3.13 on; older peers see them as generic.
var (
	BaseException      = builtin("BaseException")
	BaseExceptionGroup = builtin("BaseExceptionGroup", BaseException)
	GeneratorExit      = builtin("GeneratorExit", BaseException)
	KeyboardInterrupt  = builtin("KeyboardInterrupt", BaseException)
	SystemExit         = builtin("SystemExit", BaseException)

	Exception          = builtin("Exception", BaseException)
	ExceptionGroup     = builtin("ExceptionGroup", BaseExceptionGroup, Exception)
	AssertionError     = builtin("AssertionError", Exception)
	AttributeError     = builtin("AttributeError", Exception)
	BufferError        = builtin("BufferError", Exception)
	EOFError           = builtin("EOFError", Exception)
	MemoryError        = builtin("MemoryError", Exception)
	ReferenceError     = builtin("ReferenceError", Exception)
	StopAsyncIteration = builtin("StopAsyncIteration", Exception)
	StopIteration      = builtin("StopIteration", Exception)
	SystemError        = builtin("SystemError", Exception)
	TypeError          = builtin("TypeError", Exception)

	ArithmeticError    = builtin("ArithmeticError", Exception)
	FloatingPointError = builtin("FloatingPointError", ArithmeticError)
	OverflowError      = builtin("OverflowError", ArithmeticError)
	ZeroDivisionError  = builtin("ZeroDivisionError", ArithmeticError)

	ImportError         = builtin("ImportError", Exception)
	ModuleNotFoundError = builtin("ModuleNotFoundError", ImportError)

	LookupError = builtin("LookupError", Exception)
	IndexError  = builtin("IndexError", LookupError)
	KeyError    = builtin("KeyError", LookupError)

	NameError         = builtin("NameError", Exception)
	UnboundLocalError = builtin("UnboundLocalError", NameError)

	RuntimeError            = builtin("RuntimeError", Exception)
	NotImplementedError     = builtin("NotImplementedError", RuntimeError)
	PythonFinalizationError = builtin("PythonFinalizationError", RuntimeError)
	RecursionError          = builtin("RecursionError", RuntimeError)

	SyntaxError      = builtin("SyntaxError", Exception)
	IndentationError = builtin("IndentationError", SyntaxError)
	TabError         = builtin("TabError", IndentationError)
	_                = builtin("_IncompleteInputError", SyntaxError) // 3.13, of the interactive console

	ValueError            = builtin("ValueError", Exception)
	UnicodeError          = builtin("UnicodeError", ValueError)
	UnicodeDecodeError    = builtin("UnicodeDecodeError", UnicodeError)
	UnicodeEncodeError    = builtin("UnicodeEncodeError", UnicodeError)
	UnicodeTranslateError = builtin("UnicodeTranslateError", UnicodeError)
)

// [OSError] and the classes that CPython derives from it by errno. IOError and
// EnvironmentError are older names of OSError itself.
var (
	OSError          = builtin("OSError", Exception)
	IOError          = alias("IOError", OSError)
	EnvironmentError = alias("EnvironmentError", OSError)

	BlockingIOError        = builtin("BlockingIOError", OSError)
	ChildProcessError      = builtin("ChildProcessError", OSError)
	ConnectionError        = builtin("ConnectionError", OSError)
	BrokenPipeError        = builtin("BrokenPipeError", ConnectionError)
	ConnectionAbortedError = builtin("ConnectionAbortedError", ConnectionError)
	ConnectionRefusedError = builtin("ConnectionRefusedError", ConnectionError)
	ConnectionResetError   = builtin("ConnectionResetError", ConnectionError)
	FileExistsError        = builtin("FileExistsError", OSError)
	FileNotFoundError      = builtin("FileNotFoundError", OSError)
	InterruptedError       = builtin("InterruptedError", OSError)
	IsADirectoryError      = builtin("IsADirectoryError", OSError)
	NotADirectoryError     = builtin("NotADirectoryError", OSError)
	PermissionError        = builtin("PermissionError", OSError)
	ProcessLookupError     = builtin("ProcessLookupError", OSError)
	TimeoutError           = builtin("TimeoutError", OSError)
)

// The builtin warning categories, which Python can raise like any exception.
var (
	Warning                   = builtin("Warning", Exception)
	BytesWarning              = builtin("BytesWarning", Warning)
	DeprecationWarning        = builtin("DeprecationWarning", Warning)
	EncodingWarning           = builtin("EncodingWarning", Warning)
	FutureWarning             = builtin("FutureWarning", Warning)
	ImportWarning             = builtin("ImportWarning", Warning)
	PendingDeprecationWarning = builtin("PendingDeprecationWarning", Warning)
	ResourceWarning           = builtin("ResourceWarning", Warning)
	RuntimeWarning            = builtin("RuntimeWarning", Warning)
	SyntaxWarning             = builtin("SyntaxWarning", Warning)
	UnicodeWarning            = builtin("UnicodeWarning", Warning)
	UserWarning               = builtin("UserWarning", Warning)
)

// Classes of RPyC itself.
var (
	// GenericException is the base of every received class that is not registered
	// here, as it is in RPyC (rpyc.core.vinegar.GenericException).
	GenericException = register("rpyc.core.vinegar", "GenericException", []*Class{Exception})

	// AsyncResultTimeout is what rpyc.AsyncResultTimeout names on Python 3: the
	// builtin TimeoutError, raised when a reply does not arrive in time.
	AsyncResultTimeout = TimeoutError

	// PingError is raised by Connection.ping on a wrong answer.
	PingError = register("rpyc.core.protocol", "PingError", []*Class{Exception})
	// AuthenticationError is raised by an authenticator that refuses a client.
	AuthenticationError = register("rpyc.utils.authenticators", "AuthenticationError", []*Class{Exception})
	// DiscoveryError is raised when a registry knows no server for a service.
	DiscoveryError = register("rpyc.utils.factory", "DiscoveryError", []*Class{Exception})
	// ForbiddenError is raised when a registry refuses to list its services.
	ForbiddenError = register("rpyc.utils.factory", "ForbiddenError", []*Class{Exception})
)

// Classes of Python's standard library that Go code may want to raise. Peers with
// RPyC's default configuration show them as generic exceptions, because only
// builtin classes are instantiated there.
var (
	// JSONDecodeError is json.JSONDecodeError; New takes msg, doc and pos as in
	// Python.
	JSONDecodeError = register("json.decoder", "JSONDecodeError", []*Class{ValueError})
	// CancelledError is concurrent.futures.CancelledError, which stands for
	// context.Canceled. The one of asyncio is another class and no subclass of
	// Exception; a received one of either kind matches context.Canceled.
	CancelledError = register("concurrent.futures._base", "CancelledError", []*Class{futuresError})
	// UnsupportedOperation is io.UnsupportedOperation.
	UnsupportedOperation = register("io", "UnsupportedOperation", []*Class{OSError, ValueError})
)

// Further classes of the standard library are known so that a received one is
// what it is in Python: a socket.gaierror an OSError, a binascii.Error a
// ValueError. Classes that derive from Exception alone gain nothing by being listed.
var (
	futuresError      = register("concurrent.futures._base", "Error", []*Class{Exception})
	asyncioCancelled  = register("asyncio.exceptions", "CancelledError", []*Class{BaseException})
	incompleteRead    = register("asyncio.exceptions", "IncompleteReadError", []*Class{EOFError})
	subprocessError   = register("subprocess", "SubprocessError", []*Class{Exception})
	decimalException  = register("decimal", "DecimalException", []*Class{ArithmeticError})
	decimalInvalid    = register("decimal", "InvalidOperation", []*Class{decimalException})
	sslError          = register("ssl", "SSLError", []*Class{OSError})
	shutilError       = register("shutil", "Error", []*Class{OSError})
	urlError          = register("urllib.error", "URLError", []*Class{OSError})
	brokenExecutor    = register("concurrent.futures._base", "BrokenExecutor", []*Class{RuntimeError})
	multiprocessError = register("multiprocessing.context", "ProcessError", []*Class{Exception})

	// timeouts are the classes, unrelated in Python, that say time was up. Some
	// became aliases of the builtin one in Python 3.10 and 3.11.
	timeouts = []*Class{
		TimeoutError,
		register("socket", "timeout", []*Class{OSError}),
		register("asyncio.exceptions", "TimeoutError", []*Class{Exception}),
		register("concurrent.futures._base", "TimeoutError", []*Class{futuresError}),
		register("subprocess", "TimeoutExpired", []*Class{subprocessError}),
		register("multiprocessing.context", "TimeoutError", []*Class{multiprocessError}),
	}

	_ = []*Class{
		register("binascii", "Error", []*Class{ValueError}),
		register("concurrent.futures.process", "BrokenProcessPool", []*Class{brokenExecutor}),
		register("concurrent.futures.thread", "BrokenThreadPool", []*Class{brokenExecutor}),
		register("decimal", "DivisionByZero", []*Class{decimalException, ZeroDivisionError}),
		register("decimal", "DivisionUndefined", []*Class{decimalInvalid, ZeroDivisionError}),
		register("decimal", "FloatOperation", []*Class{decimalException, TypeError}),
		register("ipaddress", "AddressValueError", []*Class{ValueError}),
		register("ipaddress", "NetmaskValueError", []*Class{ValueError}),
		register("shutil", "SameFileError", []*Class{shutilError}),
		register("shutil", "SpecialFileError", []*Class{OSError}),
		register("socket", "gaierror", []*Class{OSError}),
		register("socket", "herror", []*Class{OSError}),
		register("ssl", "SSLCertVerificationError", []*Class{sslError, ValueError}),
		register("statistics", "StatisticsError", []*Class{ValueError}),
		register("subprocess", "CalledProcessError", []*Class{subprocessError}),
		register("threading", "BrokenBarrierError", []*Class{RuntimeError}),
		register("urllib.error", "HTTPError", []*Class{urlError}),
		register("xml.etree.ElementTree", "ParseError", []*Class{SyntaxError}),
	}
)

// alias registers a second name that Python has for a builtin class.
func alias(name string, c *Class) *Class {
	registry.Lock()
	defer registry.Unlock()
	registry.classes[className{"builtins", name}] = c
	return c
}

// What classes do beyond storing their arguments is added last, because the
// functions in turn refer to classes.
func init() {
	SystemExit.setup = setupSystemExit
	StopIteration.setup = setupStopIteration
	ImportError.setup, ImportError.text = setupImportError, importErrorText
	SyntaxError.setup, SyntaxError.text = setupSyntaxError, syntaxErrorText
	OSError.setup, OSError.text = setupOSError, osErrorText
	UnicodeDecodeError.setup, UnicodeDecodeError.text = setupUnicodeCodec, unicodeDecodeText
	UnicodeEncodeError.setup, UnicodeEncodeError.text = setupUnicodeCodec, unicodeEncodeText
	UnicodeTranslateError.setup, UnicodeTranslateError.text = setupUnicodeTranslate, unicodeTranslateText
	JSONDecodeError.setup = setupJSONDecodeError
	KeyError.text = keyErrorText
	BaseExceptionGroup.text = groupText
}
