package netref

import (
	"context"
	"errors"
	"reflect"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// ErrReleased is matched by the error of a request that uses a handle after its Release.
var ErrReleased = errors.New("rpyc: netref was released")

// Keyword is a keyword argument of a call.
type Keyword struct {
	Name  string
	Value any
}

// Kw makes a keyword argument: Call(ctx, o, "greet", "Ann", netref.Kw("greeting", "Hi")).
func Kw(name string, value any) Keyword { return Keyword{Name: name, Value: value} }

// splitArgs separates the keywords from the positional arguments, in the forms the protocol has for them.
func splitArgs(args []any) (pos, kw brine.Tuple) {
	for i, a := range args {
		if _, ok := a.(Keyword); ok {
			pos = append(brine.Tuple(nil), args[:i]...)
			for _, a := range args[i:] {
				if k, ok := a.(Keyword); ok {
					kw = append(kw, brine.Tuple{k.Name, k.Value})
				} else {
					pos = append(pos, a)
				}
			}
			return pos, kw
		}
	}
	return brine.Tuple(args), nil
}

// Call calls the method name of o and converts the result to T. A T of struct{} drops the result.
func Call[T any](ctx context.Context, o *Object, name string, args ...any) (T, error) {
	var t T
	err := o.CallMethodInto(ctx, target(&t), name, args...)
	return t, err
}

// CallFunc calls the object o itself and converts the result to T.
func CallFunc[T any](ctx context.Context, o *Object, args ...any) (T, error) {
	var t T
	err := o.CallInto(ctx, target(&t), args...)
	return t, err
}

// Get reads the attribute name of o and converts it to T.
func Get[T any](ctx context.Context, o *Object, name string) (T, error) {
	var t T
	err := o.request(ctx, &t, wire.HandleGetAttr, name)
	if err != nil {
		err = named(name, err)
	}
	return t, err
}

// Item reads the item key of o and converts it to T.
func Item[T any](ctx context.Context, o *Object, key any) (T, error) {
	return Call[T](ctx, o, "__getitem__", key)
}

// As converts a value received from a peer to T, asking the peer for the contents of remote containers where T has
// room for them. Errors are *[ConvertError] unless the peer or the connection failed. See [Assign] for the rules.
func As[T any](ctx context.Context, v any) (T, error) {
	var t T
	if err := Assign(ctx, reflect.ValueOf(&t).Elem(), v); err != nil {
		var zero T // t may be filled in part
		return zero, err
	}
	return t, nil
}

func target(p any) any {
	if _, ok := p.(*struct{}); ok {
		return nil
	}
	return p
}
