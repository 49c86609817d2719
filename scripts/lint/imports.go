package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
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

// An arrow says what the packages of one room may import from this module. A name ending in "/..." stands for itself and everything below it.
type arrow struct {
	from string
	to   []string
	// thirdParty allows imports that are neither ours nor the standard library's.
	thirdParty bool
}

// arrows is the plan of DESIGN.md; the first matching row counts, and a package without a row is an error.
var arrows = []arrow{
	{from: "brine"},
	{from: "brine/pyvalue", to: []string{"brine"}},
	{from: "protocol/wire", to: []string{"brine"}},
	{from: "protocol/vinegar", to: []string{"brine/..."}},
	{from: "protocol/transport/ssh", thirdParty: true},
	{from: "protocol/transport/..."},
	{from: "protocol/frame", to: []string{"brine"}},
	{from: "protocol/pickle/...", to: []string{"brine/...", "netref"}, thirdParty: true},
	{from: "netref", to: []string{"brine/...", "protocol/wire", "protocol/vinegar"}},
	{from: "protocol/exposed/internal/binding", to: []string{"brine/...", "netref", "protocol/wire", "protocol/vinegar"}},
	{from: "protocol/exposed", to: []string{"brine/...", "netref", "protocol/wire", "protocol/vinegar", "protocol/exposed/internal/binding"}},
	{from: "protocol", to: []string{"brine/...", "netref", "protocol/...", "registry"}},
	{from: "registry/...", to: []string{"brine/...", "registry/..."}},
	{from: "servers/...", to: []string{"brine/...", "protocol/...", "registry/...", "servers/..."}},
	{from: "classic/terminal", to: []string{"classic"}, thirdParty: true},
	{from: "classic/internal/pytypes", to: []string{"brine/...", "netref", "protocol/exposed", "protocol/vinegar"}},
	{from: "classic/script", to: []string{"brine/...", "netref", "protocol/...", "classic/internal/..."}, thirdParty: true},
	{from: "classic/modules", to: []string{"brine/...", "netref", "protocol/...", "classic/internal/..."}, thirdParty: true}, // golang.org/x/sys
	{from: "classic/...", to: []string{"brine/...", "netref", "protocol/...", "classic/..."}},
	{from: "cmd/...", to: []string{"brine/...", "netref", "protocol/...", "servers/...", "classic/...", "registry/...", "cmd/..."}, thirdParty: true},
	// Programs beside the library: they may use all of it but not each other.
	{from: "examples/...", to: programs},
	{from: "compat_tests/...", to: programs},
	{from: "scripts/...", to: programs, thirdParty: true},
}

var programs = []string{"brine/...", "netref", "protocol/...", "servers/...", "classic/...", "registry/..."}

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
	return []string{fmt.Sprintf("%s: a new room: say in scripts/lint/imports.go and in DESIGN.md what it may import", room)}
}

// forbids says why a room under this arrow may not import path, or "" if it may.
func (a arrow) forbids(module, room, path string) string {
	target := inside(module, path)
	if target == "" {
		first, _, _ := strings.Cut(path, "/")
		if strings.Contains(first, ".") && !a.thirdParty {
			return "only the standard library here"
		}
		return ""
	}
	for _, allowed := range a.to {
		if matches(allowed, target) {
			return ""
		}
	}
	// A program may be several packages.
	if top := strings.SplitN(room, "/", 3); len(top) > 1 && strings.HasPrefix(target, top[0]+"/"+top[1]) && matches(a.from, target) {
		return ""
	}
	return "against the arrows of DESIGN.md"
}
