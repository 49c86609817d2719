package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// The lines of the output.
type (
	valueLine struct {
		Step  string `json:"step"`
		Value any    `json:"value"`
	}
	errorLine struct {
		Step  string `json:"step"`
		Error any    `json:"error"`
	}
	doneLine struct {
		Step string `json:"step"`
	}
)

// form is a value that has no counterpart in JSON: an object with one key that tells its type.
type form map[string]any

// encode gives a value the form in which it is reported, with its exact Python type and value. Slices other than those
// of package brine are what the program itself collected.
func encode(v any) (any, error) {
	switch v := v.(type) {
	case nil, bool, string:
		return v, nil
	case int:
		return form{"int": strconv.Itoa(v)}, nil
	case int64:
		return form{"int": strconv.FormatInt(v, 10)}, nil
	case *big.Int:
		return form{"int": v.String()}, nil
	case float64:
		return form{"float": bits(v)}, nil
	case complex128:
		return form{"complex": []string{bits(real(v)), bits(imag(v))}}, nil
	case []byte:
		return form{"bytes": hex.EncodeToString(v)}, nil
	case brine.EllipsisType:
		return form{"ellipsis": true}, nil
	case brine.NotImplementedType:
		return form{"notimplemented": true}, nil
	case brine.Tuple:
		return encodeItems("tuple", v)
	case brine.FrozenSet:
		return encodeItems("frozenset", v)
	case brine.Slice:
		return encodeItems("slice", []any{v.Start, v.Stop, v.Step})
	case *netref.Object:
		return form{"ref": v.ClassName()}, nil
	}
	if s := reflect.ValueOf(v); s.Kind() == reflect.Slice {
		items := make([]any, s.Len())
		for i := range items {
			items[i] = s.Index(i).Interface()
		}
		return encodeItems("list", items)
	}
	return nil, fmt.Errorf("no form for %T", v)
}

func encodeItems(key string, items []any) (any, error) {
	forms := make([]any, len(items))
	for i, item := range items {
		var err error
		if forms[i], err = encode(item); err != nil {
			return nil, err
		}
	}
	return form{key: forms}, nil
}

// bits is a float as eight bytes in hex: exact, signed zeros and NaNs included.
func bits(f float64) string { return fmt.Sprintf("%016x", math.Float64bits(f)) }

// encodeError gives an error its form: an exception of the peer's, or how the call ended on this side.
func encodeError(err error) any {
	var exc *vinegar.Error
	switch {
	case errors.Is(err, protocol.ErrClosed):
		return form{"local": "closed"}
	case errors.As(err, &exc):
		return encodeException(exc)
	case errors.Is(err, context.DeadlineExceeded):
		return form{"local": "timeout"}
	}
	return form{"local": fmt.Sprintf("%T: %v", err, err)}
}

// interpreters are attributes that CPython gives to every exception of some class, depending on its version.
var interpreters = []string{"add_note", "with_traceback", "name", "obj", "name_from", "filename2", "characters_written"}

func encodeException(exc *vinegar.Error) any {
	args := make([]any, len(exc.Args))
	for i, arg := range exc.Args {
		args[i] = encodeOrText(arg)
	}
	attrs := make(map[string]any)
	for _, attr := range exc.Attrs {
		if !strings.HasPrefix(attr.Name, "_") && !slices.Contains(interpreters, attr.Name) {
			attrs[attr.Name] = encodeOrText(attr.Value)
		}
	}
	return form{"class": exc.Class.Module() + "." + exc.Class.Name(), "args": args, "attrs": attrs, "text": exc.Traceback}
}

func encodeOrText(v any) any {
	f, err := encode(v)
	if err != nil {
		return err.Error()
	}
	return f
}
