package exposed

import (
	"errors"
	"reflect"
	"slices"
	"strings"
)

// goTypeName is "package.Type", without type arguments.
func goTypeName(t reflect.Type) string {
	if t.Name() == "" {
		return "builtins.object"
	}
	name, _, _ := strings.Cut(t.String(), "[")
	if module := moduleOf(t.PkgPath()); module != "" {
		return module + name[strings.IndexByte(name, '.'):]
	}
	return name
}

// reflectClass makes the class of a defined type, or of a struct type, from its methods and fields. o is nil unless
// the type is being registered.
func reflectClass(t reflect.Type, o *ClassOptions) *Class {
	c := newClass("")
	c.goType = t
	return c.fill(o)
}

// fill gives the class all it has: from the options, from descriptions, and from the methods and fields of its Go type.
// What comes first stays where two have one name.
func (c *Class) fill(o *ClassOptions) *Class {
	t := c.goType
	o = withDescription(t, o)
	c.opts, c.own, c.embedded, c.construct, c.doc = o, map[string]*attr{}, nil, nil, docText{}
	name := goTypeName(t)
	c.module, c.name = name[:strings.LastIndexByte(name, '.')], bareName(name)
	if o != nil && o.Name != "" {
		c.name = bareName(o.Name)
		if i := strings.LastIndexByte(o.Name, '.'); i >= 0 {
			c.module = o.Name[:i]
		}
	}
	c.bases = []*Class{objectClass}
	if o != nil && len(o.Bases) > 0 {
		c.bases = o.Bases
	} else if b := classOfKind(t); b != nil {
		c.bases = []*Class{b}
	}
	for _, b := range c.bases {
		for _, m := range b.mro {
			if m.goType != nil {
				c.embed(m.goType)
			}
		}
	}
	if err := errors.Join(c.checkNames(t), c.addOptions(o)); err != nil {
		panic(err)
	}
	if err := c.addMethods(t); err != nil {
		panic(err) // parameters declared by the program that do not fit: reached from Register and Describe only
	}
	for _, f := range interfaceFaces {
		f.add(c, t)
	}
	if t.Kind() == reflect.Struct {
		c.addFields(t)
	}
	c.seal()
	if err := c.checkDocs(); err != nil {
		panic(err)
	}
	return c
}

// embed remembers where in c's struct the type t is embedded, if it is.
func (c *Class) embed(t reflect.Type) {
	type place struct {
		t     reflect.Type
		index []int
	}
	seen := map[reflect.Type]bool{}
	// reflect.VisibleFields would leave out what is embedded twice, as the base that two bases have in common
	for level := []place{{c.goType, nil}}; len(level) > 0; {
		at := level[0]
		level = level[1:]
		if at.t.Kind() != reflect.Struct || seen[at.t] {
			continue
		}
		seen[at.t] = true
		for i := range at.t.NumField() {
			f := at.t.Field(i)
			if !f.Anonymous {
				continue
			}
			ft := f.Type
			if ft.Kind() == reflect.Pointer {
				ft = ft.Elem()
			}
			index := append(slices.Clone(at.index), i)
			if ft == t {
				if c.embedded == nil {
					c.embedded = map[reflect.Type][]int{}
				}
				c.embedded[t] = index
				return
			}
			level = append(level, place{ft, index})
		}
	}
}
