package exposed

import (
	"context"

	"github.com/gorpyc/gorpyc/protocol/exposed/internal/names"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Restricted returns a view of v that shows a peer the attributes listed in read, and lets it assign to those listed in
// write, whatever the connection's policy says (rpyc.restricted). Everything else is an AttributeError that names the
// attribute. Use it to hand out a part of an object that can do too much:
//
//	return exposed.Restricted(file, []string{"read", "close"}, nil)
//
// rpyc.restricted(v, attrs) allows assignment to all it shows; that is Restricted(v, attrs, attrs). The names are the
// real ones or, without a prefix, those of exposed attributes; private and special names ("__add__") are shown if they
// are listed. v may be an object of another peer, which then decides by its own rules, too. What the attributes return
// is not restricted.
func Restricted(v any, read, write []string) any {
	return &restricted{v: v, read: names.SetOf(read), write: names.SetOf(write)}
}

// restricted is the view. It takes care of its attributes itself, past the policy.
type restricted struct {
	v           any
	read, write map[string]bool
}

// unrestricted is for what this program itself does with an object.
var unrestricted = Unrestricted()

// PyGetAttr implements [AttrGetter].
func (r *restricted) PyGetAttr(ctx context.Context, name string) (any, error) {
	if !r.read[name] {
		return nil, vinegar.AttributeError.New(name)
	}
	return GetAttr(ctx, unrestricted, r.v, name)
}

// PySetAttr implements [AttrSetter].
func (r *restricted) PySetAttr(ctx context.Context, name string, value any) error {
	if !r.write[name] {
		return vinegar.AttributeError.New(name)
	}
	return SetAttr(ctx, unrestricted, r.v, name, value)
}
