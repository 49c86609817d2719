package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"math"
	"math/big"
	"reflect"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// printer writes results.
type printer struct {
	w     io.Writer
	json  bool
	items bool  // print what values are iterated over
	err   error // the first that writing has failed with
	paint paint
}

func printerOf(c *cli.Context) *printer {
	return &printer{w: c.App.Writer, json: c.Bool("json"), items: c.Bool("items"), paint: paintOf(c.App.Writer)}
}

func (p *printer) printf(format string, args ...any) {
	_, err := fmt.Fprintf(p.w, format, args...)
	p.note(err)
}

// value writes a value received. In Python's form, None is a line, too.
func (p *printer) value(ctx context.Context, v any) error {
	if p.items {
		one := *p
		one.items = false
		switch t := v.(type) {
		case brine.Tuple:
			v = []any(t)
		case brine.FrozenSet:
			v = []any(t)
		}
		if list, ok := v.([]any); ok {
			for _, item := range list {
				if err := one.value(ctx, item); err != nil {
					return err
				}
			}
			return nil
		}
		items, err := netref.As[iter.Seq2[any, error]](ctx, v)
		if err != nil {
			return err
		}
		for item, err := range items {
			if err != nil {
				return err
			}
			if err := one.value(ctx, item); err != nil {
				return err
			}
		}
		return nil
	}
	if !p.json {
		s, err := exposed.Repr(ctx, v)
		if err != nil {
			return err
		}
		p.printf("%s\n", s)
		return p.err
	}
	v, err := netref.Fetch(ctx, v)
	if err != nil {
		return err
	}
	return p.document(plain(ctx, v))
}

// document writes JSON on one line.
func (p *printer) document(v any) error {
	e := json.NewEncoder(p.w)
	e.SetEscapeHTML(false)
	p.note(e.Encode(v))
	return p.err
}

// note keeps the first failure, which is one of this side.
func (p *printer) note(err error) {
	if err != nil && p.err == nil {
		p.err = coded{fmt.Errorf("output: %w", err), exitFailed}
	}
}

// plain makes of a value what encoding/json can write. Objects are asked for their repr.
func plain(ctx context.Context, v any) any {
	switch v := v.(type) {
	case nil, bool, int64, *big.Int, string:
		return v
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return map[string]any{"float": vinegar.Repr(v)}
		}
		return v
	case []byte:
		return map[string]any{"bytes": base64.StdEncoding.EncodeToString(v)}
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case time.Duration:
		return v.Seconds()
	case brine.Tuple:
		return plainList(ctx, v)
	case brine.FrozenSet:
		return plainList(ctx, v)
	case []any:
		return plainList(ctx, v)
	case map[any]struct{}:
		list := make([]any, 0, len(v))
		for item := range v {
			list = append(list, item)
		}
		return plainList(ctx, list)
	case map[any]any:
		return plainDict(ctx, v)
	case *netref.Object:
		o := map[string]any{"object": v.ClassName()}
		if s, err := v.Repr(ctx); err == nil {
			o["repr"] = s
		}
		return o
	}
	return map[string]any{"repr": vinegar.Repr(v)}
}

func plainList(ctx context.Context, items []any) []any {
	out := make([]any, len(items))
	for i, item := range items {
		out[i] = plain(ctx, item)
	}
	return out
}

// plainDict makes an object of a dict with text as keys, and otherwise a list of pairs, which loses nothing.
func plainDict(ctx context.Context, d map[any]any) any {
	texts := make(map[string]any, len(d))
	for k, v := range d {
		s, ok := k.(string)
		if !ok {
			break
		}
		texts[s] = plain(ctx, v)
	}
	if len(texts) == len(d) {
		return texts
	}
	pairs := make([]any, 0, len(d))
	for k, v := range d {
		pairs = append(pairs, []any{plain(ctx, key(k)), plain(ctx, v)})
	}
	return map[string]any{"dict": pairs}
}

// key undoes what Fetch does to keys that Go cannot hash: tuples are arrays of any, bytes arrays of byte.
func key(k any) any {
	r := reflect.ValueOf(k)
	if r.Kind() != reflect.Array {
		return k
	}
	if r.Type().Elem().Kind() == reflect.Uint8 {
		b := make([]byte, r.Len())
		reflect.Copy(reflect.ValueOf(b), r)
		return b
	}
	t := make(brine.Tuple, r.Len())
	for i := range t {
		t[i] = key(r.Index(i).Interface())
	}
	return t
}
