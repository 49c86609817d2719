package netref_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Calculator is what the peer of the examples offers.
type Calculator struct{ history []int }

func (c *Calculator) Add(a, b int) int {
	c.history = append(c.history, a+b)
	return a + b
}

func (c *Calculator) Div(a, by int) (int, error) {
	if by == 0 {
		return 0, vinegar.ZeroDivisionError.New("division by zero")
	}
	return a / by, nil
}

func (c *Calculator) Map(ctx context.Context, f func(context.Context, int) (int, error), xs []int) ([]int, error) {
	for i, x := range xs {
		y, err := f(ctx, x)
		if err != nil {
			return nil, err
		}
		xs[i] = y
	}
	return xs, nil
}

func (c *Calculator) History() *exposed.List {
	l := exposed.NewList()
	for _, n := range c.history {
		l.Append(n)
	}
	return l
}

// calculator connects to a Calculator in the same process; protocol.Dial would connect to one elsewhere.
func calculator() (*netref.Object, func()) {
	client, server, err := protocol.Pair(context.Background(), nil, &Calculator{}, nil)
	if err != nil {
		log.Fatal(err)
	}
	return client.Root(), func() {
		_ = client.Close()
		<-client.Done()
		<-server.Done()
	}
}

func Example() {
	root, done := calculator()
	defer done()
	ctx := context.Background()

	sum, err := netref.Call[int](ctx, root, "add", 2, 3)
	fmt.Println(sum, err)
	_, err = netref.Call[int](ctx, root, "div", 1, 0)
	fmt.Println(err, errors.Is(err, vinegar.ArithmeticError))
	history, err := netref.Call[[]int](ctx, root, "history")
	fmt.Println(history, err)
	// Output:
	// 5 <nil>
	// ZeroDivisionError: division by zero true
	// [5] <nil>
}

func ExampleBind() {
	root, done := calculator()
	defer done()
	ctx := context.Background()

	var calc struct {
		Add    func(ctx context.Context, a, b int) (int, error)
		Divide func(ctx context.Context, a, by int) (int, error) `rpyc:"div"`
	}
	if err := netref.Bind(ctx, root, &calc); err != nil {
		log.Fatal(err)
	}
	fmt.Println(calc.Add(ctx, 40, 2))
	fmt.Println(calc.Divide(ctx, 84, 2))
	// Output:
	// 42 <nil>
	// 42 <nil>
}

func ExampleCall_callback() {
	root, done := calculator()
	defer done()
	square := func(x int) int { return x * x }
	fmt.Println(netref.Call[[]int](context.Background(), root, "map", square, []int{1, 2, 3}))
	// Output: [1 4 9] <nil>
}

func ExampleObject_Iter() {
	root, done := calculator()
	defer done()
	ctx := context.Background()
	for i := range 3 {
		if _, err := root.CallMethod(ctx, "add", i, i); err != nil {
			log.Fatal(err)
		}
	}
	history, err := netref.Call[*netref.Object](ctx, root, "history")
	if err != nil {
		log.Fatal(err)
	}
	for x, err := range history.Iter(ctx) {
		fmt.Println(x, err)
	}
	fmt.Println(history.Len(ctx))
	fmt.Println(netref.Item[int](ctx, history, -1))
	// Output:
	// 0 <nil>
	// 2 <nil>
	// 4 <nil>
	// 3 <nil>
	// 4 <nil>
}

func ExampleObject_CallMethodAsync() {
	root, done := calculator()
	defer done()
	ctx := context.Background()
	var results []*netref.AsyncResult
	for i := range 3 {
		r, err := root.CallMethodAsync(ctx, "add", i, 10)
		if err != nil {
			log.Fatal(err)
		}
		results = append(results, r)
	}
	for _, r := range results {
		fmt.Println(netref.Await[int](ctx, r))
	}
	// Output:
	// 10 <nil>
	// 11 <nil>
	// 12 <nil>
}

func ExampleAs() {
	root, done := calculator()
	defer done()
	ctx := context.Background()
	v, err := root.CallMethod(ctx, "history") // a handle on a list
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(v)
	fmt.Println(netref.As[[]int](ctx, v))
	_, err = netref.As[string](ctx, v)
	fmt.Println(err)
	// Output:
	// <netref of builtins.list object>
	// [] <nil>
	// cannot use list as string
}
