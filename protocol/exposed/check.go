package exposed

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
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
	"__bytes__":  {0, 0, nil, false},
	"__format__": {1, 1, stringKinds, false}, "__str__": {0, 0, stringKinds, false},
	"__repr__": {0, 0, stringKinds, false},
	"__dir__":  {0, 0, nil, false}, "__round__": {0, 1, nil, false}, "__pow__": {1, 2, nil, false},
	"__ipow__": {1, 2, nil, false},
}

// checkSpecial finds mistakes in the special methods of a type that was registered or described: a name that means
// nothing, and signatures that the operation cannot use. Other types are taken as they are.
func (c *Class) checkSpecial(m reflect.Method) error {
	if c.opts == nil {
		return nil
	}
	rest, looks := strings.CutPrefix(m.Name, "Py")
	if !looks || rest == "" || rest[0] < 'A' || rest[0] > 'Z' {
		return nil
	}
	name, known := specialMethods[m.Name]
	if !known {
		if _, declared := c.opts.Params[m.Name]; declared || c.private(m.Name) {
			return nil
		}
		return fmt.Errorf("exposed: %v has a method %s, and Python no such special method (declare it in Params, Private "+
			"or Omit "+
			"if it is an ordinary one)", c.goType, m.Name)
	}
	p, err := binding.New(m.Func, binding.Options{Name: name, Qual: c.name + "." + name, Method: true})
	if err != nil {
		return err
	}
	want, listed := signatures[name]
	switch {
	case listed:
	case binary[name]:
		want = signatureOf{1, 1, nil, false}
	default:
		want = signatureOf{0, 0, nil, false}
	}
	if err := fits(p, name, want); err != nil {
		return fmt.Errorf("exposed: %v.%s cannot be %s: %w", c.goType, m.Name, name, err)
	}
	return nil
}

// fits says what is wrong with a method as the special method of a name.
func fits(p *binding.Plan, name string, want signatureOf) error {
	n, extra := 0, false
	for _, q := range p.Params() {
		if q.Kind <= binding.PositionalOrKeyword {
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

// checkDocs reports documentation of something that the class does not have.
func (c *Class) checkDocs() error {
	if c.opts == nil {
		return nil
	}
	for name := range c.opts.Docs {
		bare := c.nameOf(name)
		known := specialMethods[name] != ""
		for _, n := range []string{name, DefaultPrefix + name, bare, DefaultPrefix + bare} {
			known = known || c.flat[n] != nil
		}
		if !known && !c.omits(name) {
			return fmt.Errorf("exposed: Docs of %v names %q, which it does not have", c.goType, name)
		}
	}
	return nil
}
