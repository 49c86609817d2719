package exposed_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// waiting is an object that answers an operation when it is let.
type waiting struct {
	asked chan struct{}
	let   chan struct{}
}

func (w *waiting) PyEq(ctx context.Context, _ any) bool { w.wait(); return false }

func (w *waiting) PyRepr() string { w.wait(); return "waiting" }

func (w *waiting) wait() {
	w.asked <- struct{}{}
	<-w.let
}

// TestOperationsThatWait has ever more operations wait at the same time that hold copies of a list, or long texts. As
// many may as the budget has room for, and any one by itself.
func TestOperationsThatWait(t *testing.T) {
	list := exposed.NewList(make([]any, 1<<16)...) // a MiB
	w := &waiting{asked: make(chan struct{}), let: make(chan struct{})}
	texts := exposed.NewList(strings.Repeat("x", 1<<20), w)
	dict := exposed.NewDict()
	require.NoError(t, dict.Set(t.Context(), "text", strings.Repeat("x", 1<<20)))
	require.NoError(t, dict.Set(t.Context(), "object", w))
	all := &exposed.Policy{AllowAll: true}
	for name, op := range map[string]func(ctx context.Context) error{
		"search": func(ctx context.Context) error { _, err := exposed.Contains(ctx, list, w); return err },
		"sort": func(ctx context.Context) error {
			_, err := callOn(ctx, all, exposed.NewList(append(list.Items(), w, w)...), "count", w)
			return err
		},
		"repr":         func(ctx context.Context) error { _, err := exposed.Repr(ctx, texts); return err },
		"repr of dict": func(ctx context.Context) error { _, err := exposed.Repr(ctx, dict); return err },
	} {
		t.Run(name, func(t *testing.T) {
			for limit, want := range map[int64]int{8<<20 + 1<<19: 8, 1 << 10: 1} {
				ctx := exposed.WithBudget(t.Context(), exposed.NewBudget(limit))
				var under sync.WaitGroup
				waits := 0
				failed := make(chan error)
				for more := true; more; {
					under.Add(1)
					go func() {
						defer under.Done()
						if err := op(ctx); err != nil {
							failed <- err
						}
					}()
					select {
					case <-w.asked:
						waits++
					case err := <-failed:
						require.ErrorIs(t, err, vinegar.MemoryError)
						more = false
					}
				}
				require.InDelta(t, want, waits, 1)
				ended := make(chan struct{})
				go func() { under.Wait(); close(ended) }()
				for done := false; !done; {
					select {
					case w.let <- struct{}{}:
					case <-w.asked:
					case <-ended:
						done = true
					}
				}
				require.NoError(t, exposedHeldNothing(ctx, list))
			}
		})
	}
}

// exposedHeldNothing does what is possible only if nobody holds anything.
func exposedHeldNothing(ctx context.Context, list *exposed.List) error {
	_, err := exposed.Contains(ctx, list, 1)
	return err
}
