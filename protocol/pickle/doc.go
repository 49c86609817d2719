// Package pickle reads and writes Python's pickles as data: nothing that a pickle names is looked up, and nothing is
// executed. RPyC moves copies of objects between peers in this form (rpyc.classic.obtain and deliver, HANDLE_PICKLE).
//
// # Values
//
// An arrow that points one way marks what is read or written in this form only.
//
//	Python                           Go
//	------                           --
//	None                         ↔   nil
//	bool                         ↔   bool
//	int                          ↔   int64, *big.Int if larger; written from every integer type
//	float, complex               ↔   float64, complex128
//	str                          ↔   string                                                     (1)
//	str of Python 2              →   string if ASCII, otherwise []byte
//	bytes                        ↔   []byte; written from arrays of bytes, too
//	bytearray                    ↔   ByteArray
//	tuple                        ↔   brine.Tuple; written from arrays
//	list                         ↔   []any; written from every slice
//	dict                         ↔   *Dict; written from every map, in the order of the keys if they have one
//	set                          ↔   Set; written from map[T]struct{}
//	frozenset                    ↔   brine.FrozenSet
//	slice, range                 ↔   brine.Slice, Range
//	Ellipsis, NotImplemented     ↔   brine.Ellipsis, brine.NotImplemented
//	datetime                     ↔   time.Time                                                  (2)
//	date, time                   ↔   Date, Clock
//	timedelta                    ↔   time.Duration                                              (3)
//	timezone                     ↔   *time.Location
//	zoneinfo.ZoneInfo            →   *time.Location
//	Decimal, Fraction, UUID      ↔   Decimal, *big.Rat, UUID
//	OrderedDict, defaultdict,
//	Counter                      ↔   *Dict with its Class
//	deque                        →   []any
//	numpy.ndarray, MaskedArray   ↔   *Array; written as a copy that owns its memory
//	recarray, matrix, memmap,
//	array.array of numbers       →   *Array
//	numpy scalars                →   bool, int64, float64, complex128, string, time.Time …
//	numpy.void with fields       ↔   *Record
//	numpy.dtype                  ↔   DType; *Layout if it has fields or is an array
//	pandas.Timestamp, Timedelta  →   time.Time, time.Duration
//	a class or function          ↔   Class
//	any other object             ↔   *Object: class, arguments and state
//	types.SimpleNamespace        ←   struct, pointer to struct: its exported fields             (4)
//	                             ←   a value with a method GoValue() any: what that returns
//	                             ←   Raw: what is in another pickle
//
//	(1) Surrogates, which Python's text may have where file names are not UTF-8, are three bytes each, as Python's
//	    surrogatepass writes them.
//	(2) A datetime without a zone is in [Naive], and a time in Naive becomes one without a zone. One with a zone has its
//	    offset; the zone's name is not written. Nanoseconds are cut to microseconds. Python 2 has no zones: at protocol 2
//	    times are written in UTC and without a zone.
//	(3) Microseconds. A timedelta of more than 292 years is read as an *Object.
//	(4) Under their Python names: the `rpyc` tag, or AddUser as add_user. At protocol 2 it is an argparse.Namespace,
//	    because Python 2 has no SimpleNamespace.
//
// What is shared in a pickle is shared in Go, and the other way round: slices with the same items, the same *Dict. A
// list may contain itself.
//
// netref.As and netref.Assign convert what was read to other Go types: a *Dict to a map or a struct, a list to a slice,
// an *Array to []float64 or [][]float64, one with fields to a slice of structs or maps, a Date to a time.Time, a
// Decimal to a float, an *Object to a struct with its attributes, or to what its class is derived from.
//
// # Protocols
//
// All protocols are read, from 0, which is text, to 5. Written are 2, which Python 2 reads, 3, 4 and 5. Persistent ids,
// extension codes and buffers outside the pickle are refused; nobody uses them without agreeing on more than a pickle.
//
// # Hostile input
//
// No pickle makes this package panic or hang, or allocate more than [Limits] and a fixed multiple of its length allow.
// The unpickling machine is github.com/nlpodyssey/gopickle. Before it sees a pickle, a pass over the opcodes checks
// lengths, stack, marks and memo and writes the pickle anew in a form without what gopickle gets wrong or dies of.
// Afterwards a walk makes values of what it leaves, every node once, however often a memo repeats it.
//
// That nothing is executed here does not make an object harmless: one that was read from a peer and is written to
// another one is carried out there, if that peer unpickles without such care, as CPython does.
package pickle
