package exposed

import (
	"context"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
)

// CallArgs makes arguments of the decoded values that a request carries, which may be anything iterable, an object of
// the other end or one of ours (Python's f(*pos, **dict(kw))).
func CallArgs(ctx context.Context, pos, kw any) (*Args, error) {
	if !iterable(pos) {
		return nil, binding.NotSpreadable(pos)
	}
	p, err := items(ctx, pos)
	if err != nil {
		return nil, err
	}
	k, err := keywords(ctx, kw)
	return NewArgs(p, k), err
}

// keywords is dict(v) with the names checked as f(**d) does.
func keywords(ctx context.Context, v any) ([]netref.Keyword, error) {
	if kw, ok := binding.KeywordPairs(v); ok {
		return kw, nil
	}
	d := new(Dict)
	if err := updateDict(ctx, d, v); err != nil {
		return nil, err
	}
	kw := make([]netref.Keyword, 0, d.table.Len())
	for e := range d.table.All {
		name, ok := e.Of.(string)
		if !ok || !utf8.ValidString(name) {
			return nil, binding.KeywordsMustBeStrings()
		}
		kw = append(kw, netref.Keyword{Name: name, Value: e.Value})
	}
	return kw, nil
}
