// Package exposed presents Go values to Python as objects: what their attributes are, how they answer to calls,
// operators, iteration, indexing and comparison. It is the counterpart of what CPython's own object model does for an
// RPyC server, together with the attribute policy of rpyc.core.protocol. It knows no connection: package protocol
// calls it to carry out a peer's requests, and sends what it returns.
//
// # What a service author needs
//
//	a service                      any Go value: its exported methods and fields are what Python can use
//	names, defaults, docstrings    [Func], ClassOptions.Params and Docs in [Register], or cmd/rpyc_stubs and [Describe]
//	a class that Python can call   [Register] with ClassOptions.New, and the *[Class] it returns as ClassOptions.Static
//	                               of the service, as a field or as a result
//	an exception                   return an error: package vinegar has Python's classes, vinegar.NewClass makes one
//	operators, len, iteration      methods named Py…: see below
//	properties                     ClassOptions.Properties: computed, with a setter that may fail
//	attributes set from Python     embed [Attrs], and a [Policy] with AllowSet
//	a list or dict that both use   [List], [Dict], [Set]
//	a generator                    return an iter.Seq, an iter.Seq2[T, error], a channel, or [NewGenerator]'s
//	a file                         return what implements io.Reader or io.Writer
//	part of an object              [Restricted]
//	to know who calls              the context: protocol.FromContext
//	what Python passes in          parameters of Go types, any, or *netref.Object; see netref.Assign
//	Python's operators on any      [Operate], [Call], [GetItem], [Iterate], [Str], [Equal], [IsInstance] and so on
//	the end of a connection        a method OnDisconnect; of an object, [Dropper]
//
// # What a Go value is to Python
//
//	Go                                          Python
//	--                                          ------
//	bool, numbers, string, named types of them  bool, int, float, complex, str, by value; see Enumerations
//	time.Duration                               float, in seconds, by value
//	big.Int, *big.Int                           int
//	[]byte, [N]byte, named ones                 bytes
//	[N]T, several results, brine.Tuple          tuple
//	nil of any kind but slice and map           None
//	pointer to any of these                     what it points to
//	interface                                   what it holds
//	[]T                                         list of fixed length; nil is an empty one
//	*[]T, a field of type []T, *List            list
//	map[K]V, *Dict                              dict; a missing key is a KeyError, as in Python. A Dict keeps the order
//	                                            of insertion; a Go map is ordered by key if keys have an order, or at
//	                                            random
//	map[K]struct{}, *Set                        set
//	func, *Function                             function; the same func is the same object
//	a method read from an object                method: a new object at every read, equal to and hashed as the others
//	iter.Seq, <-chan T, *Generator              generator; closed when Python drops it: the producer's deferred calls run
//	iter.Seq2[T, error]                         generator whose error is raised; other iter.Seq2 give tuples of two
//	struct, pointer to one                      object of class "package.Type"; see Attributes
//	struct that embeds others                   the same, with their methods and fields; a subclass if
//	                                            ClassOptions.Bases says so
//	generic type                                the same; all instances of Pair[T] are of a class called Pair, each of
//	                                            its own
//	slice, map, func, chan type with methods    object of that type that is a list, dict, function or generator as well
//	io.Reader, io.Writer, io.Closer, io.Seeker  binary file; see Files
//	time.Time                                   datetime with a zone; see Times
//	fmt.Stringer                                str(x)
//	error, *vinegar.Error                       the exception that package vinegar makes of it
//	*vinegar.Class, *Class                      class
//	*netref.Object                              the object of another peer, asked in its place
//
// A struct value becomes a pointer to a copy when it is handed out; expose pointers to share an object.
//
// # Enumerations
//
// A value of a named type such as time.Month travels as the number or text it is and has no methods at the peer. Where
// Python is to see names, publish them: constants in ClassOptions.Static of the service or of a class made for them;
// ClassOptions.Members makes it one that can be iterated over. A named type that was registered travels by reference,
// with its methods; PyInt, PyIndex, PyEq, PyHash and String then make it a number that knows its name.
//
// # Files
//
// What implements io.Reader has read, read1, readline, readlines and iteration over lines; io.Writer write, writelines
// and flush; io.Seeker seek and tell; readable, writable and seekable tell which. io.Closer makes it a context manager
// that closes. Data is bytes; a text of Python's is a TypeError. read waits for as many bytes as asked for, read1 takes
// what one Read gives. readline takes nothing that is behind the line, which costs one Read for each byte unless the
// type has ReadBytes, as bufio.Reader has, or can seek. One read brings at most 256 MiB. Methods of the type's own with
// one of these names win; Read and Seek themselves have Python's form. A read that blocks holds the connection's turn:
// see package protocol.
//
// # Times
//
// A time.Time has datetime's attributes year, month, day, hour, minute, second, microsecond, fold and tzinfo, and
// nanosecond; the methods isoformat, strftime (the directives that need no locale), timestamp, weekday, isoweekday,
// isocalendar, toordinal, ctime, utcoffset, tzname, dst, date, time, replace, astimezone, timetuple and utctimetuple,
// which return objects like those of Python's module datetime; str, repr, format, hash, comparison with times and
// datetimes, and addition and subtraction of seconds or a timedelta. The difference of two is in seconds, as all
// durations. isinstance(t, datetime.datetime) is true, because RPyC's proxies go by the class's name, but C code of
// CPython's wants the real one: datetime.datetime.fromisoformat(t.isoformat()). Attributes are exposed, unlike those of
// a datetime that a CPython server hands out. A time in the location pickle.Naive is a datetime without a zone.
//
// [NewDate] and [NewTimedelta] make what is a datetime.date or a datetime.timedelta to peers, with attributes and
// operators.
//
// # Attributes
//
// Exported methods and fields are exposed attributes. A Go name is turned into Python's: AddUser is add_user, GetURL
// get_url, HTTPServer http_server, ID id. Its real name, the one dir() lists, has the prefix "exposed_"; it answers to
// add_user, AddUser and addUser, with the prefix and without. If two Go names give one Python name, the alphabetically
// first has it and both keep their own spelling; addUser is left out where it could mean two. ClassOptions.Names gives
// a method another name. Methods promoted from embedded structs count, except those of sync.Mutex and the like. String,
// GoString, Error, OnConnect and OnDisconnect are no attributes. A field's tag renames or restricts it:
//
//	Size int    `rpyc:"length"`        // another name
//	Seed int    `rpyc:"seed,readonly"` // no assignment; containers are shown as by ReadOnly
//	Peer *Peer  `rpyc:"-"`             // no attribute
//
// A field of struct type is handed out as a pointer into its struct, and one of slice type as a list that grows in
// place, so that Python sees references as it does everywhere. Unexported methods and fields cannot be reached in any
// way. [Register] adds what reflection cannot find: names of parameters, documentation, static methods, properties,
// constants, constructors, base classes, and attributes that exist without being exposed. A struct that embeds [Attrs]
// has a dictionary of further attributes. Which names a peer may use is decided by a [Policy].
//
// # Classes
//
// [Register] describes a type once, when the program starts, and returns its class. To publish it, so that Python can
// call root.Point(1, 2), read constants and static methods from it and ask isinstance(p, root.Point), hand the class
// out:
//
//	var pointClass = exposed.Register[Point](exposed.ClassOptions{
//		Doc: "A point.", New: exposed.Func(NewPoint, "x", "y=0"),
//	})
//
//	var _ = exposed.Register[Service](exposed.ClassOptions{Static: map[string]any{"Point": pointClass}})
//
// isinstance with a base class is false in Python for an instance of a subclass: RPyC answers so, see [InstanceCheck].
// Mistakes are told at once, by a panic: parameters that do not fit, names in the options that the type does not have,
// a method such as PyGetIttem, or a PyLen that returns a text.
//
// # Calls
//
// A leading context.Context is that of the request. A trailing error raises an exception; no other result is None, one
// is itself, several are a tuple. A variadic parameter is *args, a variadic netref.Keyword **kwargs. Arguments are
// converted as netref.Assign does; one that does not fit is a TypeError. None is nil for a pointer, func, interface,
// slice or map, and does not fit anything else; a func must be ready for it. Go has no parameter names, so arguments
// are positional unless names are declared by [Func] or ClassOptions.Params, or the last parameter is an options
// struct: one without methods all of whose fields are exported, which are keyword arguments with defaults from
// `default:"…"` tags. A struct with methods or an unexported field is a parameter like others, filled from a mapping or
// the attributes of an object. Wrong calls raise the TypeErrors of CPython, word for word. The program cmd/rpyc_stubs
// reads names, defaults and documentation from the Go source and writes them down for [Describe].
//
// A panic becomes an exception of the call. An exception from a method gets a traceback line with the method's Python
// name and its place in the Go source.
//
// # Special methods
//
// A method named Py and the name of a Python special method defines it, with any suitable signature; operands that do
// not fit are answered with NotImplemented. [Lener] and its neighbours show the usual forms.
//
//	PyLen PyGetItem PySetItem PyDelItem PyContains PyIter PyNext PyReversed PyLengthHint     containers
//	PyCall PyEnter PyExit                                                                    calls, with
//	PyEq PyNe PyLt PyLe PyGt PyGe PyHash                                                     comparison
//	PyBool PyInt PyFloat PyComplex PyIndex PyBytes PyStr PyRepr PyFormat PyDir PyArray        conversion
//	PyNeg PyPos PyAbs PyInvert PyRound PyTrunc PyFloor PyCeil                                unary operators
//	PyAdd PySub PyMul PyTrueDiv PyFloorDiv PyMod PyDivMod PyPow PyMatMul                     binary operators,
//	PyLShift PyRShift PyAnd PyOr PyXor                                                       PyRAdd and PyIAdd likewise
//
// String is __str__ unless there is a PyStr, as is Error for errors. An object without PyEq equals only itself. PyArray
// returns a *pickle.Array or a slice of numbers: numpy takes the object for an array, where pickling is allowed on both
// sides. [AttrGetter], [AttrSetter] and [AttrDeleter] let an object take care of its attributes itself; [Dropper] tells
// it when the peer has let go of it.
//
// # Concurrency
//
// Requests of several connections may reach one object at the same time; its methods have to be prepared for that.
// [List], [Dict], [Set], [Attrs] and [Generator] are safe for concurrent use. What peers do to plain slices, maps and
// fields is synchronised among the peers, so that nothing breaks, but not with Go code that uses them meanwhile.
//
// # Lifetime
//
// An object that was handed out lives until the peer has dropped it, or the connection ends; [Dropper] tells. What a
// handler gets as *netref.Object, or in an any, is given back to the peer soon after the handler has returned if it was
// not kept: the garbage collector is asked to look. To be precise about it, netref.Object.Release gives back at once,
// and netref.Object.Keep holds on until then. Funcs and iterators made of Python objects keep them as long as they are
// reachable themselves.
//
// # Limits
//
// Nothing that a peer can build is followed deeper than 200 levels (RecursionError), rendered beyond 16 MiB or
// collected beyond 2**20 items (MemoryError).
package exposed
