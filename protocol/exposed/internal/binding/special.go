package binding

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
)

// signatureOf says what a special method must be like: how many parameters it takes besides a context, what its result
// must be able to be, and whether it may have none.
type signatureOf struct {
	least, most int
	result      []reflect.Kind // nil for anything
	none        bool
}

var (
	anyParams = 1 << 16
	intKinds  = []reflect.Kind{
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Pointer, // *big.Int
	}
	stringKinds = []reflect.Kind{reflect.String}
	boolKinds   = []reflect.Kind{reflect.Bool}
)

// signatures holds the special methods that are no operators of one operand.
var signatures = map[string]signatureOf{
	"__len__": {0, 0, intKinds, false}, "__length_hint__": {0, 0, intKinds, false},
	"__getitem__": {1, 1, nil, false}, "__setitem__": {2, 2, nil, true}, "__delitem__": {1, 1, nil, true},
	"__contains__": {1, 1, nil, false}, "__iter__": {0, 0, nil, false}, "__reversed__": {0, 0, nil, false},
	"__next__": {0, 0, nil, false},
	"__call__": {0, anyParams, nil, true}, "__enter__": {0, 0, nil, true}, "__exit__": {0, 3, nil, true},
	"__hash__": {0, 0, intKinds, false}, "__bool__": {0, 0, boolKinds, false}, "__int__": {0, 0, intKinds, false},
	"__index__": {0, 0, intKinds, false}, "__float__": {0, 0, nil, false}, "__complex__": {0, 0, nil, false},
	"__bytes__": {0, 0, nil, false}, "__array__": {0, 0, nil, false},
	"__format__": {1, 1, stringKinds, false}, "__str__": {0, 0, stringKinds, false},
	"__repr__": {0, 0, stringKinds, false},
	"__dir__":  {0, 0, nil, false}, "__round__": {0, 1, nil, false}, "__pow__": {1, 2, nil, false},
	"__ipow__": {1, 2, nil, false},
}

// FitsSpecial says what is wrong with a method as the special method of a name, which may be that of a binary operator.
func (p *Plan) FitsSpecial(name string, operator bool) error {
	want, listed := signatures[name]
	if !listed && operator {
		want = signatureOf{1, 1, nil, false}
	}
	n, extra := 0, false
	for _, q := range p.Params() {
		if q.Kind <= PositionalOrKeyword {
			n++
		} else {
			extra = true
		}
	}
	results, _ := p.Results()
	takes := fmt.Sprint(want.least)
	if want.most != want.least {
		takes = fmt.Sprintf("%d to %d", want.least, want.most)
	}
	switch {
	case !extra && (n < want.least || n > want.most):
		return fmt.Errorf("it takes %d parameters besides a context, and has to take %s", n, takes)
	case name == "__exit__" && n == 2:
		return errors.New("it takes the exception, or Python's three arguments, or none")
	case len(results) == 0 && !want.none:
		return errors.New("it has no result")
	case len(results) > 1 && !p.HasNext() && want.result != nil:
		return errors.New("it has several results")
	}
	if want.result != nil && len(results) == 1 {
		if k := results[0].Kind(); k != reflect.Interface && !slices.Contains(want.result, k) {
			return fmt.Errorf("its result is %v", results[0])
		}
	}
	return nil
}
