package main

import (
	"fmt"

	"github.com/gorpyc/gorpyc/brine"
)

// quantity is the Quantity of reference/quantity.py, which programs add to brine.
type quantity struct {
	value any
	unit  string
}

func quantities() *brine.Codecs {
	cs := &brine.Codecs{}
	err := brine.Register(cs, 0xfa, brine.OneValue,
		func(q quantity) (any, error) { return brine.Tuple{q.value, q.unit}, nil },
		func(body any) (quantity, error) {
			if t, ok := body.(brine.Tuple); ok && len(t) == 2 {
				if unit, ok := t[1].(string); ok {
					return quantity{t[0], unit}, nil
				}
			}
			return quantity{}, fmt.Errorf("no quantity: %v", body)
		})
	if err != nil {
		panic(err) // by a fault of this program only
	}
	return cs
}
