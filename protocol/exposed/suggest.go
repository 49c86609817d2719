package exposed

import (
	"maps"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/protocol/internal/similar"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// suggesting adds to an AttributeError for the name the exposed name that is most like it, if one is, as CPython does
// where it shows one. Nothing is suggested that dir() does not list.
func suggesting(err error, p *Policy, v any, c *Class, name string) error {
	e, ok := err.(*vinegar.Error)
	asked := strings.TrimPrefix(name, p.prefix())
	closed := p != nil && (p.DenyExposed || p.DenyGet)
	if !ok || closed || len(e.Args) != 1 || strings.HasPrefix(asked, "_") {
		return err
	}
	best := similar.Nearest(asked, func(yield func(string) bool) {
		for _, n := range slices.Sorted(maps.Keys(c.names(p, v, false))) {
			bare, exposed := strings.CutPrefix(n, p.prefix())
			if exposed && !strings.HasPrefix(bare, "_") && !yield(bare) {
				return
			}
		}
	})
	if text, ok := e.Args[0].(string); ok && best != "" {
		return e.Class.New(text + ". Did you mean: '" + best + "'?")
	}
	return err
}
