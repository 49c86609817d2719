package exposed

import (
	"maps"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// maxSuggested bounds the length of the names that are compared.
const maxSuggested = 40

// suggesting adds to an AttributeError for the name the exposed name that is most like it, if one is, as CPython does
// where it shows one. Nothing is suggested that dir() does not list.
func suggesting(err error, p *Policy, v any, c *Class, name string) error {
	e, ok := err.(*vinegar.Error)
	asked := strings.TrimPrefix(name, p.prefix())
	closed := p != nil && (p.DenyExposed || p.DenyGet)
	if !ok || closed || len(e.Args) != 1 || len(asked) > maxSuggested || len(asked) < 2 || strings.HasPrefix(asked, "_") {
		return err
	}
	best, least := "", 1+max(1, min(2, len(asked)/3))
	for _, n := range slices.Sorted(maps.Keys(c.names(p, v, false))) {
		bare, exposed := strings.CutPrefix(n, p.prefix())
		if !exposed || len(bare) > maxSuggested || strings.HasPrefix(bare, "_") {
			continue
		}
		if d := binding.Distance(asked, bare); d > 0 && d < least {
			best, least = bare, d
		}
	}
	if text, ok := e.Args[0].(string); ok && best != "" {
		return e.Class.New(text + ". Did you mean: '" + best + "'?")
	}
	return err
}
