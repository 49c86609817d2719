package wire

import "github.com/gorpyc/gorpyc/brine"

// The peers of family E begin as those of family D do, and differ in what follows: an id pack has a fourth member,
// there are three more operations and no CALLATTR, DEL and CTXEXIT take other arguments, and nine classes travel by
// value.
//
// Which of the two families a peer speaks shows when it names an object, or its root. Until then it is given id packs
// of four members, which those of family D take: they look at three, and send three back.

// kind is what an id pack of family E says about the object.
type kind int8

const (
	kindModule   kind = 1
	kindClass    kind = 2
	kindInstance kind = 3
)

func readKind(c *brine.Cursor) (kind, bool) {
	if c.Kind() != brine.KindInt {
		return 0, false
	}
	n, err := c.Int64()
	return kind(n), err == nil && n >= int64(kindModule) && n <= int64(kindInstance)
}

func (r Ref) theKind() kind {
	switch {
	case r.kind != 0:
		return r.kind
	case r.IsClass():
		return kindClass
	}
	return kindInstance
}

// HasKind reports whether r, as the peer sent it, has the fourth member that family E has.
func (r Ref) HasKind() bool {
	if r.odd == "" {
		return r.kind != 0
	}
	c := brine.NewCursor([]byte(r.odd))
	_, ok := FamilyE.readPlainRef(&c, &Names{})
	return ok
}

// AsModule returns r as the id pack of a module.
func (r Ref) AsModule() Ref {
	r.kind = kindModule
	return r
}

// Forms of the families D and E that users are not shown.
var (
	unsettledD, unsettledBoundD = FamilyD.unsettledForm(), boundD.unsettledForm()
	olderE, olderBoundE         = FamilyE.olderForm(), boundE.olderForm()
)

func (d *Dialect) unsettledForm() *Dialect {
	u := *d
	u.kinds, u.unsettled, u.shown = true, true, d
	return &u
}

func (d *Dialect) olderForm() *Dialect {
	o := *d
	o.delByRef, o.shown = true, d
	return &o
}

// Shown returns d as it is shown to users: one of the families, or its form with threads.
func (d *Dialect) Shown() *Dialect {
	if d.shown != nil {
		return d.shown
	}
	return d
}

// Unsettled returns the form of family D in which a peer is spoken to that may be of family E; d itself for the others.
func (d *Dialect) Unsettled() *Dialect {
	switch d {
	case FamilyD:
		return unsettledD
	case boundD:
		return unsettledBoundD
	}
	return d
}

// IsUnsettled reports whether the peer may be of either of the families D and E.
func (d *Dialect) IsUnsettled() bool { return d.unsettled }

// Settled returns what an unsettled form turns out to be when the peer has named an object by an id pack of so many
// members.
func (d *Dialect) Settled(members int) *Dialect {
	switch {
	case members < 4:
		return d.Shown()
	case d.threads:
		return boundE
	}
	return FamilyE
}

// DelByRef returns the form of family E for the releases before 7.0.12, whose DEL takes a reference as that of the
// other families does; nil if d is not of the family, or is that form.
func (d *Dialect) DelByRef() *Dialect {
	switch d {
	case FamilyE:
		return olderE
	case boundE:
		return olderBoundE
	}
	return nil
}

// HasKinds reports whether the family is E, or may turn out to be.
func (d *Dialect) HasKinds() bool { return d.kinds }

// CallsInTwo reports whether a method cannot be called by one request, as by CALLATTR.
func (d *Dialect) CallsInTwo() bool { return d.kinds && !d.unsettled }
