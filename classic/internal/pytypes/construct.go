package pytypes

import (
	"context"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// optional is a constructor that takes one argument or none.
func optional(f func(ctx context.Context, v any) (any, error), missing any) exposed.Native {
	return exposed.Native{Most: 1, Call: func(ctx context.Context, _ any, args []any) (any, error) {
		if len(args) == 0 {
			return f(ctx, missing)
		}
		return f(ctx, args[0])
	}}
}

// plainObject is what object() makes.
type plainObject struct{ _ int }

var _ = exposed.Register[plainObject](exposed.ClassOptions{Name: "builtins.object"})

func newObject(context.Context, any, []any) (any, error) { return new(plainObject), nil }

func newBool(ctx context.Context, v any) (any, error) { return exposed.Truth(ctx, v) }

func newStr(ctx context.Context, object, encoding, errors any) (any, error) {
	if encoding == nil && errors == nil {
		return exposed.Str(ctx, object)
	}
	switch b := norm(object).(type) {
	case []byte:
		return decode(b, "str", encoding, errors)
	case string:
		return nil, vinegar.TypeError.New("decoding str is not supported")
	}
	return nil, vinegar.TypeError.Errorf("decoding to str: need a bytes-like object, %s found", exposed.TypeName(object))
}

func newBytes(ctx context.Context, source, encoding, errors any) (any, error) {
	source = norm(source)
	text, isText := source.(string)
	b, isBytes := source.([]byte)
	switch {
	case isText && encoding != nil:
		return encode(text, "bytes", encoding, errors)
	case isText:
		return nil, vinegar.TypeError.New("string argument without an encoding")
	case encoding != nil:
		return nil, vinegar.TypeError.New("encoding without a string argument")
	case errors != nil:
		return nil, vinegar.TypeError.New("errors without a string argument")
	case isBytes:
		return b, nil
	}
	if n, ok := integer(source); ok {
		switch {
		case !n.IsInt64():
			return nil, vinegar.OverflowError.New("cannot fit 'int' into an index-sized integer")
		case n.Sign() < 0:
			return nil, vinegar.ValueError.New("negative count")
		case n.Int64() > MaxText:
			return nil, tooLong()
		}
		return make([]byte, n.Int64()), nil
	}
	all, err := exposed.Collect(ctx, source)
	if err != nil {
		if _, e := exposed.Iter(ctx, source); e != nil {
			err = vinegar.TypeError.Errorf("cannot convert '%s' object to bytes", exposed.TypeName(source))
		}
		return nil, err
	}
	b = make([]byte, len(all))
	for i, v := range all {
		n, err := Index(ctx, v)
		if err != nil {
			return nil, err
		}
		if !n.IsInt64() || n.Int64() < 0 || n.Int64() > 255 {
			return nil, vinegar.ValueError.New("bytes must be in range(0, 256)")
		}
		b[i] = byte(n.Int64())
	}
	return b, nil
}

func newSlice(_ context.Context, _ any, args []any) (any, error) {
	switch len(args) {
	case 1:
		return brine.Slice{Stop: args[0]}, nil
	case 2:
		return brine.Slice{Start: args[0], Stop: args[1]}, nil
	}
	return brine.Slice{Start: args[0], Stop: args[1], Step: args[2]}, nil
}
