package exposed_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
)

// Parcel is registered here and described in init, as generated files do it.
type Parcel struct{ Weight int }

func NewParcel(weight int) *Parcel { return &Parcel{weight} }

func (p *Parcel) Add(grams, times int) int {
	p.Weight += grams * times
	return p.Weight
}

func (p *Parcel) Label(text string) string { return text }

// Letter derives from Parcel.
type Letter struct {
	Parcel
	Stamp string
}

// Depot is described and not registered.
type Depot struct{ Twice func(n int) int }

func (*Depot) Send(weight int) *Parcel     { return NewParcel(weight) }
func (*Depot) Doubler() func(n int) int    { return Double }
func (*Depot) Round(n int) func(m int) int { return func(m int) int { return n + m } }
func Double(n int) int                     { return 2 * n }

var (
	parcelClass = exposed.Register[Parcel](exposed.ClassOptions{
		Name:   "post.Parcel",
		New:    NewParcel,
		Params: map[string][]string{"Label": {"mine='me'"}},
		Static: map[string]any{"double": Double},
	})
	letterClass = exposed.Register[Letter](exposed.ClassOptions{Bases: []*exposed.Class{parcelClass}})
)

func init() {
	exposed.Describe[Parcel](exposed.ClassOptions{
		Name:   "ignored.Name",
		Doc:    "A parcel.",
		Params: map[string][]string{"Add": {"grams", "times=1"}, "Label": {"theirs"}},
		Docs:   map[string]string{"Add": "Add weight."},
	})
	exposed.Describe[Depot](exposed.ClassOptions{
		Doc:    "A depot.",
		Params: map[string][]string{"Send": {"weight"}},
	})
	exposed.DescribeFunc(exposed.Func(NewParcel, "weight=7").Doc("Make a parcel."))
	exposed.DescribeFunc(exposed.Func(Double, "n").Doc("Twice n."))
}

func kwArgs(name string, v any) *exposed.Args {
	return exposed.NewArgs(nil, []netref.Keyword{netref.Kw(name, v)})
}

func TestDescribe(t *testing.T) {
	require.Equal(t, "post.Parcel", parcelClass.Name())
	require.Equal(t, "A parcel.", parcelClass.Doc())
	p := must(t)(exposed.Call(ctx, parcelClass, kwArgs("weight", int64(3)))).(*Parcel)
	require.EqualValues(t, 8, must(t)(exposed.CallAttr(ctx, nil, p, "add", kwArgs("grams", int64(5)))))
	require.EqualValues(t, 8, must(t)(exposed.CallAttr(ctx, nil, p, "Add", exposed.NewArgs([]any{int64(0)}, nil))))
	require.Equal(t, "x", must(t)(exposed.CallAttr(ctx, nil, p, "label", kwArgs("mine", "x"))))
	_, err := exposed.CallAttr(ctx, nil, p, "add", kwArgs("kilos", int64(5)))
	require.EqualError(t, err, "TypeError: Parcel.exposed_add() got an unexpected keyword argument 'kilos'")
	add, err := exposed.GetAttr(ctx, nil, p, "add")
	require.NoError(t, err)
	require.Equal(t, "Add weight.", get(t, nil, add, "__doc__"))
	require.EqualValues(t, 14, must(t)(exposed.CallAttr(ctx, nil, parcelClass, "double", kwArgs("n", int64(7)))))
	require.EqualValues(t, 7, must(t)(exposed.Call(ctx, parcelClass, &exposed.Args{})).(*Parcel).Weight)

	// What was described of a base holds for what derives from it.
	require.EqualValues(t, 2, must(t)(exposed.CallAttr(ctx, nil, &Letter{}, "add", kwArgs("grams", int64(2)))))
	require.EqualValues(t, 2, must(t)(exposed.CallAttr(ctx, nil, letterClass, "double", kwArgs("n", int64(1)))))
}

func TestDescribeWithoutRegister(t *testing.T) {
	d := &Depot{Twice: Double}
	require.Equal(t, "A depot.", exposed.ClassFor[Depot]().Doc())
	require.EqualValues(t, 4, must(t)(exposed.CallAttr(ctx, nil, d, "send", kwArgs("weight", int64(4)))).(*Parcel).Weight)
	double := must(t)(exposed.CallAttr(ctx, nil, d, "doubler", &exposed.Args{}))
	require.Equal(t, "Twice n.", get(t, nil, double, "__doc__"))
	require.EqualValues(t, 6, must(t)(exposed.Call(ctx, double, kwArgs("n", int64(3)))))
	require.EqualValues(t, 6, must(t)(exposed.CallAttr(ctx, nil, d, "twice", kwArgs("n", int64(3)))))
	round := must(t)(exposed.CallAttr(ctx, nil, d, "round", exposed.NewArgs([]any{int64(1)}, nil)))
	require.EqualValues(t, 3, must(t)(exposed.Call(ctx, round, exposed.NewArgs([]any{int64(2)}, nil))))

	// A described func that comes back is the Go func.
	form, byValue := exposed.ByValue(Double)
	require.False(t, byValue)
	back, err := netref.As[func(int) int](ctx, form)
	require.NoError(t, err)
	require.Equal(t, 10, back(5))
}

func TestBadDescriptions(t *testing.T) {
	type Late struct{ X int }
	exposed.ClassFor[Late]()
	require.Panics(t, func() { exposed.Describe[Late](exposed.ClassOptions{}) }, "in use")
	require.Panics(t, func() { exposed.Describe[Parcel](exposed.ClassOptions{}) }, "twice")
	require.Panics(t, func() { exposed.Describe[error](exposed.ClassOptions{}) })
	type Stale struct{ X int }
	require.Panics(t, func() { exposed.Describe[Stale](exposed.ClassOptions{Params: map[string][]string{"Gone": {}}}) })
	require.Panics(t, func() { exposed.DescribeFunc(nil) })
	require.Panics(t, func() { exposed.DescribeFunc(exposed.Func(Double, "m")) }, "twice")
	require.Panics(t, func() { exposed.DescribeFunc(exposed.Func(func() {})) })
	require.Panics(t, func() { exposed.DescribeFunc(exposed.Func((&Parcel{}).Add, "a", "b")) })
	require.Panics(t, func() { exposed.DescribeFunc(exposed.Func((*Parcel).Label, "p", "a")) })
}

func TestMethodName(t *testing.T) {
	for goName, want := range map[string]string{"AddUser": "add_user", "PyLen": "__len__", "PyRAdd": "__radd__",
		"String": "", "OnConnect": ""} {
		name, ok := exposed.MethodName(goName)
		require.Equal(t, want, name)
		require.Equal(t, want != "", ok)
	}
}

type withAttrs struct{ exposed.Attrs }

type below struct{ withAttrs }

// Get is the type's own.
func (*below) Get() int { return 1 }

// What an embedded Attrs has for Go programs is no attribute, however deep it is embedded.
func TestMethodsOfEmbeddedAttrs(t *testing.T) {
	var names []string
	for _, n := range dir(t, &below{}) {
		if strings.HasPrefix(n, "exposed_") {
			names = append(names, n)
		}
	}
	require.Equal(t, []string{"exposed_get"}, names)
}

// TestNamePackage names a package of types that were registered before, are not registered, and of funcs.
func TestNamePackage(t *testing.T) {
	registered := exposed.Register[url.Error](exposed.ClassOptions{Params: map[string][]string{"Unwrap": {}}})
	named := exposed.Register[url.InvalidHostError](exposed.ClassOptions{Name: "other.Host"})
	require.Equal(t, "url.Error", registered.Name())
	exposed.NamePackage("net/url", "web.urls")
	require.Equal(t, "web.urls.Error", registered.Name())
	require.Equal(t, "other.Host", named.Name())
	require.Equal(t, "web.urls.URL", exposed.ClassFor[url.URL]().Name())
	require.Equal(t, "web.urls", get(t, exposed.Unrestricted(), exposed.ClassFor[url.URL](), "__module__"))
	require.Equal(t, "web.urls", get(t, exposed.Unrestricted(), url.Parse, "__module__"))
	require.Panics(t, func() { exposed.NamePackage("net/url", "again") })
	require.Panics(t, func() { exposed.NamePackage("net/netip", "a.") })
	require.Panics(t, func() { exposed.NamePackage("", "a") })
}
