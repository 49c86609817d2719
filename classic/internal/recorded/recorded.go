//go:build unix

// Package recorded compares the Go classic engine with recordings of CPython, for tests. record.py beside it makes them
// and says what programs may do.
package recorded

import (
	"context"
	"crypto/sha1" //nolint:gosec // a name for a program, not a secret
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

var address = regexp.MustCompile(`\b0x[0-9a-f]{6,}`)

// Run runs the programs of a file, each in a subtest, with what start makes for it: exec runs a program, whose result
// is in r of the namespace. The results must be those recorded in the file of the same name that ends in .json.
func Run(t *testing.T, file string, start func(t *testing.T, namespace *exposed.Dict) (exec func(text string) error)) {
	text, err := os.ReadFile(file)
	noError(t, err)
	data, err := os.ReadFile(strings.TrimSuffix(file, filepath.Ext(file)) + ".json")
	noError(t, err)
	var results map[string]string
	noError(t, json.Unmarshal(data, &results))
	before, umask := time.Local, syscall.Umask(0o022)
	t.Cleanup(func() { time.Local = before; syscall.Umask(umask) })
	time.Local = time.UTC
	prelude, programs, ok := strings.Cut(string(text), "#####\n")
	if !ok {
		prelude, programs = "", prelude
	}
	for _, program := range strings.Split(strings.TrimRight(programs, "\n"), "\n###\n") {
		program = prelude + program
		sum := sha1.Sum([]byte(program)) //nolint:gosec // as above
		want, ok := results[hex.EncodeToString(sum[:])[:16]]
		if !ok {
			t.Errorf("not recorded: run record.py on %s for %.60q", file, program)
			continue
		}
		t.Run("", func(t *testing.T) {
			up, err := filepath.EvalSymlinks(t.TempDir())
			noError(t, err)
			dir := filepath.Join(up, "dir")
			tmp := filepath.Join(dir, "tmp")
			noError(t, os.MkdirAll(tmp, 0o700))
			t.Chdir(dir)
			for name, value := range map[string]string{
				"TZ": "UTC", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "USER": "user", "HOME": dir,
				"TMPDIR": tmp,
			} {
				t.Setenv(name, value)
			}
			namespace := exposed.NewDict()
			got := outcome(t, namespace, start(t, namespace)(program))
			got = strings.NewReplacer(dir, "DIR", up, "UP").Replace(got)
			if got = address.ReplaceAllString(got, "0x"); got != want {
				t.Errorf("%s\nCPython: %s\n   here: %s", program, want, got)
			}
		})
	}
}

func outcome(t *testing.T, namespace *exposed.Dict, err error) string {
	ctx := context.Background()
	if err != nil {
		e := vinegar.FromError(err)
		if e.Class.IsSubclass(vinegar.SyntaxError) {
			return "raises " + e.Class.Name()
		}
		text, err := exposed.Str(ctx, e)
		noError(t, err)
		return "raises " + e.Class.Name() + ": " + text
	}
	r, _, err := namespace.Get(ctx, "r")
	noError(t, err)
	s, err := exposed.Repr(ctx, r)
	noError(t, err)
	return s
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
