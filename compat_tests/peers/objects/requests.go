package main

import (
	"bytes"
	"context"
	"sync"

	"github.com/gorpyc/gorpyc/netref"
)

// requests counts the requests that go out, but those that give references back, in a connection's trace.
type requests struct {
	mu sync.Mutex
	n  int
}

// Write takes lines of the trace.
func (r *requests) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for line := range bytes.Lines(p) {
		if bytes.HasPrefix(line, []byte("> REQUEST")) && !bytes.Contains(line, []byte(" DEL ")) {
			r.n++
		}
	}
	return len(p), nil
}

func (r *requests) taken() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.n
	r.n = 0
	return n
}

// counted is the row of how many requests a conversion takes.
func counted[T any](r *requests, line, name string, convert func(context.Context, any) (T, error)) row {
	return row{line, func(ctx context.Context, c *client) (any, error) {
		o := c.object(name)
		r.taken()
		if _, err := convert(ctx, o); err != nil {
			return nil, err
		}
		return r.taken(), nil
	}}
}

func (r *requests) rows() []row {
	return []row{
		counted(r, "list", "l", netref.As[[]int]),
		counted(r, "set", "s", netref.As[map[int]struct{}]),
		counted(r, "dict of 2", "d", netref.As[map[string]int]),
		counted(r, "dict of 300", "big", netref.As[map[int]string]),
		counted(r, "dict of 300, copied", "big", netref.Fetch),
		counted(r, "list of 3 lists", "rows", netref.As[[][]int]),
		counted(r, "list of 3 lists, copied", "rows", netref.Fetch),
		counted(r, "list of 3 datetimes", "whens", netref.Fetch),
	}
}
