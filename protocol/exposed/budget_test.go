package exposed_test

import (
	"context"
	"fmt"
	"math/big"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// nones is 2 MiB.
func nones() []any { return make([]any, 1<<17) }

// TestBudget: what a peer makes of little, and goes on referring to, comes to an end; what nobody refers to any more
// does not count.
func TestBudget(t *testing.T) {
	all := &exposed.Policy{AllowAll: true}
	list := exposed.NewList(nones()...) // which the service has paid for
	dict := map[int]int{}
	for i := range 1 << 14 {
		dict[i] = i
	}
	extended, filled := exposed.NewList(), exposed.NewList()
	own, pushed, growing, set := exposed.NewDict(), exposed.NewList(), exposed.NewList(), exposed.NewSet()
	places := exposed.NewList(make([]any, 1000)...)
	slots, grown, goMap := make([]any, 1000), []any{}, map[int]any{}
	loose, settable := &struct{ exposed.Attrs }{}, &exposed.Policy{AllowAll: true, AllowSet: true, AllowDel: true}
	listClass, _ := exposed.Builtin("list")
	i := int64(0)
	for name, op := range map[string]func(ctx context.Context) (any, error){
		"slice":  func(ctx context.Context) (any, error) { return exposed.GetItem(ctx, list, brine.Slice{}) },
		"mul":    func(ctx context.Context) (any, error) { return exposed.Operate(ctx, "__mul__", []any{1}, int64(1<<17)) },
		"add":    func(ctx context.Context) (any, error) { return exposed.Operate(ctx, "__add__", list, []any{1}) },
		"copy":   func(ctx context.Context) (any, error) { return callOn(ctx, all, list, "copy") },
		"dict":   func(ctx context.Context) (any, error) { return callOn(ctx, all, dict, "copy") },
		"iter":   func(ctx context.Context) (any, error) { return exposed.Iter(ctx, dict) },
		"values": func(ctx context.Context) (any, error) { return valuesOf(ctx, dict) },
		"reversed": func(ctx context.Context) (any, error) {
			return callOn(ctx, all, dict, "__reversed__")
		},
		"text":  func(ctx context.Context) (any, error) { return exposed.Iter(ctx, strings.Repeat("x", 1<<20)) },
		"tuple": func(ctx context.Context) (any, error) { return exposed.Iter(ctx, brine.Tuple(nones())) },
		"bytes": func(ctx context.Context) (any, error) { return exposed.Iter(ctx, make([]byte, 1<<20)) },
		"error": func(ctx context.Context) (any, error) { return newError(ctx, make([]byte, 1<<20)) },
		"extend": func(ctx context.Context) (any, error) {
			return callOn(ctx, all, extended, "extend", brine.Tuple(nones()))
		},
		"assign": func(ctx context.Context) (any, error) {
			return callOn(ctx, all, filled, "__setitem__", brine.Slice{Start: int64(0), Stop: int64(0)}, brine.Tuple(nones()))
		},
		"entries": func(ctx context.Context) (any, error) {
			for range 1 << 13 {
				i++
				if err := own.Set(ctx, i, nil); err != nil {
					return nil, err
				}
			}
			return nil, nil
		},
		"set": func(ctx context.Context) (any, error) {
			set := exposed.NewSet()
			for i := range int64(1 << 13) {
				if err := set.Add(ctx, i); err != nil {
					return nil, err
				}
			}
			return set, nil
		},
		"producers": func(ctx context.Context) (any, error) {
			var started []*exposed.Generator
			for range 128 {
				g := exposed.NewGenerator(func(yield func(int) bool) {
					for yield(1) {
					}
				})
				t.Cleanup(func() { _ = g.Close() })
				if _, _, err := exposed.Next(ctx, g); err != nil {
					return nil, err
				}
				started = append(started, g)
			}
			return started, nil
		},
		"lines": func(ctx context.Context) (any, error) {
			return callOn(ctx, all, strings.NewReader(strings.Repeat("a line\n", 1<<16)), "readlines")
		},
		"attributes": func(ctx context.Context) (any, error) {
			i++
			return nil, exposed.SetAttr(ctx, settable, loose, fmt.Sprint("a", i), mebibyte())
		},
		// A message can have brought a thousand times its length.
		"pushed": func(ctx context.Context) (any, error) { return callOn(ctx, all, pushed, "append", mebibyte()) },
		"inserted": func(ctx context.Context) (any, error) {
			return callOn(ctx, all, pushed, "insert", int64(0), mebibyte())
		},
		"added texts": func(ctx context.Context) (any, error) {
			return callOn(ctx, all, growing, "__iadd__", texts())
		},
		"put": func(ctx context.Context) (any, error) {
			i++
			return callOn(ctx, all, places, "__setitem__", i%1000, mebibyte())
		},
		"put into a slice": func(ctx context.Context) (any, error) {
			i++
			return callOn(ctx, all, slots, "__setitem__", i%1000, mebibyte())
		},
		"value":  func(ctx context.Context) (any, error) { i++; return nil, own.Set(ctx, i, mebibyte()) },
		"key":    func(ctx context.Context) (any, error) { i++; return nil, own.Set(ctx, brine.Tuple{i, mebibyte()}, nil) },
		"member": func(ctx context.Context) (any, error) { i++; return nil, set.Add(ctx, brine.Tuple{i, mebibyte()}) },
		"value in a map": func(ctx context.Context) (any, error) {
			i++
			return callOn(ctx, all, goMap, "__setitem__", i, mebibyte())
		},
		"grown slice": func(ctx context.Context) (any, error) {
			return callOn(ctx, all, &grown, "append", mebibyte())
		},
		"made list": func(ctx context.Context) (any, error) {
			return exposed.Call(ctx, listClass, exposed.NewArgs([]any{brine.Tuple{mebibyte()}}, nil))
		},
		"united": func(ctx context.Context) (any, error) {
			i++
			return exposed.Operate(ctx, "__or__", exposed.NewSet(), brine.FrozenSet{brine.Tuple{i, mebibyte()}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := exposed.NewBudget(8 << 20)
			ctx, cancel := context.WithTimeout(exposed.WithBudget(t.Context(), b), time.Minute)
			defer cancel()
			var kept []any
			var err error
			for range 64 {
				var v any
				if v, err = op(ctx); err != nil {
					break
				}
				kept = append(kept, v)
			}
			require.ErrorIs(t, err, vinegar.MemoryError)
			require.Greater(t, len(kept), 1)
			require.LessOrEqual(t, b.Used(), int64(8<<20))
			runtime.KeepAlive(kept)
		})
	}
	t.Run("garbage", func(t *testing.T) {
		b := exposed.NewBudget(8 << 20)
		ctx := exposed.WithBudget(t.Context(), b)
		_, err := exposed.GetItem(ctx, list, brine.Slice{})
		require.NoError(t, err)
		require.Equal(t, int64(5<<19), b.Used(), "the items, and a quarter in advance")
		for deadline := time.Now().Add(time.Minute); b.Used() > 0; {
			require.True(t, time.Now().Before(deadline), "nothing refers to the list, and it counts")
			runtime.GC()
		}
	})
	require.Less(t, extended.Len(), 5<<17)
	require.Less(t, filled.Len(), 5<<17)
}

func mebibyte() []byte { return make([]byte, 1<<20) }

// texts is a MiB of short texts.
func texts() brine.Tuple {
	t := make(brine.Tuple, 1<<12)
	for i := range t {
		t[i] = strings.Repeat("x", 240)
	}
	return t
}

// TestBudgetOfValuesThatGo: what has been taken out again or put over another value does not count, nor does what was
// there before the peer came.
func TestBudgetOfValuesThatGo(t *testing.T) {
	all := &exposed.Policy{AllowAll: true}
	b := exposed.NewBudget(32 << 20)
	ctx := exposed.WithBudget(t.Context(), b)
	list, dict, set := exposed.NewList(), exposed.NewDict(), exposed.NewSet()
	goMap, slots, grown := map[string]any{}, make([]any, 4), []any{}
	loose, settable := &struct{ exposed.Attrs }{}, &exposed.Policy{AllowAll: true, AllowSet: true, AllowDel: true}
	own := exposed.NewList()
	ofOurs := exposed.NewDict()
	for i := range int64(64) {
		own.Append(mebibyte())
		require.NoError(t, ofOurs.Set(t.Context(), i, mebibyte()))
	}
	for i := range int64(64) {
		for _, call := range [][]any{
			{list, "append", mebibyte()}, {list, "pop"}, {list, "insert", int64(0), mebibyte()},
			{list, "__setitem__", int64(0), mebibyte()}, {list, "__delitem__", int64(0)},
			{list, "__iadd__", brine.Tuple{mebibyte()}}, {list, "clear"},
			{dict, "__setitem__", "key", mebibyte()}, {dict, "setdefault", "key", mebibyte()},
			{dict, "__setitem__", i, mebibyte()}, {dict, "pop", i},
			{set, "add", mebibyte()}, {set, "remove", mebibyte()}, {set, "add", "x"},
			{goMap, "__setitem__", "key", mebibyte()}, {goMap, "__setitem__", "other", mebibyte()}, {goMap, "pop", "other"},
			{slots, "__setitem__", i % 4, mebibyte()}, {&grown, "append", mebibyte()}, {&grown, "pop"},
			{own, "copy"}, {own, "__getitem__", brine.Slice{}}, {own, "__mul__", int64(2)}, {ofOurs, "copy"},
		} {
			_, err := callOn(ctx, all, call[0], call[1].(string), call[2:]...)
			require.NoError(t, err, "%T %v", call[0], call[1])
		}
		require.NoError(t, exposed.SetAttr(ctx, settable, loose, "same", mebibyte()))
		require.NoError(t, exposed.SetAttr(ctx, settable, loose, fmt.Sprint("a", i), mebibyte()))
		require.NoError(t, exposed.DelAttr(ctx, settable, loose, fmt.Sprint("a", i)))
	}
	runtime.KeepAlive(goMap)
}

// TestTuplesThatShare: looking at a tuple that has another one a thousand times, and so on, comes to an end. It is sent
// item by item, if at all.
func TestTuplesThatShare(t *testing.T) {
	tuple := brine.Tuple{int64(1)}
	for range 10 {
		outer := make(brine.Tuple, 1000)
		for i := range outer {
			outer[i] = tuple
		}
		tuple = outer
	}
	form, ok := exposed.ByValue(tuple)
	require.False(t, ok)
	require.Len(t, form, 1000)
	n, err := exposed.Len(t.Context(), tuple)
	require.NoError(t, err)
	require.Equal(t, 1000, n)
}

// TestWeighingEnds weighs a tuple that has itself twice, and that the same, and so on.
func TestWeighingEnds(t *testing.T) {
	tuple := brine.Tuple{}
	for range 100 {
		tuple = brine.Tuple{tuple, tuple}
	}
	ctx := exposed.WithBudget(t.Context(), exposed.NewBudget(1<<20))
	_, err := newError(ctx, tuple)
	require.ErrorIs(t, err, vinegar.MemoryError)
}

func callOn(ctx context.Context, p *exposed.Policy, v any, name string, args ...any) (any, error) {
	return exposed.CallAttr(ctx, p, v, name, exposed.NewArgs(args, nil))
}

func valuesOf(ctx context.Context, v any) (any, error) {
	values, err := callOn(ctx, &exposed.Policy{AllowAll: true}, v, "values")
	if err != nil {
		return nil, err
	}
	return exposed.Iter(ctx, values)
}

func newError(ctx context.Context, arg any) (any, error) {
	return exposed.Call(ctx, vinegar.ValueError, exposed.NewArgs([]any{arg}, nil))
}

// TestKeysOfOneHash: a peer that fills a dict with keys which all have the same hash, as tuples of multiples of 2^61-1
// and one object have, is stopped before that costs much.
func TestKeysOfOneHash(t *testing.T) {
	d, service := exposed.NewDict(), new(settings)
	var err error
	n := 0
	for ; n < 1<<16 && err == nil; n++ {
		err = d.Set(t.Context(), brine.Tuple{service, new(big.Int).Mul(big.NewInt(int64(n)), big.NewInt(1<<61-1))}, nil)
	}
	require.ErrorIs(t, err, vinegar.MemoryError)
	require.Less(t, n, 4096)
	for i := range int64(8192) { // plain values are found by themselves
		require.NoError(t, d.Set(t.Context(), brine.Tuple{i, new(big.Int).Mul(big.NewInt(i), big.NewInt(1<<61-1))}, nil))
	}
}

// TestIterationOfText: the characters are those that a loop over Python's text gives, and are not all made at once.
func TestIterationOfText(t *testing.T) {
	it, err := exposed.Iter(t.Context(), "aé€😀")
	require.NoError(t, err)
	for _, want := range []string{"a", "é", "€", "😀"} {
		v, ok, err := exposed.Next(t.Context(), it)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, want, v)
	}
	for range 2 {
		_, ok, err := exposed.Next(t.Context(), it)
		require.NoError(t, err)
		require.False(t, ok)
	}
	long := strings.Repeat("é", 4<<20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	it, err = exposed.Iter(t.Context(), long)
	require.NoError(t, err)
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
	runtime.KeepAlive(it)
}
