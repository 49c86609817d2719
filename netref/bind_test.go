package netref_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
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
		Ignored func() `rpyc:"-"`
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
		"Add": "add", "AddUser": "add_user", "HTTPServer": "http_server", "GetURL": "get_url", "UserID2": "user_id2", "ID": "id",
		"A": "a", "AB": "ab", "ABc": "a_bc", "X1Y": "x1_y", "Already_Snake": "already_snake", "Ünder": "ünder", "GetÄ": "get_ä", "": "",
	} {
		require.Equal(t, want, netref.PythonName(goName), goName)
	}
}
