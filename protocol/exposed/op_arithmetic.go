package exposed

import (
	"context"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/names"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// operators maps the methods of arithmetic to the operator's sign.
var operators = map[string]string{
	"__add__": "+", "__sub__": "-", "__mul__": "*", "__truediv__": "/", "__floordiv__": "//", "__mod__": "%",
	"__divmod__": "divmod()", "__pow__": "** or pow()", "__lshift__": "<<", "__rshift__": ">>",
	"__and__": "&", "__or__": "|", "__xor__": "^", "__matmul__": "@",
}

// Operate applies one of Python's binary operators, named by its method: "__add__" for a + b, "__lt__" for a < b.
func Operate(ctx context.Context, op string, a, b any) (r any, err error) {
	defer protect(&err)
	a, b = norm(a), norm(b)
	if _, compares := names.Comparisons[op]; compares {
		return richCompare(ctx, op, a, b)
	}
	sign, ok := operators[op]
	if !ok {
		return nil, vinegar.ValueError.Errorf("%s is no binary operator", op)
	}
	if r, err = special(ctx, a, op, b); err != nil || r != any(brine.NotImplemented) {
		return r, err
	}
	if TypeName(a) != TypeName(b) {
		if r, err = special(ctx, b, "__r"+op[2:], a); err != nil || r != any(brine.NotImplemented) {
			return r, err
		}
	}
	return nil, vinegar.TypeError.Errorf("unsupported operand type(s) for %s: '%s' and '%s'", sign,
		TypeName(a), TypeName(b))
}
