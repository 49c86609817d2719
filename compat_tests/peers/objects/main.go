// Command objects does to the objects of compat_tests/reference/objects_server.py what the rows of objects_rows.py do
// in Python, in the words of the table in package netref's documentation:
//
//	objects HOST PORT [requests]
//
// It prints a JSON object for each row, {"row": LINE, "value": V} or {"row": LINE, "error": CLASS}. With the word
// requests, it prints how many requests some conversions take instead.
package main

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"net"
	"os"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "objects:", err)
		os.Exit(1)
	}
}

// row is one row: the Python line, and what it is in Go.
type row struct {
	line string
	do   func(ctx context.Context, c *client) (any, error)
}

type client struct{ conn *protocol.Conn }

// object makes a fresh object of that name.
func (c *client) object(name string) *netref.Object {
	o, err := netref.Call[*netref.Object](context.Background(), c.conn.Root(), "new", name)
	if err != nil {
		panic(fmt.Errorf("%s: %w", name, err))
	}
	return o
}

func run(ctx context.Context, args []string, out io.Writer) error {
	rows := slices.Concat(plainRows, operatorRows, blockRows, conversionRows)
	cfg := protocol.Config{Access: exposed.Policy{AllowAll: true}, Timeout: 20 * time.Second}
	var sent requests
	switch {
	case len(args) == 3 && args[2] == "requests":
		rows = sent.rows()
		cfg.Trace = &sent
	case len(args) != 2:
		return errors.New("usage: objects HOST PORT [requests]")
	}
	conn, err := protocol.Dial(ctx, "tcp", net.JoinHostPort(args[0], args[1]), &cfg)
	if err != nil {
		return err
	}
	c := &client{conn}
	w := json.NewEncoder(out)
	for _, r := range rows {
		line := map[string]any{"row": r.line}
		v, err := r.do(ctx, c)
		var exc *vinegar.Error
		switch {
		case errors.As(err, &exc):
			line["error"] = exc.Class.Name()
		case err != nil:
			line["error"] = err.Error()
		default:
			if line["value"], err = encode(ctx, v); err != nil {
				return fmt.Errorf("%s: %w", r.line, err)
			}
		}
		if err := w.Encode(line); err != nil {
			return err
		}
	}
	return conn.Close()
}

// list is what a row reports of several values.
type list []any

func bits(f float64) string { return fmt.Sprintf("%016x", math.Float64bits(f)) }

// encode gives a value the form in which objects_rows.py reports it.
func encode(ctx context.Context, v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case *netref.Object:
		text, err := v.Repr(ctx)
		return map[string]any{"repr": text}, err
	case *big.Int:
		return map[string]any{"int": v.String()}, nil
	case []byte:
		return map[string]any{"bytes": hex.EncodeToString(v)}, nil
	case time.Time:
		return encode(ctx, list{v.Unix(), v.Nanosecond() / 1000})
	case time.Duration:
		return encode(ctx, v.Microseconds())
	}
	rv := reflect.ValueOf(v)
	switch k := rv.Kind(); {
	case k == reflect.Bool:
		return rv.Bool(), nil
	case k == reflect.String:
		return rv.String(), nil
	case rv.CanInt():
		return map[string]any{"int": strconv.FormatInt(rv.Int(), 10)}, nil
	case rv.CanUint():
		return map[string]any{"int": strconv.FormatUint(rv.Uint(), 10)}, nil
	case rv.CanFloat():
		return map[string]any{"float": bits(rv.Float())}, nil
	case rv.CanComplex():
		z := rv.Complex()
		return map[string]any{"complex": []string{bits(real(z)), bits(imag(z))}}, nil
	case k == reflect.Pointer && rv.IsNil():
		return nil, nil
	case k == reflect.Slice, k == reflect.Array:
		items := []any{}
		for i := range rv.Len() {
			item, err := encode(ctx, rv.Index(i).Interface())
			if err != nil {
				return nil, err
			}
			items = append(items, item)
		}
		return map[string]any{"list": items}, nil
	case k == reflect.Struct:
		var fields list
		for i := range rv.NumField() {
			fields = append(fields, rv.Field(i).Interface())
		}
		return encode(ctx, fields)
	case k == reflect.Map:
		return encodeMap(ctx, rv)
	}
	return nil, fmt.Errorf("no form for %T", v)
}

func encodeMap(ctx context.Context, m reflect.Value) (any, error) {
	set := m.Type().Elem() == reflect.TypeFor[struct{}]()
	items := []any{}
	for it := m.MapRange(); it.Next(); {
		key, err := encode(ctx, it.Key().Interface())
		if err != nil {
			return nil, err
		}
		if set {
			items = append(items, key)
			continue
		}
		value, err := encode(ctx, it.Value().Interface())
		if err != nil {
			return nil, err
		}
		items = append(items, []any{key, value})
	}
	slices.SortFunc(items, func(a, b any) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	if set {
		return map[string]any{"set": items}, nil
	}
	return map[string]any{"dict": items}, nil
}
