package exposed

import (
	"reflect"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
)

// MarkService gives the class of a root object what rpyc.Service gives to services: see ClassOptions.Service. It may
// be called at any time and any number of times, and does nothing for values of Python's builtin types.
func MarkService(v any) {
	if c := ClassOf(v); c.goType != nil {
		c.service.Store(true)
	}
}

// ServiceAliases returns the names under which a service registers itself (rpyc.Service.get_service_aliases), the
// first one being its name: in capitals, those of ClassOptions.Aliases or the class's name without "Service".
func ServiceAliases(v any) []string {
	c, ok := v.(*Class)
	if !ok {
		c = ClassOf(v)
	}
	if c.opts != nil && len(c.opts.Aliases) > 0 {
		names := make([]string, len(c.opts.Aliases))
		for i, n := range c.opts.Aliases {
			names[i] = strings.ToUpper(n)
		}
		return names
	}
	name := strings.ToUpper(c.name)
	if bare, ok := strings.CutSuffix(name, "SERVICE"); ok {
		name = bare
	}
	return []string{name}
}

var _ = define(serviceClass, defineService)

func defineService(c *Class) {
	classMethod := func(name string, f any) {
		p, err := binding.New(reflect.ValueOf(f), binding.Options{
			Name: name, Qual: c.name + "." + name, Method: true, Self: "cls",
		})
		if err != nil {
			panic(err)
		}
		c.add(&attr{
			name: DefaultPrefix + name, qual: p.QualName(), exposed: true, kind: methodAttr, classMethod: true, impl: p,
		})
	}
	classMethod("get_service_aliases", func(cls *Class) brine.Tuple {
		var t brine.Tuple
		for _, n := range ServiceAliases(cls) {
			t = append(t, n)
		}
		return t
	})
	classMethod("get_service_name", func(cls *Class) string { return ServiceAliases(cls)[0] })
}
