//go:build unix

package modules

import (
	"context"
	"os"
	"strings"

	"github.com/gorpyc/gorpyc/classic/internal/pytypes"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// environ is os.environ: the process's environment.
type environ struct{ _ int }

func envKey(ctx context.Context, v any) (string, error) {
	s, ok := textOf(ctx, v)
	if !ok {
		return "", vinegar.TypeError.Errorf("str expected, not %s", exposed.TypeName(v))
	}
	return s, nil
}

// PyLen is len(x).
func (*environ) PyLen() int { return len(os.Environ()) }

// PyGetItem is x[key].
func (*environ) PyGetItem(ctx context.Context, v any) (any, error) {
	k, err := envKey(ctx, v)
	if err != nil {
		return nil, err
	}
	if s, ok := os.LookupEnv(k); ok {
		return s, nil
	}
	return nil, vinegar.KeyError.New(k)
}

// PySetItem is x[key] = value.
func (*environ) PySetItem(ctx context.Context, v, value any) error {
	k, err := envKey(ctx, v)
	if err != nil {
		return err
	}
	s, err := envKey(ctx, value)
	if err != nil {
		return err
	}
	if k == "" || strings.ContainsAny(k, "=\x00") || strings.ContainsRune(s, 0) {
		return vinegar.ValueError.New("illegal environment variable name")
	}
	return os.Setenv(k, s)
}

// PyDelItem is del x[key].
func (e *environ) PyDelItem(ctx context.Context, v any) error {
	if _, err := e.PyGetItem(ctx, v); err != nil {
		return err
	}
	return os.Unsetenv(v.(string))
}

// PyContains is v in x.
func (*environ) PyContains(ctx context.Context, v any) (bool, error) {
	k, err := envKey(ctx, v)
	if err != nil {
		return false, nil
	}
	_, ok := os.LookupEnv(k)
	return ok, nil
}

// PyIter is iter(x).
func (e *environ) PyIter() (any, error) { return exposed.Iter(background, e.dict()) }

// PyRepr is repr(x).
func (e *environ) PyRepr() (string, error) {
	s, err := exposed.Repr(background, e.dict())
	return "environ(" + s + ")", err
}

// dict is a copy.
func (*environ) dict() *exposed.Dict {
	d := exposed.NewDict()
	for _, kv := range os.Environ() {
		if k, v, ok := strings.Cut(kv, "="); ok && k != "" {
			_ = d.Set(background, k, v) // a str is hashable
		}
	}
	return d
}

var _ = exposed.Register[environ](exposed.ClassOptions{
	Name: "os._Environ",
	Hidden: map[string]any{
		"keys":   func(e *environ) (any, error) { return onDict(e.dict(), "keys") },
		"values": func(e *environ) (any, error) { return onDict(e.dict(), "values") },
		"items":  func(e *environ) (any, error) { return onDict(e.dict(), "items") },
		"copy":   func(e *environ) *exposed.Dict { return e.dict() },
		"get": exposed.Func(func(e *environ, ctx context.Context, key, missing any) (any, error) {
			if ok, err := e.PyContains(ctx, key); !ok {
				return missing, err
			}
			return e.PyGetItem(ctx, key)
		}, "key", "default=None"),
		"setdefault": func(e *environ, ctx context.Context, key, value any) (any, error) {
			if ok, _ := e.PyContains(ctx, key); !ok {
				if err := e.PySetItem(ctx, key, value); err != nil {
					return nil, err
				}
			}
			return e.PyGetItem(ctx, key)
		},
		"pop": func(e *environ, ctx context.Context, key any, missing ...any) (any, error) {
			v, err := e.PyGetItem(ctx, key)
			if err != nil && len(missing) > 0 {
				return missing[0], nil
			}
			if err == nil {
				err = e.PyDelItem(ctx, key)
			}
			return v, err
		},
		"update": exposed.Func(func(e *environ, ctx context.Context, args []any, kw []netref.Keyword) error {
			d, err := exposed.Call(ctx, pytypes.Class("dict"), exposed.NewArgs(args, kw))
			if err != nil {
				return err
			}
			for _, k := range d.(*exposed.Dict).Keys() {
				v, _, err := d.(*exposed.Dict).Get(ctx, k)
				if err != nil {
					return err
				}
				if err := e.PySetItem(ctx, k, v); err != nil {
					return err
				}
			}
			return nil
		}, "*args", "**kw"),
	},
})

func onDict(d *exposed.Dict, method string, args ...any) (any, error) {
	return exposed.CallAttr(background, everything, d, method, exposed.NewArgs(args, nil))
}
