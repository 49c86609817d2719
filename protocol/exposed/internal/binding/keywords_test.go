package binding

import (
	"context"
	"errors"
	"reflect"
	"strconv"
	"testing"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/stretchr/testify/require"
)

// noModel knows nothing: what is tested here does not ask it.
type noModel struct{ Model }

func TestMain(m *testing.M) {
	SetModel(noModel{})
	m.Run()
}

// rawKeywords is what a peer sends for f(**{'k0': 0, 'k1': 1, …}).
func rawKeywords(t *testing.T, n int) []byte {
	t.Helper()
	kw := make(brine.Tuple, n)
	for i := range kw {
		kw[i] = brine.Tuple{"k" + strconv.Itoa(i), i}
	}
	raw, err := brine.Marshal(kw)
	require.NoError(t, err)
	return raw
}

func takeKeywords(t *testing.T, f any, o Options) *Plan {
	t.Helper()
	p, err := New(reflect.ValueOf(f), o)
	require.NoError(t, err)
	return p
}

// TestManyKeywords binds so many keywords that comparing each with each would take minutes.
func TestManyKeywords(t *testing.T) {
	const n = 1 << 18
	raw := rawKeywords(t, n)
	for name, f := range map[string]any{
		"list": func(kw ...netref.Keyword) int { return len(kw) },
		"map":  func(kw map[string]int) int { return len(kw) },
	} {
		t.Run(name, func(t *testing.T) {
			var a Args
			a.SetRaw(nil, raw)
			got, err := takeKeywords(t, f, Options{Name: "f", Qual: "f", Params: []string{"**kw"}}).Call(t.Context(), nil, &a)
			require.NoError(t, err)
			require.Equal(t, n, got)
		})
	}
	t.Run("refused", func(t *testing.T) {
		var a Args
		a.SetRaw(nil, raw)
		_, err := takeKeywords(t, func(int, int) {}, Options{Name: "f", Qual: "f", Params: []string{"a", "b"}}).Call(
			t.Context(), nil, &a)
		require.EqualError(t, err, "TypeError: f() got an unexpected keyword argument 'k0'")
	})
}

// TestKeywordsOfEndedCall sees that binding stops when the call's context has ended, which it does with the connection.
func TestKeywordsOfEndedCall(t *testing.T) {
	gone := errors.New("the peer has gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	for name, f := range map[string]any{
		"list": func(...netref.Keyword) { t.Error("called") },
		"map":  func(map[string]int) { t.Error("called") },
	} {
		t.Run(name, func(t *testing.T) {
			var a Args
			a.SetRaw(nil, rawKeywords(t, 5000))
			_, err := takeKeywords(t, f, Options{Name: "f", Qual: "f", Params: []string{"**kw"}}).Call(ctx, nil, &a)
			require.ErrorIs(t, err, gone)
		})
	}
}

// TestRepeatedKeywords follows dict(), which the first place and the last value of a key win.
func TestRepeatedKeywords(t *testing.T) {
	kw := func(pairs ...any) (kw []netref.Keyword) {
		for i := 0; i < len(pairs); i += 2 {
			kw = append(kw, netref.Kw(pairs[i].(string), pairs[i+1]))
		}
		return kw
	}
	many := kw("a", 1, "b", 2, "c", 3, "d", 4, "e", 5, "f", 6, "g", 7, "h", 8, "i", 9)
	for _, c := range []struct{ given, want []netref.Keyword }{
		{nil, nil},
		{kw("a", 1), kw("a", 1)},
		{kw("a", 1, "b", 2), kw("a", 1, "b", 2)},
		{kw("a", 1, "b", 2, "a", 3), kw("a", 3, "b", 2)},
		{kw("a", 1, "a", 2, "a", 3), kw("a", 3)},
		{many, many},
		{append(kw("x", 0, "i", 0), many...), append(kw("x", 0, "i", 9), many[:8]...)},
	} {
		got, err := NewArgs(nil, c.given).Keywords()
		require.NoError(t, err)
		require.Equal(t, c.want, got)
	}
}

// TestKeywordsOfOddValues has the results and errors of CPython 3.11 for f(**dict(v)).
func TestKeywordsOfOddValues(t *testing.T) {
	for _, c := range []struct {
		v    any
		want []netref.Keyword
		err  string
	}{
		{brine.Tuple{}, []netref.Keyword{}, ""},
		{brine.Tuple{"ab", "cd"}, []netref.Keyword{netref.Kw("a", "b"), netref.Kw("c", "d")}, ""},
		{brine.FrozenSet{brine.Tuple{"a", int64(1)}}, []netref.Keyword{netref.Kw("a", int64(1))}, ""},
		{"", []netref.Keyword{}, ""},
		{"ab", nil, "ValueError: dictionary update sequence element #0 has length 1; 2 is required"},
		{brine.Tuple{brine.Tuple{"a", int64(1)}, int64(2)}, nil, "TypeError: cannot convert dictionary update sequence " +
			"element #1 to a sequence"},
		{brine.Tuple{brine.Tuple{int64(1), int64(2)}, "abc"}, nil, "ValueError: dictionary update sequence element #1 has " +
			"length 3; 2 is required"},
		{brine.Tuple{brine.Tuple{int64(1), int64(2)}}, nil, "TypeError: keywords must be strings"},
		{brine.Tuple{[]byte("ab")}, nil, "TypeError: keywords must be strings"},
	} {
		raw, err := brine.Marshal(c.v)
		require.NoError(t, err)
		var a Args
		a.SetRaw(nil, raw)
		got, err := a.Keywords()
		if c.err != "" {
			require.EqualError(t, err, c.err, "%v", c.v)
			continue
		}
		require.NoError(t, err, "%v", c.v)
		require.Equal(t, c.want, got, "%v", c.v)
	}
}
