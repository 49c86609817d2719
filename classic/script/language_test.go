package script_test

import (
	"testing"

	"github.com/gorpyc/gorpyc/classic/internal/recorded"
	"github.com/gorpyc/gorpyc/classic/modules"
	"github.com/gorpyc/gorpyc/classic/script"
	"github.com/gorpyc/gorpyc/protocol/exposed"
)

func TestLanguage(t *testing.T) {
	recorded.Run(t, "testdata/language.txt", func(t *testing.T, ns *exposed.Dict) func(string) error {
		e := script.New(ns, nil)
		m := modules.NewInterpreter(&modules.Options{Evaluator: e, Argv: []string{"program"}})
		t.Cleanup(func() { _ = m.Close() })
		e.Importer = m.Import
		return func(text string) error { return e.Exec(ctx, text, nil) }
	})
}
