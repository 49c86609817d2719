// Package exposed presents Go values to Python as objects: what their attributes are, how they answer to calls,
// operators, iteration, indexing and comparison. It is the counterpart of what CPython's own object model does for an
// RPyC server, together with the attribute policy of rpyc.core.protocol. It knows no connection: package protocol
// calls it to carry out a peer's requests, and sends what it returns.
//
// # What a Go value is to Python
//
//	Go                                          Python
//	--                                          ------
//	bool, numbers, string, named types of them  bool, int, float, complex, str, by value
//	time.Duration                               float, in seconds
//	big.Int, *big.Int                           int
//	[]byte, [N]byte, named ones                 bytes
//	[N]T, several results, brine.Tuple          tuple
//	nil of any kind but slice and map           None
//	[]T                                         list of fixed length; nil is an empty one
//	*[]T, a field of type []T, *List            list
//	map[K]V, *Dict                              dict; a Go map is ordered by key if keys have an order
//	map[K]struct{}, *Set                        set
//	func, *Function                             function
//	a method read from an object                method, a new object at every read, equal to the others
//	iter.Seq, iter.Seq2, <-chan T, *Generator   generator
//	error, *vinegar.Error                       the exception that package vinegar makes of it
//	*vinegar.Class, *Class                      class
//	struct, pointer, other types with methods   object of class "package.Type"
//	*netref.Object                              the object of another peer, asked in its place
//
// A struct value becomes a pointer to a copy when it is handed out; expose pointers to share an object. Slices, maps
// and funcs of a named type that has methods are objects of that type and inherit from list, dict or function.
//
// # Attributes
//
// Exported methods and fields are exposed attributes. A Go name is turned into Python's: AddUser is add_user, GetURL
// get_url, HTTPServer http_server, ID id. Its real name, the one dir() lists, has the prefix "exposed_"; it answers to
// exposed_add_user, add_user, AddUser and exposed_AddUser. If two Go names give one Python name, the alphabetically
// first has it and both keep their own spelling. Methods promoted from embedded structs count, except those of
// sync.Mutex and the like. String, GoString, Error, OnConnect and OnDisconnect are no attributes. A field's tag renames or restricts it:
//
//	Size int    `rpyc:"length"`     // another name
//	Seed int    `rpyc:"seed,readonly"`
//	Peer *Peer  `rpyc:"-"`          // no attribute
//
// A field of struct type is handed out as a pointer into its struct, and one of slice type as a list that grows in
// place, so that Python sees references as it does everywhere. Unexported methods and fields cannot be reached in any
// way. [Register] adds what reflection cannot find: names of parameters, documentation, static methods, properties,
// constants, constructors, base classes, and attributes that exist without being exposed. A struct that embeds [Attrs]
// has a dictionary of further attributes. Which names a peer may use is decided by a [Policy].
//
// # Calls
//
// A leading context.Context is that of the request. A trailing error raises an exception; no other result is None, one
// is itself, several are a tuple. A variadic parameter is *args, a variadic netref.Keyword **kwargs. Arguments are
// converted as netref.Assign does; one that does not fit is a TypeError. Go has no parameter names, so arguments are
// positional unless names are declared by [Func] or ClassOptions.Params, or the last parameter is a struct without
// methods: its fields are keyword arguments. Wrong calls raise the TypeErrors of CPython, word for word. The program
// cmd/rpyc_stubs reads names, defaults and documentation from the Go source and writes them down for [Describe].
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
//	PyBool PyInt PyFloat PyComplex PyIndex PyBytes PyStr PyRepr PyFormat                     conversion
//	PyNeg PyPos PyAbs PyInvert PyRound PyTrunc PyFloor PyCeil                                unary operators
//	PyAdd PySub PyMul PyTrueDiv PyFloorDiv PyMod PyDivMod PyPow PyMatMul                     binary operators,
//	PyLShift PyRShift PyAnd PyOr PyXor                                                       PyRAdd and PyIAdd likewise
//
// String is __str__ unless there is a PyStr, as is Error for errors. An object without PyEq equals only itself.
// [AttrGetter], [AttrSetter] and [AttrDeleter] let an object take care of its attributes itself; [Dropper] tells it
// when the peer has let go of it.
//
// # Concurrency
//
// Requests of several connections may reach one object at the same time; its methods have to be prepared for that.
// [List], [Dict], [Set], [Attrs] and [Generator] are safe for concurrent use. What peers do to plain slices, maps and
// fields is synchronised among the peers, so that nothing breaks, but not with Go code that uses them meanwhile.
//
// # Limits
//
// Nothing that a peer can build is followed deeper than 200 levels (RecursionError), rendered beyond 16 MiB or
// collected beyond 2**20 items (MemoryError).
package exposed
