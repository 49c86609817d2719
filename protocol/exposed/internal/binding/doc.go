// Package binding calls Go funcs with the arguments of Python calls: it is how a request's arguments reach the
// parameters of an exposed method, and how wrong arguments get the TypeError that CPython would raise, word for word.
//
// The way of a call:
//
//	Args     what came: positional and keyword arguments, decoded or still in brine's encoding
//	Plan     how one Go func is called, worked out once from its type and its declared parameters ([New])
//	bind     arguments are matched with parameters in CPython's order and converted, plain values by package pyvalue
//	         and others by netref, into the Go parameters' variables, which are kept for the plan's next call
//	Call     by a thunk, a call compiled for methods of the plainest forms, or else by reflection
//	result   none is None, one is itself, several are a tuple; a trailing error is raised with the func's place in
//	         the Go source ([Plan.Place])
//
// Package exposed is above this one. What only it knows, such as the name of a value's class, is asked through [Model].
package binding
