package exposed

import "context"

// The interfaces below name the Python syntax that a method of a Go type opens. They are documentation and let a type
// assert its intentions at compile time:
//
//	var _ exposed.Lener = (*Shelf)(nil)
//
// None of them is needed. A method with one of the names in the package's table counts whatever its parameters and
// results are, with the conversions of every exposed method, an optional leading context.Context and an optional
// trailing error. Operands of binary operators that do not fit the parameter's type are answered with NotImplemented,
// so that Python asks the other operand.
type (
	// Lener opens len(x), and bool(x) if there is no PyBool.
	Lener interface{ PyLen() int }
	// Getter opens x[key].
	Getter interface{ PyGetItem(key any) (any, error) }
	// Setter opens x[key] = value.
	Setter interface{ PySetItem(key, value any) error }
	// Deleter opens del x[key].
	Deleter interface{ PyDelItem(key any) error }
	// Container opens item in x.
	Container interface{ PyContains(item any) (bool, error) }
	// Iterable opens for … in x. The result is an iterator, or anything that can be iterated: a slice, an iter.Seq.
	Iterable interface{ PyIter() any }
	// Iterator opens next(x). The end is told by vinegar.StopIteration as the error; PyNext() (T, bool) does as well.
	Iterator interface{ PyNext() (any, error) }
	// Caller opens x(…).
	Caller interface {
		PyCall(args ...any) (any, error)
	}
	// ContextManager opens with x as v. PyExit is given the exception that the block ended with, nil if none, and
	// returns whether to suppress it. It may also take no argument, or Python's three.
	ContextManager interface {
		PyEnter(ctx context.Context) (any, error)
		PyExit(ctx context.Context, exc error) (suppress bool, err error)
	}
	// Equaler opens x == y and x != y. A type without PyHash is unhashable then, as in Python.
	Equaler interface{ PyEq(other any) (any, error) }
	// Hasher opens hash(x) and the use as a key.
	Hasher interface{ PyHash() int64 }
	// Lesser opens x < y and sorting.
	Lesser interface{ PyLt(other any) (any, error) }
	// Booler opens bool(x) and if x.
	Booler interface{ PyBool() bool }
	// Indexer lets x be used as an index.
	Indexer interface{ PyIndex() int64 }
	// Formatter opens format(x, spec) and f"{x:spec}".
	Formatter interface {
		PyFormat(spec string) (string, error)
	}
	// Reprer opens repr(x), and str(x) if there is neither PyStr nor String.
	Reprer interface{ PyRepr() string }
	// Strer opens str(x); the String method of fmt.Stringer does as well.
	Strer interface{ PyStr() string }
)
