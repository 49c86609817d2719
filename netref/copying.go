package netref

import (
	"reflect"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// Containers are converted by way of pickles where the peer allows them and that takes fewer requests: a pickle has
// everything that is in a container. What a pickle does not say for sure is asked for as if there were none.

const (
	// sampleItems is how many items a list is asked for to see whether it is worth being copied.
	sampleItems = 64
	// manyObjects is how many objects a list has in it for which it is worth finding out whether the peer allows pickles.
	manyObjects = 1000
	// partBytes is about how long the pickle of a part of a list is, and maxArray how long that of an array may be: a
	// message beyond the limit of its length would end the connection.
	partBytes = 1 << 20
	maxArray  = 32 << 20
)

// arrayClasses are numpy's arrays, whose items are objects of their own if they are asked for one by one.
var arrayClasses = classes("numpy.ndarray", "numpy.memmap", "numpy.matrix", "numpy.matrixlib.defmatrix.matrix",
	"numpy.recarray", "numpy.rec.recarray", "numpy.ma.MaskedArray", "numpy.ma.core.MaskedArray")

// mayCopy reports whether an object may be copied for a type that its items are converted to. unknown says that it has
// to be found out whether the peer allows it.
func (c *conversion) mayCopy(o *Object, item reflect.Type, unknown bool) bool {
	if c.deep || c.noCopies || item.Kind() == reflect.Interface || !holdsValues(item, nil, true) {
		return false
	}
	allowed, known := o.peer.Pickles()
	return allowed || !known && unknown
}

// pickled asks for a pickle of an object, and goes another way if there is none.
func (c *conversion) pickled(o *Object, got func(data []byte) error, otherwise func() error) error {
	return c.ask(o, wire.HandlePickle, func(v any, exc error) error {
		data, ok := v.([]byte)
		if !ok {
			c.noCopies = true
			if isAnyOf(exc, vinegar.ValueError) { // not that it cannot be pickled, which is a TypeError
				o.peer.SetPickles(false)
			}
			return otherwise()
		}
		o.peer.SetPickles(true)
		return got(data)
	}, highestPickle)
}

// fromPickle converts what a pickle says for sure, and reports whether that was all.
func (c *conversion) fromPickle(dst reflect.Value, o *Object, data []byte) bool {
	v, err := o.peer.Unpickle(data, true)
	if err == nil {
		path := c.here()
		c.sure, c.copied = true, true
		err = c.assign(dst, v)
		c.sure, c.copied, c.path = false, false, path
	}
	c.noCopies = c.noCopies || err != nil
	return err == nil
}

// array copies a numpy array, if it is not too long.
func (c *conversion) array(dst reflect.Value, o *Object) error {
	itemwise := func() error { return c.iterate(dst, o) }
	return c.ask(o, wire.HandleGetAttr, func(v any, _ error) error {
		if n, ok := v.(int64); !ok || n > maxArray {
			return itemwise()
		}
		return c.pickled(o, func(data []byte) error {
			if c.fromPickle(dst, o, data) {
				return nil
			}
			return itemwise()
		}, itemwise)
	}, "nbytes")
}

// isWorthCopying reports whether an item is one that has to be asked for its contents, and whose pickle has no more
// than them.
func isWorthCopying(v any) bool {
	o, ok := v.(*Object)
	return ok && !o.IsClass() && (isContainer(typeName(o)) || notNumbers[o.ClassName()] || isReal(o))
}

// list copies a list of which some items are known, in parts whose length is estimated by the first and the last of
// them.
func (c *conversion) list(dst reflect.Value, o *Object, items brine.Tuple) error {
	itemwise := func() error { return c.iterate(dst, o) }
	total, largest, waiting, failed := int64(0), 0, 3, false
	ready := func() error {
		if waiting--; waiting > 0 {
			return nil
		}
		parts := total * int64(largest) / partBytes
		if failed || total > maxArray || parts > total/8 { // of a few long items, or none
			return itemwise()
		}
		return c.parts(dst, o, total, parts+1)
	}
	fail := func() error {
		failed = true
		return ready()
	}
	for _, v := range []any{items[0], items[len(items)-1]} {
		item, ok := v.(*Object)
		if !ok {
			return itemwise()
		}
		if err := c.pickled(item, func(data []byte) error {
			largest = max(largest, len(data))
			return ready()
		}, fail); err != nil {
			return err
		}
	}
	return c.ask(o, wire.HandleCallAttr, func(v any, _ error) error {
		n, ok := v.(int64)
		if total = n; !ok || n < int64(len(items)) {
			return fail()
		}
		return ready()
	}, "__len__", brine.Tuple{}, brine.Tuple{})
}

// parts copies a list of n items in so many parts.
func (c *conversion) parts(dst reflect.Value, o *Object, n, parts int64) error {
	s := reflect.MakeSlice(dst.Type(), int(n), int(n))
	dst.Set(s)
	failed := false
	fail := func() error { // once, for all parts
		if failed {
			return nil
		}
		failed = true
		return c.iterate(dst, o)
	}
	copyPart := func(from *Object, lo, hi int64) error {
		return c.pickled(from, func(data []byte) error {
			part := reflect.New(dst.Type()).Elem()
			if failed || !c.fromPickle(part, from, data) || part.Len() != int(hi-lo) {
				return fail()
			}
			reflect.Copy(s.Slice(int(lo), int(hi)), part)
			return nil
		}, fail)
	}
	if parts == 1 {
		return copyPart(o, 0, n)
	}
	for i := range parts {
		lo, hi := n*i/parts, n*(i+1)/parts
		err := c.ask(o, wire.HandleCallAttr, func(v any, _ error) error {
			part, ok := v.(*Object)
			if !ok {
				return fail()
			}
			return copyPart(part, lo, hi)
		}, "__getitem__", brine.Tuple{brine.Slice{Start: lo, Stop: hi}}, brine.Tuple{})
		if err != nil {
			return err
		}
	}
	return nil
}
