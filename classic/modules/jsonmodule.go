//go:build unix

package modules

import (
	"context"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/classic/internal/pytypes"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

var dumpParams = []string{"obj", "*", "skipkeys=False", "ensure_ascii=True", "check_circular=True", "allow_nan=True",
	"indent=None", "separators=None",
	"default=None", "sort_keys=False"}

// dumpJSON is json.dumps.
func dumpJSON(ctx context.Context, v any, skip, ascii, _, nan bool, indent, separators, missing any,
	sortKeys bool) (string, error) {
	w := &jsonWriter{item: ", ", key: ": ", ascii: ascii, skip: skip, allowNaN: nan, missing: missing, sortKeys: sortKeys,
		around: map[any]bool{}}
	switch n := indent.(type) {
	case nil:
	case int64:
		w.pretty, w.item, w.indent = true, ",", strings.Repeat(" ", int(max(min(n, 1000), 0)))
	case string:
		w.pretty, w.item, w.indent = true, ",", n
	default:
		return "", vinegar.TypeError.Errorf("can't multiply sequence by non-int of type '%s'", exposed.TypeName(indent))
	}
	if separators != nil {
		pair, err := exposed.Call(ctx, pytypes.Class("tuple"), exposed.NewArgs([]any{separators}, nil))
		if err != nil {
			return "", err
		}
		t := pair.(brine.Tuple)
		if len(t) != 2 {
			return "", vinegar.ValueError.Errorf("not enough values to unpack (expected 2, got %d)", len(t))
		}
		var a, b bool
		w.item, a = t[0].(string)
		w.key, b = t[1].(string)
		if !a || !b {
			return "", vinegar.TypeError.New("separators must be str")
		}
	}
	err := w.value(ctx, v)
	return w.b.String(), err
}

func newJSON(*Interpreter) *Module {
	m := New("json", "JSON (JavaScript Object Notation) is a lightweight data-interchange format.")
	m.Const("JSONDecodeError", vinegar.JSONDecodeError)
	m.Def("dumps", dumpJSON, dumpParams...)
	m.Def("dump",
		func(ctx context.Context, v, fp any, skip, ascii, circular, nan bool, indent, separators, missing any,
			sortKeys bool) error {
			s, err := dumpJSON(ctx, v, skip, ascii, circular, nan, indent, separators, missing, sortKeys)
			if err != nil {
				return err
			}
			_, err = exposed.CallAttr(ctx, everything, fp, "write", exposed.NewArgs([]any{s}, nil))
			return err
		}, append([]string{"obj", "fp"}, dumpParams[1:]...)...)
	loads := func(ctx context.Context, v any) (any, error) {
		switch s := v.(type) {
		case string:
			return loadJSON(ctx, s)
		case []byte:
			text, err := exposed.CallAttr(ctx, everything, s, "decode", &exposed.Args{})
			if err != nil {
				return nil, err
			}
			return loadJSON(ctx, strings.TrimPrefix(text.(string), "\ufeff"))
		}
		return nil, vinegar.TypeError.Errorf("the JSON object must be str, bytes or bytearray, not %s", exposed.TypeName(v))
	}
	m.Def("loads", loads, "s")
	m.Def("load", func(ctx context.Context, fp any) (any, error) {
		s, err := exposed.CallAttr(ctx, everything, fp, "read", &exposed.Args{})
		if err != nil {
			return nil, err
		}
		return loads(ctx, s)
	}, "fp")
	return m
}
