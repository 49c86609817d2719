package netref_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

func TestBind(t *testing.T) {
	root, _ := connect(t, &shop{}, nil)
	var s struct {
		Add     func(ctx context.Context, a, b int) (int, error)
		Plus    func(a, b int) int `rpyc:"add"`
		Greet   func(name string, more ...netref.Keyword) (string, error)
		Many    func(...int) (int, error)
		Fail    func() error
		Pair    func() (string, int, error)
		Nothing func() error
		Quiet   func() `rpyc:"nothing"`
		List    func() ([]any, error)
		Later   func(a, b int) (*netref.AsyncResult, error) `rpyc:"add"`
		Ignored func()                                      `rpyc:"-"`
		private func()
	}
	ctx, cancel := context.WithCancel(t.Context())
	require.NoError(t, netref.Bind(ctx, root, &s))
	cancel() // the funcs outlive the context of Bind
	n, err := s.Add(t.Context(), 1, 2)
	require.NoError(t, err)
	require.Equal(t, 3, n)
	require.Equal(t, 7, s.Plus(3, 4))
	text, err := s.Greet("Ann", netref.Kw("greeting", "Hi"), netref.Kw("punct", "."))
	require.NoError(t, err)
	require.Equal(t, "Hi, Ann.", text)
	n, err = s.Many(1, 2, 3)
	require.NoError(t, err)
	require.Equal(t, 6, n)
	require.ErrorIs(t, s.Fail(), vinegar.ValueError)
	name, n, err := s.Pair()
	require.NoError(t, err)
	require.Equal(t, "a", name)
	require.Equal(t, 1, n)
	require.NoError(t, s.Nothing())
	s.Quiet()
	items, err := s.List()
	require.NoError(t, err)
	require.Len(t, items, 3)
	later, err := s.Later(4, 5)
	require.NoError(t, err)
	n, err = netref.Await[int](t.Context(), later)
	require.NoError(t, err)
	require.Equal(t, 9, n)
	require.Nil(t, s.Ignored)
	require.Nil(t, s.private)

	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.Add(gone, 1, 2)
	require.ErrorIs(t, err, context.Canceled)
}

func TestBindErrors(t *testing.T) {
	ctx := t.Context()
	root, c := connect(t, &shop{}, nil)
	var missing struct {
		Add  func(a, b int) int
		Sell func() error
		Buy  func() error `rpyc:"purchase"`
	}
	err := netref.Bind(ctx, root, &missing)
	var be *netref.BindError
	require.ErrorAs(t, err, &be)
	require.Equal(t, []string{"sell", "purchase"}, be.Missing)
	require.Nil(t, missing.Add, "nothing is bound")

	require.Error(t, netref.Bind(ctx, root, missing))
	require.Error(t, netref.Bind(ctx, root, nil))
	require.Error(t, netref.Bind(ctx, root, new(int)))
	require.Error(t, netref.Bind(ctx, root, (*struct{})(nil)))
	require.NoError(t, netref.Bind(ctx, root, &struct{ Add int }{}), "fields that are no funcs are left alone")

	type secret struct{ key int }
	_ = secret{}.key
	for _, target := range []any{
		&struct {
			Add func(n int, o secret) error
		}{}, &struct {
			Add func(struct{}) error
		}{},
	} {
		require.ErrorContains(t, netref.Bind(ctx, root, target), "the last parameter of the func for add is the struct ")
	}
	require.NoError(t, netref.Bind(ctx, root, &struct {
		Add  func(secret, int) error
		Pair func(*secret) error
		Fail func(...secret) error
		List func(time.Time) error
		Name func(brine.EllipsisType) error `rpyc:"add"`
	}{}), "these are objects and values, or taken as such")

	var wrong struct {
		Pair func() (string, string, error)
		Add  func() (int, int, error) `rpyc:"add"`
		Fail func()
	}
	require.NoError(t, netref.Bind(ctx, root, &wrong))
	_, _, err = wrong.Pair()
	require.EqualError(t, err, "result[1]: cannot use int as string: 1")
	_, _, err = wrong.Add()
	require.ErrorIs(t, err, vinegar.TypeError)
	require.Panics(t, wrong.Fail, "without an error result")
	require.NoError(t, c.Close())
	require.Error(t, netref.Bind(ctx, root, &wrong))
}

func TestPythonName(t *testing.T) {
	for goName, want := range map[string]string{
		"Add": "add", "AddUser": "add_user", "HTTPServer": "http_server", "GetURL": "get_url",
		"UserID2": "user_id2", "ID": "id",
		"A": "a", "AB": "ab", "ABc": "a_bc", "X1Y": "x1_y", "Already_Snake": "already_snake", "Ünder": "ünder",
		"GetÄ": "get_ä", "": "",
	} {
		require.Equal(t, want, netref.PythonName(goName), goName)
	}
}

// market has objects in it.
type market struct {
	exposed.Attrs
	Name  string
	Stall *stall
	Gone  *stall
}

var _ = exposed.Register[market](exposed.ClassOptions{
	Params: map[string][]string{"Order": {"item", "*", "count=1", "note=None"}},
})

func (m *market) Order(item string, count int, note *string) (string, int, error) {
	if note != nil {
		item += " " + *note
	}
	return item, count, nil
}

type stall struct {
	Owner string
	inner *stall
}

func (s *stall) Sell(n int) int { return n * 2 }
func (s *stall) Inner() *stall  { return s.inner }

type openMarket struct{ Market *market }

func TestBindNested(t *testing.T) {
	ctx := t.Context()
	top, _ := connect(t, openMarket{&market{Name: "north", Stall: &stall{Owner: "Ann"}}}, &protocol.Config{
		Access: exposed.Policy{AllowSet: true},
	})
	root, err := netref.Get[*netref.Object](ctx, top, "market")
	require.NoError(t, err)
	type orderOptions struct {
		Count int `rpyc:",omitempty"`
		Note  *string
	}
	type stallFuncs struct {
		Sell  func(int) (int, error)
		Owner string `rpyc:"owner"`
	}
	var m struct {
		Order  func(ctx context.Context, item string, opts orderOptions) (string, int, error)
		Name   func() (string, error) `rpyc:",get"`
		Rename func(string) error     `rpyc:"name,set"`
		Length func() (int, error)    `rpyc:"name,get"`
		Fly    func() error           `rpyc:",optional"`
		Stall  stallFuncs
		Same   *stallFuncs `rpyc:"stall"`
		Gone   *stallFuncs
		None   *stallFuncs    `rpyc:"nowhere,optional"`
		Handle *netref.Object `rpyc:"stall"`
		Plain  struct{ X int }
		Left   string
	}
	m.Left, m.Plain.X = "alone", 3
	require.NoError(t, netref.Bind(ctx, root, &m))
	item, n, err := m.Order(ctx, "apple", orderOptions{})
	require.NoError(t, err)
	require.Equal(t, "apple", item)
	require.Equal(t, 1, n, "a default of the peer's")
	note := "ripe"
	item, n, err = m.Order(ctx, "apple", orderOptions{Count: 3, Note: &note})
	require.NoError(t, err)
	require.Equal(t, "apple ripe", item)
	require.Equal(t, 3, n)
	require.NoError(t, m.Rename("south"))
	name, err := m.Name()
	require.NoError(t, err)
	require.Equal(t, "south", name)
	_, err = m.Length()
	require.EqualError(t, err, "name: cannot use str as int: 'south'")
	require.Nil(t, m.Fly)
	n, err = m.Stall.Sell(4)
	require.NoError(t, err)
	require.Equal(t, 8, n)
	require.Equal(t, "Ann", m.Stall.Owner)
	n, err = m.Same.Sell(5)
	require.NoError(t, err)
	require.Equal(t, 10, n)
	require.Nil(t, m.Gone)
	require.Nil(t, m.None)
	require.Equal(t, "netref_test.stall", m.Handle.ClassName())
	require.Equal(t, "alone", m.Left)
	require.Equal(t, 3, m.Plain.X)

	var missing struct {
		Stall struct {
			Sell func(int) int
			Buy  func(int) int
		}
	}
	var be *netref.BindError
	require.ErrorAs(t, netref.Bind(ctx, root, &missing), &be)
	require.Equal(t, []string{"stall.buy"}, be.Missing)
	var wrong struct {
		Stall struct {
			Owner int `rpyc:"owner"`
			Sell  func(int) int
		}
	}
	require.EqualError(t, netref.Bind(ctx, root, &wrong), "stall.owner: cannot use str as int: 'Ann'")
	var none struct {
		Gone struct{ Sell func(int) int }
	}
	require.ErrorContains(t, netref.Bind(ctx, root, &none), "gone: cannot use None as struct")
	var setter struct {
		Two func(a, b string) error `rpyc:"name,set"`
	}
	require.NoError(t, netref.Bind(ctx, root, &setter))
	require.ErrorContains(t, setter.Two("a", "b"), "takes one value")
}

// endless has itself as an attribute and lists no names.
type endless struct{ knot }

type endlessFuncs struct {
	Next *endlessFuncs
	Call func() error `rpyc:"n,get"`
}

func TestBindRing(t *testing.T) {
	root, _ := connect(t, &endless{}, nil)
	var f endlessFuncs
	err := netref.Bind(t.Context(), root, &f)
	require.ErrorContains(t, err, "too deep")
}
