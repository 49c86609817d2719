package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/cmd/internal/inspect"
	"github.com/gorpyc/gorpyc/protocol/exposed"
)

// enumValue is the value of a member, which can be made of those before it.
func (w *skeleton) enumValue(c *skeletonClass, a *pyAttr) (any, error) {
	values := &pyType{attrs: c.attrs}
	return w.literal(values, a.value)
}

// enum writes an enumeration: its members are objects, as in Python.
func (w *skeleton) enum(c *skeletonClass) {
	writeComment(w.file, "", c.goName+" is the enumeration "+c.name+" of Python. Its members are the variables below.",
		c.doc)
	const name, value = "Name", "Value"
	w.printf("type %s struct {\n\tName string\n\tValue any\n", c.goName)
	for _, a := range c.fields {
		w.printf("\t%s %s\n", a.goName, a.goType.name)
	}
	w.printf("}\n\n")
	c.add("Private", "", name)
	c.add("Private", "", value)
	var members []string
	byValue := map[string]string{}
	count := int64(0)
	w.printf("// The members of %s.\nvar (\n", c.goName)
	for _, a := range c.attrs {
		member := c.members[a.name]
		if member == "" {
			continue
		}
		v, err := w.enumValue(c, a)
		switch full := w.m.resolve(strings.TrimSuffix(a.value, "()")); {
		case full == "enum.auto" && c.mixin == "str":
			v, err = strings.ToLower(a.name), nil
		case full == "enum.auto" && c.flag:
			v, err = int64(1), nil
			for v.(int64) <= count {
				v = v.(int64) * 2
			}
		case full == "enum.auto":
			v, err = count+1, nil
		}
		if n, ok := v.(int64); ok {
			count = n
			a.value = pyvalue.Repr(v) // for those that are made of it
		}
		text := ""
		if err == nil {
			text, err = goLiteral(v)
		}
		if err != nil {
			w.m.note(a.line, "not translated: the value of %s.%s", c.name, a.name)
			text = "nil"
		}
		c.add("Hidden", a.name, member)
		if first := byValue[text]; first != "" && err == nil {
			w.printf("\t%s = %s\n", member, first)
			continue
		}
		byValue[text] = member
		w.printf("\t%s = &%s{Name: %s, Value: %s%s}\n", member, c.goName, quote(a.name), text, w.memberFields(c, v))
		members = append(members, member)
	}
	w.printf(")\n\n")
	c.add("Members", "", "[]any{"+strings.Join(members, ", ")+"}")
	lookup := w.packageName(unexported(c.goName) + "Of")
	c.add("New", "", "exposed.Func("+lookup+", \"value\")")
	if c.flag {
		w.flagMethods(c, lookup, members)
		return
	}
	w.printf("%s", fmt.Sprintf("// %s is %s(value) of Python.\nfunc %s(ctx context.Context, value any) (*%s, error) {\n"+
		"\tfor _, m := range []*%s{%s} {\n\t\tif same, err := exposed.Equal(ctx, m.%s, value); same || err != nil {\n"+
		"\t\t\treturn m, err\n\t\t}\n"+
		"\t\tif value == any(m) {\n\t\t\treturn m, nil\n\t\t}\n\t}\n\ttext, err := exposed.Repr(ctx, value)\n"+
		"\tif err != nil {\n\t\treturn nil, err\n\t}\n"+
		"\treturn nil, vinegar.ValueError.New(text + %s)\n}\n\n", lookup, c.name, lookup, c.goName, c.goName,
		strings.Join(members, ", "), value, quote(" is not a valid "+c.name)))
	own := func(name string) bool { return c.find(name) != nil }
	method := func(python, comment, head, body string) {
		if !own(python) {
			w.printf("%s", fmt.Sprintf("// %s\nfunc (s *%s) %s {\n%s}\n\n", comment, c.goName, head, body))
		}
	}
	method("__repr__", "PyRepr is Python's repr.", "PyRepr(ctx context.Context) (string, error)",
		fmt.Sprintf("\ttext, err := exposed.Repr(ctx, s.%s)\n\treturn \"<%s.\" + s.%s + \": \" + text + \">\", err\n",
			value, c.name, name))
	if c.plainText {
		method("__str__", "PyStr is Python's str, since 3.11.", "PyStr(ctx context.Context) (string, error)",
			fmt.Sprintf("\treturn exposed.Str(ctx, s.%s)\n", value))
	} else {
		method("__str__", "PyStr is Python's str.", "PyStr() string", fmt.Sprintf("\treturn \"%s.\" + s.%s\n", c.name, name))
	}
	if c.mixin == "" {
		return
	}
	w.m.note(c.line, "%s is also %s in Python: arithmetic, comparison and conversion are translated, "+
		"its methods not", c.name, c.mixin)
	operate := c.member("the operators", "operate")
	w.printf("// %s applies an operator to the value.\n"+
		"func (s *%s) %[1]s(ctx context.Context, op string, other any) (any, error) {\n"+
		"\tif o, ok := other.(*%[2]s); ok {\n\t\tother = o.Value\n\t}\n"+
		"\treturn exposed.Operate(ctx, op, s.Value, other)\n}\n\n",
		operate, c.goName)
	operators := "Eq Lt Le Gt Ge Add"
	if c.mixin != "str" {
		operators += " Sub Mul TrueDiv FloorDiv Mod And Or Xor"
		for _, op := range []string{"Add", "Sub", "Mul"} {
			method("__r"+strings.ToLower(op)+"__", "PyR"+op+" is that of the value.",
				"PyR"+op+"(ctx context.Context, other any) (any, error)",
				fmt.Sprintf("\treturn exposed.Operate(ctx, %q, other, s.Value)\n", "__"+strings.ToLower(op)+"__"))
		}
	}
	for op := range strings.FieldsSeq(operators) {
		python := "__" + strings.ToLower(op) + "__"
		method(python, "Py"+op+" is that of the value.", "Py"+op+"(ctx context.Context, other any) (any, error)",
			fmt.Sprintf("\treturn s.%s(ctx, %q, other)\n", operate, python))
	}
	method("__hash__", "PyHash is that of the value.", "PyHash(ctx context.Context) (any, error)",
		fmt.Sprintf("\treturn exposed.Hash(ctx, s.%s)\n", value))
	if c.mixin == "int" {
		for _, m := range []string{"Int", "Index"} {
			method("__"+strings.ToLower(m)+"__", "Py"+m+" is the value.", "Py"+m+"() any", fmt.Sprintf("\treturn s.%s\n", value))
		}
	}
}

// memberFields are the fields of a member that __init__ makes of a value which is a tuple.
func (w *skeleton) memberFields(c *skeletonClass, v any) string {
	f := c.find("__init__")
	if f == nil || f.sig == nil {
		return ""
	}
	values, ok := v.(brine.Tuple)
	if !ok {
		values = brine.Tuple{v}
	}
	text := ""
	done := 0
	for _, a := range c.fields {
		i := slices.IndexFunc(f.sig.Params, func(p inspect.Parameter) bool { return p.Name == a.param })
		if a.param == "" || i < 0 || i >= len(values) {
			continue
		}
		if value, fits := goElement(a.goType.name, values[i]); fits {
			text += ", " + a.goName + ": " + value
			done++
		}
	}
	if statements := len(f.body); done != len(c.fields) || statements != done {
		w.m.note(f.line, "not translated: %s.__init__; set the fields of the members", c.name)
	}
	return text
}

// flagMethods writes what the members of a Flag have: they are combined by operators.
func (w *skeleton) flagMethods(c *skeletonClass, lookup string, members []string) {
	text := `// LOOKUP is NAME(value) of Python: a member, or a combination of members.
func LOOKUP(ctx context.Context, value any) (*TYPE, error) {
	if m, ok := value.(*TYPE); ok {
		return m, nil
	}
	bits, err := netref.As[int64](ctx, value)
	if err != nil {
		return nil, vinegar.ValueError.New(vinegar.Repr(value) + " is not a valid NAME")
	}
	var names []string
	rest := bits
	for _, m := range []*TYPE{MEMBERS} {
		switch own := m.bits(); {
		case own == bits:
			return m, nil
		case own&(own-1) == 0 && own&bits != 0:
			names = append(names, m.Name)
			rest &^= own
		}
	}
	if rest != 0 {
		REST
	}
	return &TYPE{Name: strings.Join(names, "|"), Value: bits}, nil
}

// bits is the value.
func (s *TYPE) bits() int64 {
	switch v := s.Value.(type) {
	case int:
		return int64(v)
	case int64:
		return v
	}
	return 0
}

// PyRepr is Python's repr, since 3.11.
func (s *TYPE) PyRepr() string {
	if s.Name == "" {
		return fmt.Sprintf("<NAME: %d>", s.bits())
	}
	return fmt.Sprintf("<NAME.%s: %d>", s.Name, s.bits())
}

// PyStr is Python's str, since 3.11.
func (s *TYPE) PyStr() string { STR }

// PyEq compares the values.
func (s *TYPE) PyEq(ctx context.Context, other any) (any, error) {
	if o, ok := other.(*TYPE); ok {
		return s.bits() == o.bits(), nil
	}
	OTHER
}

// PyHash goes with PyEq.
func (s *TYPE) PyHash() int64 { return s.bits() }

// PyBool reports whether there is a flag.
func (s *TYPE) PyBool() bool { return s.bits() != 0 }

// PyContains reports whether all flags of the other are in s.
func (s *TYPE) PyContains(other *TYPE) bool { return other != nil && s.bits()&other.bits() == other.bits() }

// PyLen is the number of flags.
func (s *TYPE) PyLen() int { return bits.OnesCount64(uint64(s.bits())) }

// PyIter gives the flags one by one.
func (s *TYPE) PyIter() iter.Seq[*TYPE] {
	return func(yield func(*TYPE) bool) {
		for _, m := range []*TYPE{MEMBERS} {
			if own := m.bits(); own&(own-1) == 0 && own&s.bits() != 0 && !yield(m) {
				return
			}
		}
	}
}

// PyInvert has the flags that s has not.
func (s *TYPE) PyInvert(ctx context.Context) (any, error) {
	all := int64(0)
	for _, m := range []*TYPE{MEMBERS} {
		all |= m.bits()
	}
	return LOOKUP(ctx, all&^s.bits())
}

// combine applies an operator of bits.
func (s *TYPE) combine(ctx context.Context, other any, f func(a, b int64) int64) (any, error) {
	o, ok := other.(*TYPE)
	if !ok {
		COMBINE
	}
	return LOOKUP(ctx, f(s.bits(), o.bits()))
}

// PyOr has the flags of both.
func (s *TYPE) PyOr(ctx context.Context, other any) (any, error) {
	return s.combine(ctx, other, func(a, b int64) int64 { return a | b })
}

// PyAnd has the flags that both have.
func (s *TYPE) PyAnd(ctx context.Context, other any) (any, error) {
	return s.combine(ctx, other, func(a, b int64) int64 { return a & b })
}

// PyXor has the flags that one of them has.
func (s *TYPE) PyXor(ctx context.Context, other any) (any, error) {
	return s.combine(ctx, other, func(a, b int64) int64 { return a ^ b })
}

`
	rest := fmt.Sprintf("return nil, vinegar.ValueError.Errorf(\"<flag '%s'> invalid value %%d\", bits)", c.name)
	str, other := `return "NAME." + s.Name`, "return brine.NotImplemented, nil"
	combine := other
	if c.plainText { // IntFlag
		rest = `names = append(names, strconv.FormatInt(rest, 10))`
		str = "return strconv.FormatInt(s.bits(), 10)"
		other = `return exposed.Operate(ctx, "__eq__", s.bits(), other)`
		combine = `n, err := netref.As[int64](ctx, other)
		if err != nil {
			return brine.NotImplemented, nil
		}
		o = &TYPE{Value: n}`
		text += `// PyInt is the value.
func (s *TYPE) PyInt() int64 { return s.bits() }

// PyIndex is the value.
func (s *TYPE) PyIndex() int64 { return s.bits() }

`
		w.m.note(c.line, "%s is also int in Python: its operators of bits and comparison for equality are translated, "+
			"others not", c.name)
	}
	var funcs []string
	for f := range strings.SplitSeq(text, "\n\n") {
		name, _, _ := strings.Cut(strings.TrimPrefix(f, "// "), " ")
		if python, ok := exposed.MethodName(name); !ok || c.find(python) == nil {
			funcs = append(funcs, f)
		}
	}
	text = strings.Join(funcs, "\n\n")
	text = strings.NewReplacer("REST", rest, "OTHER", other, "COMBINE", combine, "STR }", str+" }").Replace(text)
	w.printf("%s", strings.NewReplacer(".bits()", "."+c.member("the bits", "bits")+"()",
		") bits()", ") "+c.member("the bits", "bits")+"()", "combine(ctx", c.member("combining", "combine")+"(ctx",
		"// combine", "// "+c.member("combining", "combine"), "// bits", "// "+c.member("the bits", "bits"),
		"LOOKUP", lookup, "TYPE", c.goName, "NAME", c.name, "MEMBERS",
		strings.Join(members, ", ")).Replace(text))
}
