package wire

import "github.com/gorpyc/gorpyc/brine"

// RefForm is the form in which a message names an object, which tells families apart whose messages begin alike.
type RefForm struct {
	// Members is how many members the reference has: 1 for a bare number, 0 if the message names no object in a way
	// that tells.
	Members int
	// First is the kind of the first member, or of the bare reference.
	First brine.Kind
}

// RefForm finds the first reference in a message that is to an object of the receiver, or to the root of the sender in
// the answer to the request with the number root.
func (d *Dialect) RefForm(payload []byte, root int64) RefForm {
	kind, seq, c, err := d.ReadHeader(payload)
	if err != nil {
		return RefForm{}
	}
	switch kind {
	case Request:
		h, odd, err := d.ReadHandler(&c)
		if err != nil || odd != nil || !h.HasTarget() && h != HandleInspect && h != HandleType {
			return RefForm{}
		}
		return d.targetForm(&c)
	case Reply:
		l, err := d.ReadLabel(&c)
		if err == nil && (l == LabelLocalRef || l == LabelRemoteRef && seq == Num(root)) {
			return formOf(&c)
		}
	}
	return RefForm{}
}

// targetForm is the form of the first argument of a request, which is the object that it is about.
func (d *Dialect) targetForm(args *brine.Cursor) RefForm {
	l, err := d.ReadLabel(args)
	if err != nil || args.Kind() != brine.KindTuple {
		return RefForm{}
	}
	if n, err := args.Tuple(); err != nil || n == 0 {
		return RefForm{}
	}
	if l == LabelTuple { // otherwise the reference is a value among others
		if l, err = d.ReadLabel(args); err != nil || l != LabelLocalRef && l != LabelValue {
			return RefForm{}
		}
	}
	return formOf(args)
}

func formOf(c *brine.Cursor) RefForm {
	if c.Kind() != brine.KindTuple {
		return RefForm{Members: 1, First: c.Kind()}
	}
	n, err := c.Tuple()
	if err != nil || n == 0 {
		return RefForm{}
	}
	return RefForm{Members: n, First: c.Kind()}
}
