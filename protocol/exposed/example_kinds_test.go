package exposed_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Level is an enumeration. Registered, its values keep their methods on the way to Python.
type Level int

const (
	Low Level = iota
	High
)

// String is Python's str.
func (l Level) String() string { return [...]string{"low", "high"}[l] }

// PyInt is int(level), PyIndex lets it be an index.
func (l Level) PyInt() int { return int(l) }

// PyIndex is operator.index(level).
func (l Level) PyIndex() int { return int(l) }

// PyEq and PyHash make equal levels equal: every value that is handed out is an object of its own.
func (l Level) PyEq(other Level) bool { return l == other }

// PyHash goes with PyEq.
func (l Level) PyHash() int { return int(l) }

var levelClass = exposed.Register[Level](exposed.ClassOptions{
	Name:   "logs.Level",
	Static: map[string]any{"LOW": Low, "HIGH": High},
})

// An enumeration whose values know their names, published as a class of constants.
func ExampleRegister_enumeration() {
	ctx := context.Background()
	high, _ := exposed.GetAttr(ctx, nil, levelClass, "HIGH")
	text, _ := exposed.Str(ctx, high)
	same, _ := exposed.Equal(ctx, high, High)
	less, _ := exposed.Equal(ctx, high, Low)
	fmt.Println(text, exposed.TypeName(high), same, less)
	// Output: high Level true false
}

// A file of which only reading and closing can be seen.
func ExampleRestricted() {
	ctx := context.Background()
	f, err := os.Open("doc.go")
	if err != nil {
		panic(err)
	}
	view := exposed.Restricted(f, []string{"readline", "close"}, nil)
	line, _ := exposed.CallAttr(ctx, nil, view, "readline", exposed.NewArgs(nil, nil))
	fmt.Println(strings.HasPrefix(string(line.([]byte)), "// Package exposed"))
	_, err = exposed.CallAttr(ctx, nil, view, "write", exposed.NewArgs([]any{[]byte("x")}, nil))
	fmt.Println(err)
	_, err = exposed.CallAttr(ctx, nil, view, "close", exposed.NewArgs(nil, nil))
	fmt.Println(err)
	// Output:
	// true
	// AttributeError: write
	// <nil>
}

// A generator that sums up what Python sends to it.
func ExampleNewGenerator() {
	ctx := context.Background()
	g := exposed.NewGenerator(func(yield func(any) (any, error)) error {
		sum := any(0)
		for {
			sent, err := yield(sum)
			if err != nil {
				return err
			}
			if sum, err = exposed.Operate(ctx, "__add__", sum, sent); err != nil {
				return err
			}
		}
	})
	for _, v := range []any{nil, 3, 4} {
		sum, _, _ := g.Send(ctx, v)
		fmt.Println(sum)
	}
	_, _, err := g.Throw(ctx, vinegar.ValueError.New("enough"))
	fmt.Println(err)
	// Output:
	// 0
	// 3
	// 7
	// ValueError: enough
}
