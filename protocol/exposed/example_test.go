package exposed_test

import (
	"context"
	"fmt"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Account is an object with a method, a field and an operator.
type Account struct {
	Owner   string
	balance int
}

// Deposit answers to deposit, and to exposed_deposit in full.
func (a *Account) Deposit(amount int) (int, error) {
	if amount <= 0 {
		return 0, vinegar.ValueError.Errorf("cannot deposit %d", amount)
	}
	a.balance += amount
	return a.balance, nil
}

// PyInt is Python's int(account).
func (a *Account) PyInt() int { return a.balance }

// What a peer's requests for account.owner, account.deposit(5), account.balance and account.deposit(0) come to.
func Example() {
	ctx := context.Background()
	account := &Account{Owner: "Ann", balance: 10}
	owner, _ := exposed.GetAttr(ctx, nil, account, "owner")
	fmt.Println(owner)
	balance, _ := exposed.CallAttr(ctx, nil, account, "deposit", exposed.NewArgs([]any{int64(5)}, nil))
	fmt.Println(balance)
	_, err := exposed.GetAttr(ctx, nil, account, "balance")
	fmt.Println(err)
	_, err = exposed.CallAttr(ctx, nil, account, "deposit", exposed.NewArgs([]any{int64(0)}, nil))
	fmt.Println(err)
	_, err = exposed.CallAttr(ctx, nil, account, "deposit", &exposed.Args{})
	fmt.Println(err)
	// Output:
	// Ann
	// 15
	// AttributeError: cannot access 'balance'
	// ValueError: cannot deposit 0
	// TypeError: Account.exposed_deposit() missing 1 required positional argument: 'arg1'
}

// Declared parameters can be passed by keyword and have defaults.
func ExampleFunc() {
	greet := exposed.Func(func(name, greeting, punct string) string {
		return greeting + ", " + name + punct
	}, "name", "greeting='Hello'", "*", "punct='!'").Named("greet").Doc("Greet somebody.")
	fmt.Println("greet" + greet.Signature())

	ctx := context.Background()
	s, _ := exposed.Call(ctx, greet, exposed.NewArgs([]any{"Ann"}, []netref.Keyword{netref.Kw("punct", "?")}))
	fmt.Println(s)
	_, err := exposed.Call(ctx, greet, exposed.NewArgs([]any{"Ann", "Hi", "."}, nil))
	fmt.Println(err)
	// Output:
	// greet(name, greeting='Hello', *, punct='!')
	// Hello, Ann?
	// TypeError: greet() takes from 1 to 2 positional arguments but 3 were given
}

type Colour struct{ R, G, B uint8 }

var colourClass = exposed.Register[Colour](exposed.ClassOptions{
	Name:       "paint.Colour",
	Doc:        "A colour on the screen.",
	New:        exposed.Func(func(r, g, b uint8) *Colour { return &Colour{r, g, b} }, "r=0", "g=0", "b=0"),
	Static:     map[string]any{"black": func() *Colour { return new(Colour) }},
	Properties: map[string]exposed.Property{"grey": {Get: func(c *Colour) bool { return c.R == c.G && c.G == c.B }}},
})

// A class can be handed out itself: peers call it to make objects.
func ExampleRegister() {
	ctx := context.Background()
	c, _ := exposed.Call(ctx, colourClass, exposed.NewArgs([]any{int64(9)}, []netref.Keyword{netref.Kw("b", int64(9))}))
	grey, _ := exposed.GetAttr(ctx, nil, c, "grey")
	fmt.Println(exposed.ClassOf(c).Name(), c, grey)
	_, err := exposed.Call(ctx, colourClass, exposed.NewArgs([]any{int64(256)}, nil))
	fmt.Println(err)
	// Output:
	// paint.Colour &{9 0 9} false
	// OverflowError: Colour.__init__() argument 'r': int out of range for Go type uint8
}
