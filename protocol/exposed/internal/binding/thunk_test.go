package binding

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

type plainForms struct {
	calls int
	text  string
}

type valueKey struct{}

func (p *plainForms) None() int                    { p.calls++; return p.calls }
func (p *plainForms) One(s string) string          { return p.text + s }
func (p *plainForms) Two(a int, b float64) float64 { return float64(a) * b }
func (p *plainForms) Mixed(s string, n int) string { return fmt.Sprint(p.text, s, n) }
func (p *plainForms) Fails(s string) (bool, error) { return true, errors.New(s) }
func (p *plainForms) Ctx(ctx context.Context) string {
	return ctx.Value(valueKey{}).(string)
}
func (p *plainForms) CtxTwo(ctx context.Context, a, b int) (int, error) {
	runtime.GC() // what is referred to from the arguments must survive it
	deep(100)    // the stack moves
	p.calls = a + b
	return p.calls, ctx.Err()
}
func (p *plainForms) Boom(int) int { panic("boom") }

func deep(n int) int {
	var room [256]byte
	if n == 0 {
		return len(room)
	}
	return deep(n-1) + int(room[n])
}

// The forms that are called by reflection.

func (p *plainForms) Many(a, b, c int) int    { return a + b + c }
func (p *plainForms) Rest(xs ...int) int      { return len(xs) }
func (p *plainForms) Pair(a int) (int, int)   { return a, a }
func (p *plainForms) Unusual(a uint16) uint16 { return a }
func (p *plainForms) Nothing(a int) error     { return nil }

// TestThunks calls methods without reflection and by it, and compares.
func TestThunks(t *testing.T) {
	ctx := context.WithValue(t.Context(), valueKey{}, "value")
	for _, c := range []struct {
		method string
		thunk  bool
		args   []any
		want   any
		fails  string
	}{
		{"None", true, nil, 1, ""},
		{"One", true, []any{"x"}, "textx", ""},
		{"Two", true, []any{int64(3), 1.5}, 4.5, ""},
		{"Two", true, []any{int64(3), int64(2)}, 6.0, ""}, // an argument that has to be converted
		{"Mixed", true, []any{"x", int64(7)}, "textx7", ""},
		{"Fails", true, []any{"no"}, nil, "no"},
		{"Ctx", true, nil, "value", ""},
		{"CtxTwo", true, []any{int64(2), int64(3)}, 5, ""},
		{"One", true, []any{int64(1)}, nil, "must be str"},
		{"Many", false, []any{int64(1), int64(2), int64(3)}, 6, ""},
		{"Rest", false, []any{int64(1), int64(2)}, 2, ""},
		{"Unusual", false, []any{int64(5)}, uint16(5), ""},
		{"Nothing", false, []any{int64(5)}, nil, ""},
	} {
		m, ok := reflect.TypeFor[*plainForms]().MethodByName(c.method)
		require.True(t, ok)
		p, err := New(m.Func, Options{Name: c.method, Qual: c.method, Method: true})
		require.NoError(t, err)
		require.Equal(t, c.thunk, p.thunk != nil, c.method)
		for range 3 {
			self := &plainForms{text: "text"}
			got, err := p.Call(ctx, self, NewArgs(c.args, nil))
			p.thunk, p.fnWord = nil, nil // from here on by reflection
			if c.fails != "" {
				require.ErrorContains(t, err, c.fails)
				continue
			}
			require.NoError(t, err)
			require.Equal(t, c.want, got, c.method)
		}
	}
	m, _ := reflect.TypeFor[*plainForms]().MethodByName("Boom")
	p, err := New(m.Func, Options{Name: "boom", Qual: "boom", Method: true})
	require.NoError(t, err)
	require.NotNil(t, p.thunk)
	require.PanicsWithValue(t, "boom", func() {
		_, _ = p.Call(ctx, &plainForms{}, NewArgs([]any{int64(1)}, nil))
	}, "for the caller to catch")
}
