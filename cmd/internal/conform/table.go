package conform

import (
	_ "embed" // the tables
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"go.starlark.net/syntax"

	"github.com/gorpyc/gorpyc/brine"
)

// The tables: what any peer has to do, and what the reference service has to. A line is
//
//	[level] [@endpoint] [/families] [alone] [defaults] name: statements => expectation
//
// below a line "[clause]". Statements are Python in look; eval.go says what is sent for them. The expectation is a
// value, whose type counts as well, or one of
//
//	raises('Class', argument…)    an exception; without arguments, they may be any
//	ref('name')                   a reference of this name
//	type('int')                   any value of this type
//	like('regular expression')    a text that has it
//	holds('a', 'b')               a tuple that has these members, and maybe more
//	lacks('a', 'b')               a tuple that has none of these
//	either(X, Y)                  one of these
//	anything()                    whatever it is, but no exception
//
//go:embed generic.txt
var genericTable string

//go:embed behaviour.txt
var behaviourTable string

func tuple(v ...any) brine.Tuple {
	if v == nil {
		return brine.Tuple{}
	}
	return v
}

// checks are all checks, in the order of their reports.
var checks = sync.OnceValue(func() []*check {
	all := append(parseTable(genericTable, false), codedChecks()...)
	return append(all, parseTable(behaviourTable, true)...)
})

// parseTable panics on a mistake in a table, which is part of the program.
func parseTable(table string, service bool) []*check {
	var all []*check
	clause := ""
	for n, line := range strings.Split(table, "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			clause = strings.Trim(line, "[]")
		default:
			c, err := parseRow(clause, line)
			if err != nil {
				panic(fmt.Sprintf("conform: line %d of a table: %v", n+1, err))
			}
			c.service = service
			all = append(all, c)
		}
	}
	return all
}

func parseRow(clause, line string) (*check, error) {
	head, rest, ok := strings.Cut(line, ": ")
	source, expect, ok2 := cutLast(rest, " => ")
	if !ok || !ok2 {
		return nil, errors.New("want NAME: STATEMENTS => EXPECTATION")
	}
	c := &check{level: Core}
	words := strings.Fields(head)
	for _, w := range words[:len(words)-1] {
		switch {
		case w[0] == '@':
			c.endpoint = w[1:]
		case w[0] == '/':
			c.families = w[1:]
		case w == "alone":
			c.alone = true
		case w == "defaults":
			c.defaults = true
		default:
			c.level = Level(w)
		}
	}
	c.id = clause + "." + words[len(words)-1]
	if c.endpoint != "" {
		c.id += "@" + c.endpoint
	}
	file, err := (&syntax.FileOptions{}).Parse(c.id, source, 0)
	if err != nil {
		return nil, err
	}
	want, err := (&syntax.FileOptions{}).ParseExpr(c.id, expect, 0)
	if err != nil {
		return nil, err
	}
	c.run = func(t *trial) {
		got, err := t.program().run(file.Stmts)
		if problem := expectation(want, got, err); problem != "" {
			t.failf("%s: %s", source, problem)
		}
	}
	return c, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// expectation tells what is wrong with an answer; "" if nothing is.
func expectation(want syntax.Expr, got any, err error) string {
	var bad *mistake
	if errors.As(err, &bad) {
		return err.Error()
	}
	form, args, wrongForm := wantedForm(want)
	if wrongForm != nil {
		return wrongForm.Error()
	}
	if form == "either" {
		first := ""
		for _, alternative := range want.(*syntax.CallExpr).Args {
			problem := expectation(alternative, got, err)
			if problem == "" {
				return ""
			}
			first += problem + "; "
		}
		return strings.TrimSuffix(first, "; ")
	}
	if form == "raises" {
		return wantRaised(args, got, err)
	}
	if err != nil {
		return "want " + describeForm(form, args) + ", but it " + err.Error()
	}
	if holdsForm(form, args, got) {
		return ""
	}
	return "want " + describeForm(form, args) + ", got " + short(got)
}

// wantedForm takes an expectation apart: the name of its form, "" for a value, and its arguments.
func wantedForm(want syntax.Expr) (form string, args brine.Tuple, err error) {
	g := &program{vars: map[string]any{}}
	if call, ok := want.(*syntax.CallExpr); ok {
		if id, ok := call.Fn.(*syntax.Ident); ok && forms[id.Name] {
			if id.Name == "either" {
				return id.Name, nil, nil
			}
			args, err = g.all(call.Args)
			return id.Name, args, err
		}
	}
	v, err := g.eval(want)
	return "", brine.Tuple{v}, err
}

var forms = map[string]bool{"raises": true, "ref": true, "type": true, "like": true, "holds": true, "lacks": true,
	"either": true, "anything": true}

func describeForm(form string, args brine.Tuple) string {
	if form == "" {
		return short(args[0])
	}
	return form + short(args)
}

func wantRaised(args brine.Tuple, got any, err error) string {
	var r *raised
	switch class := args[0]; {
	case err == nil:
		return fmt.Sprintf("want %v to be raised, got %s", class, short(got))
	case !errors.As(err, &r):
		return fmt.Sprintf("want %v to be raised: %v", class, err)
	case r.class() != class:
		return fmt.Sprintf("want %v to be raised, got %s%s", class, r.class(), short(r.args))
	case len(args) > 1 && !equal(r.args, args[1:]):
		return fmt.Sprintf("want %v%s to be raised, got %s", class, short(args[1:]), short(r.args))
	}
	return ""
}

func holdsForm(form string, args brine.Tuple, got any) bool {
	members, isTuple := got.(brine.Tuple)
	has := func(v any) bool {
		for _, m := range members {
			if equal(m, v) {
				return true
			}
		}
		return false
	}
	switch form {
	case "":
		return equal(got, args[0])
	case "anything":
		return true
	case "ref":
		r, ok := got.(theirs)
		return ok && r.name() == args[0]
	case "type":
		return typeName(got) == args[0]
	case "like":
		s, ok := got.(string)
		pattern, _ := args[0].(string)
		return ok && regexp.MustCompile(pattern).MatchString(s)
	}
	for _, v := range args {
		if has(v) != (form == "holds") {
			return false
		}
	}
	return isTuple
}
