package netref

import (
	"context"
	"fmt"
	"reflect"
)

// seqYield returns the yield parameter of an iter.Seq or of an iter.Seq2 whose second value is an error; nil for other
// types. An iter.Seq2 of something else has no counterpart among Python's iterators.
func seqYield(t reflect.Type) reflect.Type {
	if t.NumIn() != 1 || t.NumOut() != 0 || t.In(0).Kind() != reflect.Func {
		return nil
	}
	y := t.In(0)
	if y.NumOut() != 1 || y.Out(0).Kind() != reflect.Bool {
		return nil
	}
	if y.NumIn() == 1 || y.NumIn() == 2 && y.In(1) == errorType {
		return y
	}
	return nil
}

// makeSeq makes an iterator over an object of the peer, which is iterated over anew, item by item, whenever it is
// ranged over. Errors are the second value; where there is none, they are panicked with.
func makeSeq(ctx context.Context, t, yield reflect.Type, o *Object) reflect.Value {
	return reflect.MakeFunc(t, func(in []reflect.Value) []reflect.Value {
		for v, err := range o.Iter(ctx) {
			item := reflect.New(yield.In(0)).Elem()
			if err == nil {
				err = Assign(ctx, item, v)
			}
			args := []reflect.Value{item}
			if yield.NumIn() == 2 {
				e := reflect.New(errorType).Elem()
				if err != nil {
					e.Set(reflect.ValueOf(err))
				}
				args = append(args, e)
			} else if err != nil {
				panic(fmt.Errorf("iterating over %v: %w", o, err))
			}
			if !in[0].Call(args)[0].Bool() || err != nil {
				break
			}
		}
		return nil
	})
}
