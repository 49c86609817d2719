//go:build unix

package modules

import (
	"context"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// translate makes a regular expression of a pattern of fnmatch. It fails for the few character sets that Go's
// expressions do not have.
func translate(pattern string) (*regexp.Regexp, error) {
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	for i := 0; i < len(pattern); {
		c := pattern[i]
		i++
		switch c {
		case '*':
			b.WriteString(".*")
		case '?':
			b.WriteString(".")
		case '[':
			j := i
			if j < len(pattern) && pattern[j] == '!' {
				j++
			}
			if j < len(pattern) && pattern[j] == ']' {
				j++
			}
			for j < len(pattern) && pattern[j] != ']' {
				j++
			}
			if j >= len(pattern) {
				b.WriteString(`\[`)
				continue
			}
			set := strings.ReplaceAll(pattern[i:j], `\`, `\\`)
			i = j + 1
			negated := strings.HasPrefix(set, "!")
			set = strings.TrimPrefix(set, "!")
			set = strings.NewReplacer("[", `\[`, "]", `\]`, "^", `\^`).Replace(set)
			if negated {
				set = "^" + set
			}
			b.WriteString("[" + set + "]")
		default:
			j := i
			for j < len(pattern) && strings.IndexByte("*?[", pattern[j]) < 0 {
				j++
			}
			b.WriteString(regexp.QuoteMeta(pattern[i-1 : j]))
			i = j
		}
	}
	b.WriteString(`\z`)
	re, err := regexp.Compile(b.String())
	if err != nil {
		return nil, vinegar.ValueError.Errorf("the pattern %s is not supported by this server", vinegar.Repr(pattern))
	}
	return re, nil
}

func hasMagic(s string) bool { return strings.ContainsAny(s, "*?[") }

// globber finds the paths that match a pattern, in the order in which the glob module finds them.
type globber struct {
	root              string
	recursive, hidden bool
	err               error
}

// maxFound bounds how many paths are collected.
const maxFound = 1 << 20

func (g *globber) real(s string) string {
	if g.root == "" || strings.HasPrefix(s, "/") {
		return s
	}
	return joined(g.root, s)
}

// match finds what matches the whole pattern; dirsOnly asks for directories.
func (g *globber) match(ctx context.Context, pattern string, dirsOnly bool) []string {
	if ctx, g.err = exposed.Descend(ctx, ""); g.err != nil {
		return nil
	}
	dir, base := splitPath(pattern)
	if !hasMagic(pattern) {
		if base == "" {
			if fi, err := os.Stat(g.real(dir)); err == nil && fi.IsDir() {
				return []string{pattern}
			}
			return nil
		}
		if _, err := os.Lstat(g.real(pattern)); err == nil {
			return []string{pattern}
		}
		return nil
	}
	dirs := []string{dir}
	if dir != "" && dir != pattern && hasMagic(dir) {
		if dirs = g.match(ctx, dir, true); g.err != nil {
			return nil
		}
	}
	var out []string
	for _, d := range dirs {
		for _, name := range g.names(d, base, dirsOnly) {
			if d == "" {
				out = append(out, name)
			} else {
				out = append(out, joined(d, name))
			}
			if len(out) > maxFound {
				g.err = vinegar.MemoryError.Errorf("more than %d paths", maxFound)
				return nil
			}
		}
		if g.err != nil {
			return nil
		}
	}
	return out
}

// names lists what in a directory matches the last part of a pattern.
func (g *globber) names(dir, base string, dirsOnly bool) []string {
	switch {
	case !hasMagic(base):
		if base == "" {
			if fi, err := os.Stat(g.real(orDot(dir))); err == nil && fi.IsDir() {
				return []string{base}
			}
			return nil
		}
		if _, err := os.Lstat(g.real(joined(dir, base))); err == nil {
			return []string{base}
		}
		return nil
	case base == "**" && g.recursive:
		out := []string{}
		if fi, err := os.Stat(g.real(orDot(dir))); err == nil && fi.IsDir() {
			out = append(out, "")
		}
		return g.below(dir, "", dirsOnly, out)
	}
	re, err := translate(base)
	if err != nil {
		g.err = err
		return nil
	}
	var out []string
	for _, e := range g.list(dir, dirsOnly) {
		if (g.hidden || strings.HasPrefix(base, ".") || !strings.HasPrefix(e, ".")) && re.MatchString(e) {
			out = append(out, e)
		}
	}
	return out
}

func orDot(s string) string {
	if s == "" {
		return "."
	}
	return s
}

func (g *globber) list(dir string, dirsOnly bool) []string {
	entries, err := readDir(g.real(orDot(dir)))
	if dir == "" && g.root != "" {
		entries, err = readDir(g.root)
	}
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		if dirsOnly {
			fi, err := os.Stat(g.real(joined(dir, e.Name())))
			if err != nil || !fi.IsDir() {
				continue
			}
		}
		out = append(out, e.Name())
	}
	return out
}

func (g *globber) below(dir, under string, dirsOnly bool, out []string) []string {
	for _, name := range g.list(joined(dir, under), dirsOnly) {
		if strings.HasPrefix(name, ".") && !g.hidden || len(out) > maxFound {
			continue
		}
		path := joined(under, name)
		out = append(out, path)
		if fi, err := os.Stat(g.real(joined(dir, path))); err == nil && fi.IsDir() && strings.Count(path, "/") < 100 {
			out = g.below(dir, path, dirsOnly, out)
		}
	}
	return out
}

func newGlob(*Interpreter) *Module {
	m := New("glob", "Filename globbing utility.")
	find := func(ctx context.Context, pathname any, root any, _ any, recursive, hidden bool) (*exposed.List, error) {
		s, back, err := onePath(ctx, pathname)
		if err != nil {
			return nil, err
		}
		g := &globber{recursive: recursive, hidden: hidden}
		if root != nil {
			if g.root, _, err = onePath(ctx, root); err != nil {
				return nil, err
			}
		}
		found := g.match(ctx, s, false)
		if g.err != nil {
			return nil, g.err
		}
		if recursive && strings.HasPrefix(s, "**") {
			found = slices.DeleteFunc(found, func(p string) bool { return p == "" })
		}
		l := exposed.NewList()
		for _, p := range found {
			l.Append(back(p))
		}
		return l, nil
	}
	params := []string{"pathname", "*", "root_dir=None", "dir_fd=None", "recursive=False", "include_hidden=False"}
	m.Def("glob", find, params...)
	m.Def("iglob", func(ctx context.Context, pathname, root, fd any, recursive, hidden bool) (any, error) {
		l, err := find(ctx, pathname, root, fd, recursive, hidden)
		if err != nil {
			return nil, err
		}
		return exposed.Iter(ctx, l)
	}, params...)
	m.Def("has_magic", func(ctx context.Context, v any) (bool, error) {
		s, _, err := onePath(ctx, v)
		return hasMagic(s), err
	}, "s")
	m.Def("escape", pathFunc(func(s string) string {
		return strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]").Replace(s)
	}), "pathname")
	return m
}

func newFnmatch(*Interpreter) *Module {
	m := New("fnmatch", "Filename matching with shell patterns.")
	match := func(ctx context.Context, name, pattern any) (bool, error) {
		n, _, err := onePath(ctx, name)
		if err != nil {
			return false, err
		}
		p, _, err := onePath(ctx, pattern)
		if err != nil {
			return false, err
		}
		re, err := translate(p)
		return err == nil && re.MatchString(n), err
	}
	m.Def("fnmatch", match, "name", "pat").Def("fnmatchcase", match, "name", "pat")
	m.Def("filter", func(ctx context.Context, names, pattern any) (*exposed.List, error) {
		l := exposed.NewList()
		for n, err := range exposed.Iterate(ctx, names) {
			if err != nil {
				return nil, err
			}
			if ok, err := match(ctx, n, pattern); err != nil {
				return nil, err
			} else if ok {
				l.Append(n)
			}
		}
		return l, nil
	}, "names", "pat")
	return m
}
