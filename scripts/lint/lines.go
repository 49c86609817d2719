package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxLines is the length of a Go file past which it should have been split.
const maxLines = 500

var literal = regexp.MustCompile("`[^`]*`|\"(?:[^\"\\\\]|\\\\.)*\"")

// hasLongLiteral reports whether a line has a string that would have to be cut to fit.
func hasLongLiteral(line string) bool {
	return slices.ContainsFunc(literal.FindAllString(line, -1), func(s string) bool { return len(s) >= 60 })
}

// checkLines returns the Go files that are longer than maxLines, and the lines of programs that are wider than
// maxColumns. Data is free of it: what is in testdata, multi-line strings of Go and long ones of one line; and so are
// tables in doc comments, which begin with a tab.
func checkLines(root string) ([]string, error) {
	var found []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != root && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")) {
				return filepath.SkipDir
			}
			return nil
		}
		kind := filepath.Ext(path)
		if kind == "" && filepath.Base(filepath.Dir(path)) == "scripts" {
			kind = ".sh"
		}
		if !slices.Contains([]string{".go", ".py", ".sh"}, kind) {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		lines := strings.Split(string(text), "\n")
		if kind == ".go" && len(lines)-1 > maxLines {
			found = append(found, fmt.Sprintf("%s: %d lines, more than %d", path, len(lines)-1, maxLines))
		}
		data := false
		for i, line := range lines {
			began := data
			code := line
			if !began { // a backtick in a string of one line begins no other
				code = literal.ReplaceAllString(line, "")
			}
			if kind == ".go" && strings.Count(code, "`")%2 == 1 && !strings.HasPrefix(strings.TrimSpace(line), "//") {
				data = !data
			}
			if n := utf8.RuneCountInString(line); n > maxColumns && !began && !data &&
				!strings.HasPrefix(line, "//\t") && !hasLongLiteral(line) {
				found = append(found, fmt.Sprintf("%s:%d: %d columns, more than %d", path, i+1, n, maxColumns))
			}
		}
		return nil
	})
	return found, err
}
