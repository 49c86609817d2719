package netref_test

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// liar is a peer that answers every request at random.
type liar struct {
	rand *rand.Rand
	ids  int64
	left int // objects it still names: conversions follow them
}

var classNames = []string{
	"builtins.list", "builtins.dict", "builtins.set", "builtins.frozenset", "builtins.bytearray", "builtins.generator",
	"builtins.str",
	"collections.OrderedDict", "collections.deque", "datetime.datetime", "datetime.timedelta",
	"decimal.Decimal", "main.Thing",
	"numpy.bool_", "builtins.dict_keys", "", ".",
}

func (l *liar) ByteTexts() bool { return l.rand.IntN(2) == 0 }

func (l *liar) Pickles() (allowed, known bool) { return l.rand.IntN(2) == 0, l.rand.IntN(2) == 0 }

func (*liar) SetPickles(bool) {}

func (l *liar) Unpickle([]byte, bool) (any, error) { return l.value(3), nil }

func (l *liar) value(depth int) any {
	scalars := []any{
		nil, true, false, int64(0), int64(-1), int64(math.MaxInt64), huge, 1.5, math.NaN(), complex(1, 2), "", "a", "owner",
		"2024-02-29", "1:02:03",
		[]byte("b"), brine.Ellipsis, brine.NotImplemented, brine.Slice{},
	}
	switch n := l.rand.IntN(10); {
	case n < 4 || depth > 3:
		return scalars[l.rand.IntN(len(scalars))]
	case n < 7 && l.left > 0:
		l.left--
		l.ids++
		o := l.ids
		if l.rand.IntN(8) == 0 {
			o = 0
		}
		return netref.New(l, wire.Ref{Name: classNames[l.rand.IntN(len(classNames))], Class: 1, Object: o})
	}
	n := l.rand.IntN(5)
	if l.rand.IntN(20) == 0 {
		n = 20
	}
	t := make(brine.Tuple, n)
	for i := range t {
		t[i] = l.value(depth + 1)
	}
	if l.rand.IntN(6) == 0 {
		return brine.FrozenSet(t)
	}
	return t
}

func (l *liar) answer() (any, error) {
	switch l.rand.IntN(12) {
	case 0:
		return nil, vinegar.AttributeError.New("cannot access '__getitem__'")
	case 1:
		return nil, vinegar.KeyError.New("x")
	}
	return l.value(0), nil
}

func (l *liar) Request(ctx context.Context, dst any, _ wire.Handler, _ ...any) error {
	v, err := l.answer()
	if err != nil || dst == nil {
		return err
	}
	if p, ok := dst.(*any); ok {
		*p = v
		return nil
	}
	return netref.Assign(ctx, reflect.ValueOf(dst).Elem(), v)
}

func (l *liar) Start(context.Context, wire.Handler, ...any) (*netref.AsyncResult, error) {
	v, err := l.answer()
	return netref.NewAsyncResult(answered{v, err}), nil
}

func (l *liar) Release(*netref.Object) {}

func (l *liar) Keep(*netref.Object) {}

func (l *liar) Bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return ctx, func() {}
}

// answered is a request that has its answer.
type answered struct {
	v   any
	err error
}

var always = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

func (a answered) Done() <-chan struct{} { return always }

func (a answered) Take(_ context.Context, dst any) error {
	if p, ok := dst.(*any); ok {
		*p = a.v
	}
	return a.err
}

func (a answered) Abandon() {}

func (a answered) Wait(context.Context) error { return nil }

type tree struct {
	Left, Right *tree
	Owner       any `rpyc:",optional"`
}

// TestAnswersAtRandom converts what a peer without any sense says: there are errors, and nothing worse.
func TestAnswersAtRandom(t *testing.T) {
	types := []reflect.Type{}
	for _, v := range []any{
		0, uint8(0), 1.5, true, "", big.Int{}, &big.Int{}, new(int), []byte{}, []int{}, [][]any{}, [2]string{},
		map[string]any{}, map[any]any{},
		map[any]struct{}{}, map[string]bool{}, map[[2]any][]int{}, map[any][]map[any]any{}, time.Time{},
		time.Duration(0), netip.Addr{},
		tree{}, []tree{}, struct{ A, B any }{}, []struct{ Owner *string }{}, brine.Tuple{}, map[fmt.Stringer]int{}, new(any),
	} {
		types = append(types, reflect.TypeOf(v))
	}
	l := &liar{rand: rand.New(rand.NewPCG(1, 2))}
	ctx := t.Context()
	fits := 0
	for range 1000 {
		for _, to := range types {
			l.left = 50
			if netref.Assign(ctx, reflect.New(to).Elem(), l.value(0)) == nil {
				fits++
			}
		}
		l.left = 50
		_, _ = netref.Fetch(ctx, l.value(0))
		o := netref.New(l, wire.Ref{Name: classNames[l.rand.IntN(len(classNames))], Class: 1, Object: 5})
		_, _ = netref.Pairs[string, int](ctx, o)
		_, _ = netref.Op[any](ctx, o, "+=", l.value(0))
		_, _ = netref.Op[bool](ctx, l.value(0), "<=", o)
		_, _ = o.IsInstance(ctx, o)
		_, _ = o.Bytes(ctx)
		_ = o.With(ctx, func(any) error { return vinegar.KeyError })
		n := 0
		for range o.BuffIter(ctx, nil) {
			if n++; n > 50 {
				break
			}
		}
	}
	require.Greater(t, fits, 1000, "some of it makes sense")
}
