package exposed_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// camels has methods whose names differ in how they are written, and one that is renamed.
type camels struct{ HTTPPort int }

func (camels) SetCallback() string { return "SetCallback" }
func (camels) GetURL() string      { return "GetURL" }
func (camels) URL() string         { return "URL" }
func (camels) DoIt() string        { return "DoIt" }
func (camels) DoIT() string        { return "DoIT" }
func (camels) IsRenamed() string   { return "Renamed" }

var _ = exposed.Register[camels](exposed.ClassOptions{Names: map[string]string{"IsRenamed": "otherName"}})

// TestSpellings calls methods in the manners of Python, Go and Java.
func TestSpellings(t *testing.T) {
	for name, want := range map[string]string{
		"set_callback": "SetCallback", "setCallback": "SetCallback", "exposed_setCallback": "SetCallback",
		"SetCallback": "SetCallback", "getURL": "GetURL", "get_url": "GetURL", "url": "URL", "URL": "URL",
		"do_it": "DoIT", "DoIt": "DoIt", "doIt": "DoIt", "doIT": "DoIT",
		"otherName": "Renamed", "exposed_otherName": "Renamed", "IsRenamed": "Renamed",
	} {
		for _, p := range []*exposed.Policy{nil, {Prefix: "x_"}} {
			r, err := exposed.CallAttr(ctx, p, &camels{}, name, &exposed.Args{})
			if p != nil && strings.HasPrefix(name, exposed.DefaultPrefix) {
				continue
			}
			require.NoError(t, err, name)
			require.Equal(t, want, r, name)
		}
	}
	port, err := exposed.GetAttr(ctx, nil, &camels{HTTPPort: 80}, "httpPort")
	require.NoError(t, err)
	require.EqualValues(t, 80, port)
	require.Subset(t, dir(t, &camels{}), []any{"exposed_otherName", "exposed_set_callback"})
	require.NotContains(t, dir(t, &camels{}), "exposed_setCallback")
	_, err = exposed.CallAttr(ctx, nil, &camels{}, "is_renamed", &exposed.Args{})
	require.Error(t, err)
	require.Panics(t, func() {
		type bad struct{ camels }
		exposed.Register[bad](exposed.ClassOptions{Names: map[string]string{"SetCallback": "not a name"}})
	})
	require.Panics(t, func() {
		type bad struct{ camels }
		exposed.Register[bad](exposed.ClassOptions{Names: map[string]string{"Nothing": "nothing"}})
	})
}

func TestMethodNames(t *testing.T) {
	c := &Calc{}
	for _, name := range []string{"add", "Add", "exposed_add", "exposed_Add"} {
		require.Equal(t, int64(5), must(t)(callAttr(c, name, int64(2), int64(3))), name)
	}
	for name, want := range map[string]any{"get_url": "url", "http_server": "server", "id": int64(7)} {
		require.Equal(t, want, must(t)(callAttr(c, name)), name)
	}
	listed := dir(t, c)
	require.Contains(t, listed, "exposed_add")
	require.Contains(t, listed, "exposed_get_url")
	require.Contains(t, listed, "__repr__")
	for _, absent := range []string{"add", "Add", "exposed_Add", "secret", "exposed_secret", "last", "exposed_last"} {
		require.NotContains(t, listed, absent)
	}
}

// TestSuggestions asks for names that are nearly right. CPython's words are those that it adds where it shows an
// AttributeError.
func TestSuggestions(t *testing.T) {
	for name, want := range map[string]string{
		"ad": "add", "addd": "add", "dad": "add", "get_ulr": "get_url", "geturl": "get_url", "http_srever": "http_server",
		"secre": "", "nothing_like_it": "", "x": "", "_add": "", "__ad__": "", strings.Repeat("a", 50): "",
	} {
		_, err := callAttr(&Calc{}, name)
		text := "AttributeError: cannot access '" + name + "'"
		if want != "" {
			text += ". Did you mean: '" + want + "'?"
		}
		require.EqualError(t, err, text)
		_, err = exposed.GetAttr(ctx, &exposed.Policy{Prefix: "x_"}, &Calc{}, "x_"+name)
		if want != "" {
			require.ErrorContains(t, err, ". Did you mean: '"+want+"'?")
		}
	}
}

// What cannot be read gives one message, whatever the reason.
func TestDenied(t *testing.T) {
	c := &Calc{}
	for _, name := range []string{
		"nope", "secret", "last", "_secret", "__class__", "__dict__", "__call__", "__name__", "Secret",
	} {
		_, err := exposed.GetAttr(ctx, nil, c, name)
		require.EqualError(t, err, "AttributeError: cannot access '"+name+"'")
	}
	_, err := exposed.GetAttr(ctx, nil, c, "exposed_nope")
	require.EqualError(t, err, "AttributeError: 'Calc' object has no attribute 'exposed_nope'")
	_, err = exposed.GetAttr(ctx, nil, c, "it's")
	require.EqualError(t, err, `AttributeError: cannot access "it's"`)
	_, err = exposed.GetAttr(ctx, nil, c, int64(5))
	require.EqualError(t, err, "TypeError: name must be a string")
	_, err = exposed.GetAttr(ctx, nil, c, []byte("a\xff"))
	require.ErrorIs(t, err, vinegar.UnicodeDecodeError)
	_, err = exposed.GetAttr(ctx, nil, c, []byte("add"))
	require.NoError(t, err)
}

func TestGadget(t *testing.T) {
	g := newGadget()
	public := &exposed.Policy{AllowPublic: true}
	all := &exposed.Policy{AllowAll: true, AllowSet: true, AllowDel: true}
	rw := &exposed.Policy{AllowSet: true, AllowDel: true}

	require.Equal(t, 10, get(t, nil, g, "value"))
	require.Equal(t, 1, get(t, nil, g, "counter"))
	require.Equal(t, 2, get(t, nil, g, "exposed_counter"))
	_, err := exposed.GetAttr(ctx, nil, g, "bad")
	require.ErrorIs(t, err, vinegar.ZeroDivisionError)
	require.Equal(t, "gadget value=10 verbose=False", must(t)(callAttr(g, "describe")))
	require.Equal(t, "gadget value=10 verbose=True", must(t)(callAttr(g, "describe", netref.Kw("verbose", true))))

	for _, name := range []string{"hidden", "_private", "plain", "Get", "get", "set", "py_attrs"} {
		_, err := exposed.GetAttr(ctx, nil, g, name)
		require.EqualError(t, err, "AttributeError: cannot access '"+name+"'")
	}
	require.Equal(t, "hidden", get(t, public, g, "hidden"))
	r, err := exposed.CallAttr(ctx, public, g, "plain", &exposed.Args{})
	require.NoError(t, err)
	require.Equal(t, "plain", r)
	_, err = exposed.GetAttr(ctx, public, g, "_private")
	require.EqualError(t, err, "AttributeError: cannot access '_private'")
	require.Equal(t, "private", get(t, all, g, "_private"))
	_, err = exposed.GetAttr(ctx, public, g, "nope")
	require.EqualError(t, err, "AttributeError: 'Gadget' object has no attribute 'nope'")

	require.EqualError(t, exposed.SetAttr(ctx, nil, g, "value", int64(1)), "AttributeError: cannot access 'value'")
	require.EqualError(t, exposed.DelAttr(ctx, nil, g, "value"), "AttributeError: cannot access 'value'")
	require.NoError(t, exposed.SetAttr(ctx, rw, g, "value", "new"))
	require.Equal(t, "new", g.Value)
	require.EqualError(t, exposed.SetAttr(ctx, rw, g, "ro", int64(1)),
		"AttributeError: property 'exposed_ro' of 'Gadget' object has no setter")
	require.EqualError(t, exposed.SetAttr(ctx, rw, g, "hidden", int64(1)), "AttributeError: cannot access 'hidden'")

	require.NoError(t, exposed.SetAttr(ctx, all, g, "brand_new", int64(5)))
	require.Equal(t, int64(5), get(t, all, g, "brand_new"))
	require.NoError(t, exposed.SetAttr(ctx, all, g, "hidden", "other"))
	require.Equal(t, "other", get(t, all, g, "hidden"))
	require.NoError(t, exposed.DelAttr(ctx, all, g, "hidden"))
	require.Equal(t, "hidden", get(t, all, g, "hidden"))
	require.Contains(t, dir(t, g), "brand_new")
	require.EqualError(t, exposed.DelAttr(ctx, all, g, "nope"), "AttributeError: 'Gadget' object has no attribute 'nope'")

	var names []string
	for _, m := range exposed.Methods(nil, g) {
		names = append(names, m.Name)
		if m.Name == "exposed_describe" {
			require.Equal(t, exposed.Method{Name: "exposed_describe", Doc: "Describe the gadget.", HasDoc: true}, m)
		}
	}
	require.Contains(t, names, "plain")
	require.Contains(t, names, "exposed_describe")
	for _, n := range []string{"exposed_counter", "exposed_value", "hidden", "__eq__", "__call__", "exposed_get"} {
		require.NotContains(t, names, n)
	}
}

func TestBoundMethods(t *testing.T) {
	c, d := &Calc{}, &Calc{last: 1}
	a, b := get(t, nil, c, "add"), get(t, nil, c, "exposed_add")
	require.Equal(t, "builtins.method", exposed.ClassOf(a).Name())
	ka, ok := exposed.Identity(a)
	require.True(t, ok)
	kb, _ := exposed.Identity(b)
	require.False(t, ka == kb, "every read is a new object")
	for _, pair := range []struct {
		other any
		want  any
	}{{b, true}, {get(t, nil, d, "add"), false}, {get(t, nil, c, "div"), false}, {int64(5), brine.NotImplemented}} {
		r, err := exposed.Compare(ctx, nil, a, pair.other, "__eq__")
		require.NoError(t, err)
		require.Equal(t, pair.want, r)
	}
	ha, err := exposed.Hash(ctx, a)
	require.NoError(t, err)
	hb, err := exposed.Hash(ctx, b)
	require.NoError(t, err)
	require.Equal(t, ha, hb)
	r, err := exposed.Call(ctx, a, exposed.NewArgs([]any{int64(1), int64(2)}, nil))
	require.NoError(t, err)
	require.Equal(t, 3, r)

	require.Equal(t, "Add two numbers.", get(t, nil, a, "__doc__"))
	require.Nil(t, get(t, nil, get(t, nil, c, "echo"), "__doc__"))
	all := &exposed.Policy{AllowAll: true}
	require.Equal(t, "exposed_add", get(t, all, a, "__name__"))
	require.Equal(t, "(a, b)", get(t, all, a, "__text_signature__"))
	require.Same(t, c, get(t, all, a, "__self__"))
	for _, name := range []string{"__name__", "__func__", "__self__", "__globals__", "__code__", "__class__"} {
		_, err := exposed.GetAttr(ctx, nil, a, name)
		require.EqualError(t, err, "AttributeError: cannot access '"+name+"'")
	}
	s, err := exposed.Repr(ctx, a)
	require.NoError(t, err)
	require.Regexp(t, `^<bound method Calc.exposed_add of <calc.Calc object at 0x7f[0-9a-f]{10}>>$`, s)
}

func TestSubclass(t *testing.T) {
	p := &Point3{Point{1, -2}, "blue"}
	require.Equal(t, int64(3), must(t)(callAttr(p, "norm1")))
	require.Equal(t, "blue", get(t, nil, p, "colour"))
	require.Equal(t, 1, get(t, nil, p, "x"))
	require.Equal(t, "Manhattan length.", get(t, nil, get(t, nil, p, "norm1"), "__doc__"))
	require.Equal(t, "behaviour_service.Point3", exposed.ClassOf(p).Name())
	require.Same(t, point3Class, exposed.ClassOf(p))
	require.True(t, must(t)(exposed.IsInstance(ctx, p, pointClass)).(bool))
	require.False(t, must(t)(exposed.IsInstance(ctx, &Point{}, point3Class)).(bool))
	require.False(t, must(t)(exposed.IsInstance(ctx, int64(1), pointClass)).(bool))
	require.True(t, must(t)(exposed.IsInstance(ctx, int64(1), brine.Tuple{pointClass, exposed.ClassOf(2)})).(bool))
	_, err := exposed.IsInstance(ctx, p, p)
	require.EqualError(t, err, "TypeError: isinstance() arg 2 must be a type, a tuple of types, or a union")
	// RPyC answers a peer that asks about a subclass with no.
	require.False(t, instanceCheck(t, pointClass, p))
	require.True(t, instanceCheck(t, vinegar.Exception, vinegar.KeyError.New()))
	r, err := callAttr(p, "origin")
	require.NoError(t, err)
	require.Equal(t, &Point{}, r)
	made, err := exposed.Call(ctx, point3Class, exposed.NewArgs([]any{int64(1), int64(2)}, nil))
	require.NoError(t, err)
	require.Equal(t, &Point3{Point{1, 2}, "red"}, made)
	// A method read from the class wants the object.
	f := get(t, nil, pointClass, "norm1")
	r, err = exposed.Call(ctx, f, exposed.NewArgs([]any{p}, nil))
	require.NoError(t, err)
	require.Equal(t, 3, r)
	_, err = exposed.Call(ctx, f, &exposed.Args{})
	require.EqualError(t, err, "TypeError: Point.exposed_norm1() missing 1 required positional argument: 'self'")
	require.Equal(t, "A point on the integer plane.", get(t, nil, pointClass, "__doc__"))
	_, err = exposed.Call(ctx, exposed.ClassOf(f), &exposed.Args{})
	require.EqualError(t, err, "TypeError: cannot create 'function' instances")
}

func TestErrorsFromMethods(t *testing.T) {
	c := &Calc{}
	_, err := callAttr(c, "fail", "shared")
	var e *vinegar.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, "ValueError: shared", e.Error())
	require.Len(t, e.Frames, 1)
	require.Equal(t, "exposed_fail", e.Frames[0].Func)
	require.Contains(t, e.Frames[0].File, "fixtures_test.go")
	require.Positive(t, e.Frames[0].Line)
	require.Empty(t, errShared.Frames, "the error returned is the method's own and must not be changed")
	_, err = callAttr(c, "fail", "go")
	require.ErrorAs(t, err, &e)
	require.Contains(t, e.Error(), "plain")
	_, err = callAttr(c, "panic", int64(7))
	require.ErrorIs(t, err, vinegar.IndexError)
	r, err := callAttr(c, "fail", "nothing")
	require.NoError(t, err)
	require.Nil(t, r)
	// The promoted method of a derived class is found in the source too.
	_, err = callAttr(&Point3{}, "__getitem__", int64(5))
	require.ErrorAs(t, err, &e)
	require.Contains(t, e.Frames[0].File, "fixtures_test.go")
}

func TestService(t *testing.T) {
	type Root struct{ Value int }
	r := &Root{1}
	all := &exposed.Policy{AllowAll: true, AllowSet: true, AllowDel: true}
	require.NoError(t, exposed.SetAttr(ctx, all, r, "value", int64(2)))
	exposed.MarkService(r)
	for _, name := range []string{"value", "nope", "exposed_value"} {
		require.EqualError(t, exposed.SetAttr(ctx, all, r, name, int64(3)), "AttributeError: access denied")
		require.EqualError(t, exposed.DelAttr(ctx, nil, r, name), "AttributeError: access denied")
	}
	require.Equal(t, "ROOT", must(t)(callAttr(r, "get_service_name")))
	require.Equal(t, brine.Tuple{"ROOT"}, must(t)(callAttr(r, "exposed_get_service_aliases")))
	require.Contains(t, dir(t, r), "exposed_get_service_name")
}

type opaque struct{}

func (opaque) PyGetAttr(_ any, name string) (any, error) { return nil, nil } // not the interface: ignored

type handled struct{ got string }

func TestAttrGetter(t *testing.T) {
	_, err := exposed.GetAttr(ctx, nil, opaque{}, "x")
	require.ErrorIs(t, err, vinegar.AttributeError)
	require.True(t, errors.Is(err, vinegar.AttributeError))
}

type attrsBase struct {
	exposed.Attrs
	N int
}

// Twice is declared at the bottom.
func (b *attrsBase) Twice() int { return 2 * b.N }

type attrsMiddle struct{ attrsBase }

// Names is its own and not that of Attrs.
func (m *attrsMiddle) Names() string { return "mine" }

type attrsTop struct{ *attrsMiddle }

// Attrs is no part of what an object shows, however deep it is embedded; what embedded structs declare is.
func TestHiddenPromotedMethods(t *testing.T) {
	v := &attrsTop{&attrsMiddle{attrsBase{N: 4}}}
	listed := dir(t, v)
	for _, name := range []string{"exposed_get", "exposed_set", "exposed_delete", "exposed_py_attrs"} {
		require.NotContains(t, listed, name)
	}
	require.Equal(t, int64(8), must(t)(callAttr(v, "twice")))
	require.Equal(t, "mine", must(t)(callAttr(v, "names")))
	require.Equal(t, int64(4), must(t)(exposed.GetAttr(ctx, nil, v, "n")))
}

// Go methods answer to whatever prefix a connection has, and to their bare names where prefixes are off.
func TestPrefixes(t *testing.T) {
	c := &Calc{}
	for _, row := range []struct {
		p    *exposed.Policy
		name string
	}{
		{&exposed.Policy{Prefix: "pub_"}, "id"},
		{&exposed.Policy{Prefix: "pub_"}, "pub_id"},
		{&exposed.Policy{AllowAll: true, DenyExposed: true}, "id"},
		{&exposed.Policy{AllowPublic: true}, "id"},
		{&exposed.Policy{AllowPublic: true}, "ID"},
	} {
		r, err := exposed.CallAttr(ctx, row.p, c, row.name, &exposed.Args{})
		require.NoError(t, err)
		require.Equal(t, 7, r)
	}
	_, err := exposed.CallAttr(ctx, &exposed.Policy{DenyExposed: true}, c, "id", &exposed.Args{})
	require.EqualError(t, err, "AttributeError: cannot access 'id'")
}
