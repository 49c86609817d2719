//go:build unix

package modules_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/classic/internal/recorded"
	"github.com/gorpyc/gorpyc/classic/modules"
	"github.com/gorpyc/gorpyc/classic/script"
	"github.com/gorpyc/gorpyc/protocol/exposed"
)

// What CPython does with its modules these do, too.
func TestRecordings(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			recorded.Run(t, file, func(t *testing.T, ns *exposed.Dict) func(string) error {
				e := script.New(ns, nil)
				m := modules.NewInterpreter(&modules.Options{Evaluator: e, Argv: []string{"program"}})
				t.Cleanup(func() { require.NoError(t, m.Close()) })
				e.Importer = m.Import
				return func(text string) error { return e.Exec(ctx, text, nil) }
			})
		})
	}
}
