package vinegar_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// deliver brings an error to the other end of a connection, as a reply does.
func deliver(err error) error {
	payload, sendErr := vinegar.AppendPayload(nil, vinegar.FromError(err), nil)
	if sendErr != nil {
		return sendErr
	}
	c := brine.NewCursor(payload)
	e, loadErr := vinegar.DecodePayload(&c)
	if loadErr != nil {
		return loadErr
	}
	return e
}

// A handler raises a Python exception by returning it, and a caller recognises
// one by its class or a base class.
func Example() {
	handler := func(a, by int) (int, error) {
		if by == 0 {
			return 0, vinegar.ZeroDivisionError.New("division by zero")
		}
		return a / by, nil
	}
	_, err := handler(7, 0)
	err = deliver(err)

	fmt.Println(err)
	fmt.Println(errors.Is(err, vinegar.ZeroDivisionError))
	fmt.Println(errors.Is(err, vinegar.ArithmeticError))
	fmt.Println(errors.Is(err, vinegar.ValueError))
	// Output:
	// ZeroDivisionError: division by zero
	// true
	// true
	// false
}

// An exception class of one's own, with attributes. A Go program at the other end
// recognises it if it has registered the same name.
func ExampleNewClass() {
	serviceError := vinegar.NewClass("behaviour_service.ServiceError")
	err := deliver(serviceError.New("it broke").With("code", 42))

	var exc *vinegar.Error
	if errors.As(err, &exc) && errors.Is(err, serviceError) {
		code, _ := exc.Attr("code")
		fmt.Println(exc, code)
	}
	// Output: behaviour_service.ServiceError: it broke 42
}

// Go's errors become the exceptions that a Python programmer expects, and back.
func ExampleFromError() {
	_, err := os.Open("/no/such/file")
	err = deliver(fmt.Errorf("read settings: %w", err))

	fmt.Println(err)
	fmt.Println(errors.Is(err, fs.ErrNotExist))
	// Output:
	// FileNotFoundError: [Errno 2] No such file or directory: '/no/such/file'
	// true
}

// The traceback text is what a Python peer prints.
func ExampleError_FormatTraceback() {
	inner := vinegar.KeyError.New("inner")
	outer := vinegar.ValueError.New("outer").From(inner)
	outer.Frames = []vinegar.Frame{{File: "service.go", Line: 12, Func: "exposed_fail"}}
	fmt.Print(outer.FormatTraceback())
	// Output:
	// Traceback (most recent call last):
	// KeyError: 'inner'
	//
	// The above exception was the direct cause of the following exception:
	//
	// Traceback (most recent call last):
	//   File "service.go", line 12, in exposed_fail
	// ValueError: outer
}

func ExampleRepr() {
	fmt.Println(vinegar.Repr(brine.Tuple{int64(1), "it's", []byte("\x00"), 1e16, nil}))
	fmt.Println(vinegar.Repr([]any{true, map[string]int{"k": 1}}))
	// Output:
	// (1, "it's", b'\x00', 1e+16, None)
	// [True, {'k': 1}]
}
