package exposed

// Is is Python's "is": it reports whether a and b are the same object of ours, handles on the same object of a peer, or equal
// values of a type that travels by value.
func Is(a, b any) bool { return same(a, b) }
