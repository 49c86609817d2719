package exposed

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// assignTo converts a value that is not an argument: an item or an attribute.
func assignTo(ctx context.Context, dst reflect.Value, v any, what string) error {
	err := netref.Assign(ctx, dst, v)
	var ce *netref.ConvertError
	if !errors.As(err, &ce) {
		return err
	}
	if ce.Reason == "out of range" {
		return vinegar.OverflowError.Errorf("%s: int out of range for Go type %v", what, ce.To)
	}
	path := ""
	if ce.Path != "" {
		path = fmt.Sprintf(" at %s", ce.Path)
	}
	return vinegar.TypeError.Errorf("%s%s must be %s, not %s", what, path, binding.Wanted(ce.To), TypeName(v))
}
