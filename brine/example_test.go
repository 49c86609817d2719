package brine_test

import (
	"fmt"

	"github.com/gorpyc/gorpyc/brine"
)

func Example() {
	data, err := brine.Marshal(brine.Tuple{"he", 7, brine.Slice{Stop: 10}, nil})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("% x\n", data)

	v, err := brine.Unmarshal(data)
	fmt.Println(v, err)
	// Output:
	// 13 08 0b 68 65 57 19 12 00 5a 00 00
	// [he 7 {<nil> 10 <nil>} <nil>] <nil>
}

// Typed reads take values where they lie and allocate nothing.
func ExampleCursor() {
	data, err := brine.AppendString(brine.AppendInt(brine.AppendTupleHeader(nil, 2), 42), "answer")
	if err != nil {
		fmt.Println(err)
		return
	}
	c := brine.NewCursor(data)
	n, err := c.Tuple()
	if err != nil || n != 2 {
		fmt.Println("not a pair:", n, err)
		return
	}
	number, err := c.Int64()
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := c.String()
	fmt.Println(number, text, err)
	// Output: 42 answer <nil>
}

func ExampleDumpable() {
	fmt.Println(brine.Dumpable(brine.Tuple{1, "two"}), brine.Dumpable([]int{1, 2}))
	// Output: true false
}
