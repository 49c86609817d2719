package exposed

// Dropper is implemented by objects that want to know when the other end has let go of them: PyDrop is called when an
// exported object's count falls to zero and when the connection ends, once per export, but not while the other end has
// a method that it has read from the object. It is what __del__ is to a Python server. It may be called while other
// goroutines use the object and must not block.
type Dropper interface{ PyDrop() }

// BoundTo returns the object that v is a method of, if v is one that was read from an object which wants to know when
// the other end has let go of it: who has such a method has the object.
func BoundTo(v any) (self Dropper, ok bool) {
	m, ok := v.(*boundMethod)
	if !ok {
		return nil, false
	}
	self, ok = m.self.(Dropper)
	return self, ok
}

// Named is implemented by objects whose references carry a name of their own in place of their class's: Python modules
// go by their name. The name decides what a Python peer takes the object's class to be.
type Named interface{ PyRefName() string }

// RefName returns the name that a reference to v, an object of the class c, carries.
func RefName(v any, c *Class) string {
	if n, ok := v.(Named); ok {
		return n.PyRefName()
	}
	return c.Name()
}
