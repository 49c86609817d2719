package exposed

// Dropper is implemented by objects that want to know when the other end has let go of them: PyDrop is called when an
// exported object's count falls to zero and when the connection ends, once per export. It is what __del__ is to a
// Python server. It may be called while other goroutines use the object and must not block.
type Dropper interface{ PyDrop() }

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
