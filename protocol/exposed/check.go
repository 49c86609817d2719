package exposed

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/names"
)

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
	name, known := names.Special[m.Name]
	if !known {
		if _, declared := c.opts.Params[m.Name]; declared || c.private(m.Name) {
			return nil
		}
		return fmt.Errorf("exposed: %v has a method %s, and Python no such special method (declare it in Params, Private "+
			"or Omit if it is an ordinary one)", c.goType, m.Name)
	}
	p, err := binding.New(m.Func, binding.Options{Name: name, Qual: c.name + "." + name, Method: true})
	if err != nil {
		return err
	}
	if err := p.FitsSpecial(name, names.Binary[name]); err != nil {
		return fmt.Errorf("exposed: %v.%s cannot be %s: %w", c.goType, m.Name, name, err)
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
		known := names.Special[name] != ""
		for _, n := range []string{name, DefaultPrefix + name, bare, DefaultPrefix + bare} {
			known = known || c.flat[n] != nil
		}
		if !known && !c.omits(name) {
			return fmt.Errorf("exposed: Docs of %v names %q, which it does not have", c.goType, name)
		}
	}
	return nil
}
