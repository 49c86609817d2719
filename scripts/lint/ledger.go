package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// ledgerFile says of each clause of the protocol which tests prove it.
const ledgerFile = "compat_tests/LEDGER.md"

var (
	handlerConst = regexp.MustCompile(`(?m)^\tHandle([A-Z]\w+) +Handler = \d+`)
	provedBy     = regexp.MustCompile("`([^`]+)`")
)

// checkLedger returns what is wrong with the ledger: a handler of the protocol without a row, a state that does not
// exist, a clause without proof, a test that does not exist.
func checkLedger(root string) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(root, ledgerFile))
	if err != nil {
		return nil, err
	}
	consts, err := os.ReadFile(filepath.Join(root, "protocol/wire/consts.go"))
	if err != nil {
		return nil, err
	}
	missing := map[string]bool{}
	for _, m := range handlerConst.FindAllStringSubmatch(string(consts), -1) {
		missing[strings.ToUpper(m[1])] = true
	}
	if len(missing) == 0 {
		return nil, fmt.Errorf("no handlers found in protocol/wire")
	}
	tests := testIndex{root: root, sources: map[string]string{}}
	var found []string
	complain := func(line int, format string, args ...any) {
		found = append(found, fmt.Sprintf("%s:%d: %s", ledgerFile, line, fmt.Sprintf(format, args...)))
	}
	for i, line := range strings.Split(string(text), "\n") {
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if !strings.HasPrefix(line, "| ") || len(cells) != 5 || strings.TrimSpace(cells[0]) == "Operation" {
			continue
		}
		delete(missing, strings.TrimSpace(cells[0]))
		state := strings.TrimSpace(cells[3])
		if state != "yes" && state != "differs" && state != "no" {
			complain(i+1, "state %q is none", state)
		}
		proofs := provedBy.FindAllStringSubmatch(cells[4], -1)
		if len(proofs) == 0 && state != "no" {
			complain(i+1, "nothing proves it")
		}
		for _, p := range proofs {
			ok, err := tests.has(p[1])
			if err != nil {
				return nil, err
			}
			if !ok {
				complain(i+1, "there is no test %s", p[1])
			}
		}
	}
	for name := range missing {
		found = append(found, fmt.Sprintf("%s: no row for the handler %s", ledgerFile, name))
	}
	return found, nil
}

// checkSecurity returns the rows of SECURITY.md's table of limits whose test does not exist, or that name none.
func checkSecurity(root string) ([]string, error) {
	const file = "SECURITY.md"
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		return nil, err
	}
	tests := testIndex{root: root, sources: map[string]string{}}
	var found []string
	for i, line := range strings.Split(string(text), "\n") {
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if !strings.HasPrefix(line, "| ") || len(cells) != 5 || strings.TrimSpace(cells[0]) == "resource" {
			continue
		}
		proofs := provedBy.FindAllStringSubmatch(cells[4], -1)
		if len(proofs) == 0 {
			found = append(found, fmt.Sprintf("%s:%d: no test tries it", file, i+1))
		}
		for _, p := range proofs {
			ok, err := tests.has(p[1])
			if err != nil {
				return nil, err
			}
			if !ok {
				found = append(found, fmt.Sprintf("%s:%d: there is no test %s", file, i+1, p[1]))
			}
		}
	}
	return found, nil
}

// testIndex finds tests by the sources they stand in.
type testIndex struct {
	root    string
	sources map[string]string
}

// has reports whether a test exists: "package.TestName", or "file.py::test_name" for one in compat_tests.
func (x testIndex) has(name string) (bool, error) {
	if file, test, ok := strings.Cut(name, "::"); ok {
		source, err := x.source(filepath.Join(x.root, "compat_tests", file))
		return strings.Contains(source, "def "+test+"("), err
	}
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return false, nil
	}
	source, err := x.source(filepath.Join(x.root, filepath.FromSlash(name[:dot]), "*_test.go"))
	return strings.Contains(source, "func "+name[dot+1:]+"("), err
}

func (x testIndex) source(pattern string) (string, error) {
	if s, ok := x.sources[pattern]; ok {
		return s, nil
	}
	files, err := filepath.Glob(pattern)
	if err != nil {
		return "", err
	}
	var all strings.Builder
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return "", err
		}
		all.Write(b)
	}
	x.sources[pattern] = all.String()
	return x.sources[pattern], nil
}
