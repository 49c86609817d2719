package pytypes

import (
	"context"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// newInt is int(x, base), whose arguments are Ellipsis where they are missing.
func newInt(ctx context.Context, x, base any) (any, error) {
	x = norm(x)
	missing := x == any(brine.Ellipsis)
	if base != any(brine.Ellipsis) {
		b, err := Index(ctx, base)
		switch {
		case err != nil:
			return nil, err
		case missing:
			return nil, vinegar.TypeError.New("int() missing string argument")
		case !b.IsInt64() || b.Int64() < 0 || b.Int64() > 36:
			return nil, vinegar.ValueError.New("int() base must be >= 2 and <= 36, or 0")
		}
		return pyvalue.ParseInt(x, int(b.Int64()))
	}
	switch n := pyvalue.NumberOf(x); {
	case missing:
		return int64(0), nil
	case n.Kind == pyvalue.Int || n.Kind == pyvalue.Float:
		return n.ToInt()
	}
	switch x.(type) {
	case string, []byte:
		return pyvalue.ParseInt(x, 10)
	}
	for _, name := range []string{"__int__", "__index__", "__trunc__"} {
		r, ok, err := special(ctx, x, name)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		n, ok := integer(r)
		if !ok {
			return nil, vinegar.TypeError.Errorf("%s returned non-int (type %s)", name, exposed.TypeName(r))
		}
		return pyvalue.IntValue(n), nil
	}
	return nil, vinegar.TypeError.Errorf("int() argument must be a string, a bytes-like object or a real number, not '%s'",
		exposed.TypeName(x))
}

func newFloat(ctx context.Context, x any) (any, error) {
	x = norm(x)
	switch n := pyvalue.NumberOf(x); n.Kind {
	case pyvalue.Int, pyvalue.Float:
		return n.ToFloat()
	}
	switch v := x.(type) {
	case string, []byte:
		return pyvalue.ParseFloat(x)
	case *netref.Object:
		return v.CallMethod(ctx, "__float__")
	}
	for _, name := range []string{"__float__", "__index__"} {
		r, ok, err := special(ctx, x, name)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		n := pyvalue.NumberOf(r)
		switch {
		case name == "__float__" && n.Kind != pyvalue.Float:
			return nil, vinegar.TypeError.Errorf("%s.__float__() returned non-float (type %s)", exposed.TypeName(x),
				exposed.TypeName(r))
		case name == "__index__" && n.Kind != pyvalue.Int:
			return nil, vinegar.TypeError.Errorf("__index__ returned non-int (type %s)", exposed.TypeName(r))
		}
		return n.ToFloat()
	}
	return nil, vinegar.TypeError.Errorf("float() argument must be a string or a real number, not '%s'",
		exposed.TypeName(x))
}

// newComplex is complex(re, im), whose arguments are Ellipsis where they are missing.
func newComplex(_ context.Context, re, im any) (any, error) {
	re, im = norm(re), norm(im)
	single := im == any(brine.Ellipsis)
	if _, text := re.(string); text && single {
		return pyvalue.ParseComplex(re.(string))
	} else if text {
		return nil, vinegar.TypeError.New("complex() can't take second arg if first is a string")
	}
	if _, text := im.(string); text {
		return nil, vinegar.TypeError.New("complex() second arg can't be a string")
	}
	parts := [2]complex128{}
	for i, v := range []any{re, im} {
		n := pyvalue.NumberOf(v)
		switch {
		case v == any(brine.Ellipsis):
		case n.Kind == pyvalue.NotNumber && i == 0:
			return nil, vinegar.TypeError.Errorf("complex() first argument must be a string or a number, not '%s'",
				exposed.TypeName(v))
		case n.Kind == pyvalue.NotNumber:
			return nil, vinegar.TypeError.Errorf("complex() second argument must be a number, not '%s'", exposed.TypeName(v))
		default:
			c, err := n.ToComplex()
			if err != nil {
				return nil, err
			}
			parts[i] = c
		}
	}
	return parts[0] + parts[1]*1i, nil
}
