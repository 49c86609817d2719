package exposed

import (
	"reflect"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
)

// Args are the arguments of one call, for [Call] and [CallAttr]. The zero value is a call without arguments; [NewArgs]
// takes decoded ones, and [CallArgs] what a request carries. An Args is for one call and one goroutine.
type Args = binding.Args

// NewArgs returns decoded arguments. It keeps the slices.
func NewArgs(pos []any, kw []netref.Keyword) *Args { return binding.NewArgs(pos, kw) }

var errorType = reflect.TypeFor[error]()
