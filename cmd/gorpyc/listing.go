package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"github.com/gorpyc/gorpyc/classic"
	"github.com/gorpyc/gorpyc/cmd/internal/inspect"
	"github.com/gorpyc/gorpyc/netref"
)

// member is a line of ls or inspect.
type member struct {
	Name   string `json:"name"`
	Kind   string `json:"kind"` // method, function, class or attribute
	Method bool   `json:"method"`
	Doc    string `json:"doc,omitempty"`
	// Signature is of what can be called, if it was asked for; "(…)" if the service does not tell.
	Signature string `json:"signature,omitempty"`
}

const unknownSignature = "(…)"

func listingFlags(more ...cli.Flag) []cli.Flag {
	return callingFlags(outputFlags(append(more, classicFlag(),
		&cli.BoolFlag{Name: "all", Aliases: []string{"a"}, Usage: "also names that begin with an underscore, and those not " +
			"exposed"})...)...)
}

func lsCommand() *cli.Command {
	return &cli.Command{
		Name: "ls", Category: groupObjects,
		Usage:     "list the names of the service, or of an object",
		ArgsUsage: "[ADDRESS] [NAME]",
		Description: `One name per line, methods with (). Of a service whose names begin with exposed_ only these are listed,
without that prefix; --all lists everything.`,
		Flags: listingFlags(&cli.BoolFlag{Name: "long", Aliases: []string{"l"},
			Usage: "a table: what each is, its signature, and the first line of the documentation"}),
		Action: func(c *cli.Context) error {
			return connected(c, 0, 1, "at most one name", func(ctx context.Context, s *session, args []string) error {
				o, err := s.object(ctx, first(args))
				if err != nil {
					return err
				}
				list, err := members(ctx, o, c.Bool("all"))
				if err != nil {
					return err
				}
				if c.Bool("long") {
					for i := range list {
						s.describe(ctx, o, &list[i])
					}
				}
				if s.out.json {
					return s.out.document(list)
				}
				if c.Bool("long") {
					rows := [][]string{}
					for _, m := range list {
						doc, _, _ := strings.Cut(m.Doc, "\n")
						rows = append(rows, []string{m.Kind, m.Name + m.Signature, doc})
					}
					return s.out.table(rows)
				}
				for _, m := range list {
					text := m.Name
					if m.Method {
						text += "()"
					}
					s.out.printf("%s\n", text)
				}
				return nil
			})
		},
	}
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

// members lists what an object has: nothing of it is called, and no attribute read.
func members(ctx context.Context, o *netref.Object, all bool) ([]member, error) {
	names, err := o.Dir(ctx)
	if err != nil {
		return nil, err
	}
	docs, err := inspect.Methods(ctx, o)
	if err != nil {
		return nil, err
	}
	const prefix = "exposed_"
	exposes := slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, prefix) })
	list := []member{}
	seen := map[string]bool{}
	slices.Sort(names)
	for _, name := range names {
		shown := name
		if !all {
			bare, has := strings.CutPrefix(name, prefix)
			if exposes && !has || strings.HasPrefix(bare, "_") || fromService[bare] {
				continue
			}
			shown = bare
		}
		if seen[shown] {
			continue
		}
		seen[shown] = true
		doc, method := docs[name]
		m := member{Name: shown, Kind: kindAttribute, Method: method, Doc: strings.TrimSpace(doc)}
		if method {
			m.Kind = "method"
		}
		list = append(list, m)
	}
	return list, nil
}

// fromService are the names that rpyc.Service gives every service.
var fromService = map[string]bool{"get_service_name": true, "get_service_aliases": true}

const kindAttribute = "attribute"

func inspectCommand() *cli.Command {
	return &cli.Command{
		Name: "inspect", Category: groupObjects,
		Usage:     "describe the service, an object or a method: class, signatures, documentation",
		ArgsUsage: "[ADDRESS] [NAME]",
		Description: `Signatures are shown as far as the service tells. Services in Go do, and classic servers (--classic); others
by a docstring whose first line is one, or by what inspect.signature reads, if all attributes may be read.
Other signatures are (…).`,
		Flags: listingFlags(),
		Action: func(c *cli.Context) error {
			return connected(c, 0, 1, "at most one name", func(ctx context.Context, s *session, args []string) error {
				o, err := s.object(ctx, first(args))
				if err != nil {
					return err
				}
				d := described{Class: o.ClassName()}
				if d.Members, err = members(ctx, o, c.Bool("all")); err != nil {
					return err
				}
				if d.Doc, err = o.Doc(ctx); err != nil {
					d.Doc = "" // a service need not tell
				}
				if len(args) > 0 {
					d.Name = args[0][strings.LastIndexByte(args[0], '.')+1:]
					if d.Kind = s.kind(ctx, o); d.Kind != kindAttribute {
						d.Signature = s.signature(ctx, o, d.Name, d.Doc)
					}
				}
				for i := range d.Members {
					s.describe(ctx, o, &d.Members[i])
				}
				if s.out.json {
					return s.out.document(d)
				}
				s.out.described(d)
				return nil
			})
		},
	}
}

// described is what inspect says of an object.
type described struct {
	Class     string   `json:"class"`
	Name      string   `json:"name,omitempty"`
	Kind      string   `json:"kind,omitempty"`
	Signature string   `json:"signature,omitempty"`
	Doc       string   `json:"doc"`
	Members   []member `json:"members"`
}

func (p *printer) described(d described) {
	kind, name := d.Kind, d.Class
	switch d.Kind {
	case "", kindAttribute:
		kind = "class"
	case "class":
	default:
		name = d.Name
	}
	p.printf("%s %s%s\n", p.paint.in(blue, kind), p.paint.in(bold, name), d.Signature)
	p.printf("%s", indented(d.Doc, "    "))
	for _, m := range d.Members {
		p.printf("\n  %s%s\n%s", p.paint.in(bold, m.Name), m.Signature, indented(m.Doc, "      "))
	}
}

// describe completes a member with its signature, and with what INSPECT does not know of it, such as that the members
// of a module are functions: a classic server tells that, where reading attributes runs no code of a service.
func (s *session) describe(ctx context.Context, o *netref.Object, m *member) {
	if s.classic == nil && !m.Method {
		return
	}
	f, err := netref.Get[*netref.Object](ctx, o, m.Name)
	if err != nil || f == nil {
		return
	}
	if !m.Method {
		if m.Kind = s.kind(ctx, f); m.Kind == kindAttribute {
			return
		}
		m.Method = true
		m.Doc, _ = f.Doc(ctx)
		m.Doc = strings.TrimSpace(m.Doc)
	} else if f.IsClass() {
		m.Kind = "class"
	}
	m.Signature = s.signature(ctx, f, m.Name, m.Doc)
}

// kind says what an object is to a caller.
func (s *session) kind(ctx context.Context, o *netref.Object) string {
	switch class := o.ClassName(); {
	case o.IsClass():
		return "class"
	case class == "builtins.method":
		return "method"
	case class == "builtins.function" || class == "builtins.builtin_function_or_method":
		return "function"
	}
	if s.classic != nil {
		if ok, err := classic.Call[bool](ctx, s.classic, "builtins.callable", o); err == nil && ok {
			return "function"
		}
	}
	return kindAttribute
}

// signature finds out how f is called: by the first line of its documentation, if that says so; from a classic server
// by inspect.signature; and otherwise by what that reads, where the service opens it.
func (s *session) signature(ctx context.Context, f *netref.Object, name, doc string) string {
	line, _, _ := strings.Cut(doc, "\n")
	if text, ok := strings.CutPrefix(line, name); ok && strings.HasPrefix(text, "(") {
		return text
	}
	if s.classic != nil {
		if sig, err := classic.Call[*netref.Object](ctx, s.classic, "inspect.signature", f); err == nil {
			if text, err := sig.Str(ctx); err == nil {
				return text
			}
		}
	}
	if sig, _, err := inspect.SignatureOf(ctx, f); err == nil && sig != nil {
		return sig.String()
	}
	return unknownSignature
}

// table writes rows with their columns below each other. A cell that is too wide for that moves what is behind it.
func (p *printer) table(rows [][]string) error {
	const widest = 40
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			if n := utf8.RuneCountInString(cell); n <= widest {
				widths[i] = max(widths[i], n)
			}
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			fmt.Fprintf(&line, "%-*s  ", widths[i], cell)
		}
		p.printf("%s\n", strings.TrimRight(line.String(), " "))
	}
	return p.err
}

// indented puts a text behind a margin, without the margin it has in the source.
func indented(text, margin string) string {
	text = strings.TrimSpace(text)
	if text == "" {
		return ""
	}
	var b strings.Builder
	for line := range strings.SplitSeq(text, "\n") {
		b.WriteString(strings.TrimRight(margin+strings.TrimSpace(line), " ") + "\n")
	}
	return b.String()
}
