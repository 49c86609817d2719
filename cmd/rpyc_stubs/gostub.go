package main

import (
	"bytes"
	"fmt"
	"go/format"
	"go/types"
	"slices"
	"strconv"
	"strings"
)

// writeGo renders the Go file that tells package exposed what the source says.
func (m *model) writeGo() ([]byte, error) {
	g := &goWriter{exposed: "exposed"}
	if m.pkg.Scope().Lookup(g.exposed) != nil {
		g.exposed = "rpycexposed"
	}
	// What others expose as attributes has to be described when it becomes one.
	first, second := &goWriter{exposed: g.exposed}, &goWriter{exposed: g.exposed}
	for _, fn := range m.funcs {
		if !m.constructs(fn) {
			first.describeFunc(fn)
		}
	}
	for _, c := range m.classes {
		if len(c.expose) > 0 {
			second.describe(c)
		} else {
			first.describe(c)
		}
	}
	if first.Len()+second.Len() == 0 {
		return nil, fmt.Errorf("%s: nothing to describe: no exported type has methods or fields, and no func is exported",
			m.path)
	}
	fmt.Fprintf(g, "%s; DO NOT EDIT.\n\npackage %s\n\nimport ", generatedBy, m.pkg.Name())
	if g.exposed != "exposed" {
		g.WriteString(g.exposed + " ")
	}
	fmt.Fprintf(g, "%q\n\n", exposedPath)
	g.WriteString("// What reflection cannot see: names and defaults of parameters, documentation.\nfunc init() {\n")
	g.Write(first.Bytes())
	g.Write(second.Bytes())
	g.WriteString("}\n")
	text, err := format.Source(g.Bytes())
	if err != nil {
		return nil, fmt.Errorf("%s: the generated file is not Go (a fault of rpyc_stubs): %w", m.path, err)
	}
	return text, nil
}

type goWriter struct {
	bytes.Buffer
	exposed string // the name of the package in the file
}

func (g *goWriter) describeFunc(fn *function) {
	fmt.Fprintf(g, "\t%s.DescribeFunc(%s)\n", g.exposed, g.function(fn))
}

// function is an expression for a declared func.
func (g *goWriter) function(fn *function) string {
	s := g.exposed + ".Func(" + fn.goName
	for _, p := range fn.declaration() {
		s += ", " + strconv.Quote(p)
	}
	s += ")"
	if fn.doc != "" {
		s += ".Doc(" + quoteText(fn.doc) + ")"
	}
	return s
}

func (g *goWriter) describe(c *class) {
	fmt.Fprintf(g, "\t%s.Describe[%s](%s.ClassOptions{\n", g.exposed, c.obj.Name(), g.exposed)
	if c.name != "" {
		fmt.Fprintf(g, "\t\tName: %q,\n", c.name)
	}
	if c.doc != "" {
		fmt.Fprintf(g, "\t\tDoc: %s,\n", quoteText(c.doc))
	}
	if c.new != nil {
		fmt.Fprintf(g, "\t\tNew: %s,\n", g.function(c.new))
	}
	if c.service {
		g.WriteString("\t\tService: true,\n")
	}
	if len(c.aliases) > 0 {
		fmt.Fprintf(g, "\t\tAliases: %#v,\n", c.aliases)
	}
	if len(c.omit) > 0 {
		fmt.Fprintf(g, "\t\tOmit: %#v,\n", c.omit)
	}
	g.mapOf("Names", "string", c.methods, func(fn *function) string {
		if !fn.byDirective {
			return ""
		}
		return strconv.Quote(fn.name)
	})
	g.mapOf("Params", "[]string", c.methods, func(fn *function) string {
		if fn.special() && (len(fn.params) == 0 || fn.name == "__exit__") {
			return "" // Python calls it, not by keyword; and passes __exit__ more than the Go method may take
		}
		list := fn.declaration()
		for i, p := range list {
			list[i] = strconv.Quote(p)
		}
		return "{" + strings.Join(list, ", ") + "}"
	})
	g.mapOf("Docs", "string", c.methods, func(fn *function) string {
		if fn.doc == "" {
			return ""
		}
		return quoteText(fn.doc)
	})
	if len(c.expose) > 0 {
		g.WriteString("\t\tStatic: map[string]any{\n")
		for _, e := range slices.SortedFunc(slices.Values(c.expose), func(a, b exposure) int {
			return strings.Compare(a.name, b.name)
		}) {
			value := e.obj.Name()
			if _, ok := e.obj.(*types.TypeName); ok {
				value = g.exposed + ".ClassFor[" + value + "]()"
			}
			fmt.Fprintf(g, "\t\t\t%q: %s,\n", e.name, value)
		}
		g.WriteString("\t\t},\n")
	}
	g.WriteString("\t})\n")
}

// mapOf writes a field of the options with an entry per method; an empty value leaves it out.
func (g *goWriter) mapOf(name, typ string, fns []*function, value func(*function) string) {
	var entries []string
	for _, fn := range fns {
		if v := value(fn); v != "" {
			entries = append(entries, fmt.Sprintf("\t\t\t%q: %s,\n", fn.goName, v))
		}
	}
	if len(entries) > 0 {
		slices.Sort(entries)
		fmt.Fprintf(g, "\t\t%s: map[string]%s{\n%s\t\t},\n", name, typ, strings.Join(entries, ""))
	}
}

// quoteText is a Go literal for a text, with a line for each of its lines.
func quoteText(text string) string {
	lines := strings.SplitAfter(text, "\n")
	for i, l := range lines {
		lines[i] = strconv.Quote(l)
	}
	return strings.Join(lines, " +\n\t\t\t\t")
}
