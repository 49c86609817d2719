package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// pkg is the part of `go list -json` that the checks read.
type pkg struct {
	ImportPath string
	Dir        string
	Name       string
	GoFiles    []string
	CgoFiles   []string
	Imports    []string
	Module     struct{ Path string }
}

// room is the package's path inside the module, "." for its root.
func (p pkg) room() string {
	return inside(p.Module.Path, p.ImportPath)
}

// inside returns path relative to the module, or "" for a path outside it.
func inside(module, path string) string {
	if path == module {
		return "."
	}
	rest, ok := strings.CutPrefix(path, module+"/")
	if !ok {
		return ""
	}
	return rest
}

// An arrow says what the packages of one room may import. A name ending in "/..." stands for itself and everything
// below it.
type arrow struct {
	from    string
	to      []string // of this module
	outside []string // of others, besides the standard library: nothing, unless it is said
}

// arrows is which package may import which: the one place that says it. The first row that matches counts, and a
// package without a row is an error. DESIGN.md tells what the rooms are for, in an order that is checked against the
// imports there are (rooms.go).
var arrows = []arrow{
	{from: "protocol/transport/pause"},
	{from: "protocol/transport/filestate"},
	{from: "brine"},
	{from: "brine/pyvalue", to: []string{"brine"}},
	{from: "protocol/wire", to: []string{"brine"}},
	{from: "protocol/vinegar", to: []string{"brine/..."}},
	{from: "protocol/frame", to: []string{"brine"}},
	{from: "protocol/talk", to: []string{"brine", "protocol/wire", "protocol/frame"}},
	{from: "protocol/rpyctest", to: connections},
	{from: "protocol/transport", to: []string{"protocol/transport/pause", "protocol/transport/filestate"}},
	{from: "protocol/transport/auth"},
	{from: "protocol/transport/ssh", outside: []string{"golang.org/x/crypto/ssh/..."}},
	{from: "netref", to: with(facts, "protocol/wire")},
	{from: "protocol/exposed/internal/binding", to: with(facts, "netref", "protocol/wire")},
	{from: "protocol/exposed/internal/names", to: []string{"netref"}},
	{from: "protocol/exposed/internal/producer", to: facts},
	{from: "protocol/exposed/internal/quota", to: with(facts, "netref")},
	{from: "protocol/exposed/internal/reading", to: facts},
	{from: "protocol/exposed/internal/table", to: facts},
	{from: "protocol/exposed", to: with(facts, "netref", "protocol/wire", "protocol/exposed/internal/...",
		"protocol/internal/similar")},
	{from: "protocol/pickle", to: []string{"brine/...", "netref"},
		outside: []string{"github.com/nlpodyssey/gopickle/..."}},
	{from: "protocol/internal/balance"},
	{from: "protocol/internal/similar"},
	{from: "registry", to: []string{"brine/...", "protocol/transport/pause"}},
	{from: "observe/page"},
	{from: "observe/page/pagetest"},
	{from: "registry/fleet", to: []string{"registry", "observe/page"}},
	{from: "registry/sources/...", to: []string{"protocol", "registry", "protocol/transport/..."}},
	{from: "protocol", to: with(connections, "registry")},
	{from: "servers", to: with(connections, "registry")},
	{from: "servers/access", to: connections},
	{from: "observe/calllog", to: connections},
	{from: "observe/status", to: with(connections, "observe/page")},
	{from: "classic", to: connections},
	{from: "classic/terminal", to: []string{"classic"}, outside: []string{"github.com/peterh/liner"}},
	{from: "classic/worker", to: []string{"protocol/frame", "brine/pyvalue"}},
	{from: "classic/internal/...", to: connections},
	{from: "classic/script", to: with(connections, "classic/internal/..."), outside: []string{"go.starlark.net/..."}},
	{from: "classic/modules", to: with(connections, "classic/internal/..."), outside: []string{"golang.org/x/sys/unix"}},
	{from: "classic/slave", to: with(connections, "classic/...")},
	// Programs may use all of the library but not each other.
	{from: "cmd/internal/conform", to: library, outside: []string{"go.starlark.net/syntax"}},
	{from: "cmd/internal/...", to: library, outside: []string{"github.com/urfave/cli/v2"}},
	{from: "cmd/gorpyc", to: with(library, "cmd/internal/...", "compat_tests/reference"),
		outside: []string{"github.com/urfave/cli/v2"}},
	{from: "cmd/...", to: with(library, "cmd/internal/..."), outside: []string{"github.com/urfave/cli/v2"}},
	{from: "examples/...", to: library},
	{from: "compat_tests/...", to: library},
	{from: "scripts/...", to: library},
}

// Groups that several rows share.
var (
	facts       = []string{"brine/...", "protocol/vinegar"}
	connections = []string{"brine/...", "netref", "protocol/..."}
	library     = with(connections, "servers/...", "observe/...", "classic/...", "registry/...")
)

// with returns rooms and more of them.
func with(rooms []string, more ...string) []string { return slices.Concat(rooms, more) }

// matches reports whether room is named by pattern.
func matches(pattern, room string) bool {
	prefix, deep := strings.CutSuffix(pattern, "/...")
	return room == prefix || deep && strings.HasPrefix(room, prefix+"/")
}

// list asks the go command for every package of the module.
func list() ([]pkg, error) {
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,Name,GoFiles,CgoFiles,Imports,Module", "./...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var packages []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		packages = append(packages, p)
	}
}

// checkImports returns what is wrong with the imports of p. Test files are free.
func checkImports(p pkg) []string {
	room := p.room()
	for _, a := range arrows {
		if !matches(a.from, room) {
			continue
		}
		var found []string
		for _, path := range p.Imports {
			if problem := a.forbids(p.Module.Path, room, path); problem != "" {
				found = append(found, fmt.Sprintf("%s: imports %s: %s", room, path, problem))
			}
		}
		return found
	}
	return []string{fmt.Sprintf("%s: a new room: say in scripts/lint/imports.go what it may import, and in DESIGN.md "+
		"what it is for", room)}
}

// forbids says why a room under this arrow may not import path, or "" if it may.
func (a arrow) forbids(module, room, path string) string {
	target, allowed, problem := inside(module, path), a.to, "scripts/lint/imports.go has no arrow for it"
	if target == "" {
		if first, _, _ := strings.Cut(path, "/"); !strings.Contains(first, ".") {
			return "" // the standard library
		}
		target, allowed, problem = path, a.outside, "scripts/lint/imports.go does not have this dependency here"
	}
	if slices.ContainsFunc(allowed, func(pattern string) bool { return matches(pattern, target) }) {
		return ""
	}
	// A program may be several packages.
	if top := strings.SplitN(room, "/", 3); len(top) > 1 && strings.HasPrefix(target, top[0]+"/"+top[1]) &&
		matches(a.from, target) {
		return ""
	}
	return problem
}
