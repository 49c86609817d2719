package netref_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"strings"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Warehouse is what the peer of these examples offers: an object for everything that can be done with objects.
type Warehouse struct {
	Town  string
	Stock *exposed.Dict
	Till  *Till
}

// Orders are a list of dicts.
func (w *Warehouse) Orders() any {
	return []any{
		map[string]any{"item": "apple", "price": 1.5, "tags": []string{"red", "ripe"}},
		map[string]any{"item": "pear", "price": 2.0, "tags": []string{}},
	}
}

// Wrong has an order whose price is none.
func (w *Warehouse) Wrong() any {
	return []any{map[string]any{"price": 1.5}, map[string]any{"price": "cheap"}}
}

// Label takes keyword arguments.
func (w *Warehouse) Label(item string, opts struct {
	Size   int    `default:"10"`
	Colour string `default:"'white'"`
}) string {
	return fmt.Sprintf("%s %s %d", opts.Colour, item, opts.Size)
}

// Open returns something like a file.
func (w *Warehouse) Open() any {
	return &document{text: strings.NewReader("first line\nsecond line\n")}
}

// Total adds what an iterable gives.
func (w *Warehouse) Total(prices func(yield func(float64, error) bool)) (sum float64, err error) {
	for price, err := range prices {
		if err != nil {
			return 0, err
		}
		sum += price
	}
	return sum, nil
}

type document struct{ text *strings.Reader }

func (d *document) Read(n int) (string, error) {
	b := make([]byte, n)
	n, err := d.text.Read(b)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return string(b[:n]), err
}

// Till is money, and a context manager that is open inside a with block.
type Till struct {
	Euros int
	open  bool
}

func (t *Till) Pay(n int) (int, error) {
	if !t.open {
		return 0, vinegar.RuntimeError.New("the till is closed")
	}
	t.Euros += n
	return t.Euros, nil
}

// PyAdd and the other methods named so are Python's operators.
func (t *Till) PyAdd(n int) int  { return t.Euros + n }
func (t *Till) PyNeg() int       { return -t.Euros }
func (t *Till) PyLt(n int) bool  { return t.Euros < n }
func (t *Till) PyLen() int       { return t.Euros }
func (t *Till) PyEnter() *Till   { t.open = true; return t }
func (t *Till) PyExit(err error) { t.open = false }
func (t *Till) PyRepr() string   { return fmt.Sprintf("<till with %d>", t.Euros) }

// warehouse connects to a Warehouse in the same process.
func warehouse() (*netref.Object, func()) {
	stock := exposed.NewDict()
	for i, item := range []string{"pear", "apple", "fig"} {
		if err := stock.Set(context.Background(), item, 10*(i+1)); err != nil {
			log.Fatal(err)
		}
	}
	client, server, err := protocol.Pair(context.Background(), nil,
		&Warehouse{Town: "Kiel", Stock: stock, Till: &Till{Euros: 5}}, nil)
	if err != nil {
		log.Fatal(err)
	}
	return client.Root(), func() {
		_ = client.Close()
		<-client.Done()
		<-server.Done()
	}
}

// part reads an attribute that is an object.
func part(ctx context.Context, o *netref.Object, name string) *netref.Object {
	v, err := netref.Get[*netref.Object](ctx, o, name)
	if err != nil {
		log.Fatal(err)
	}
	return v
}

func ExampleGetOr() {
	root, done := warehouse()
	defer done()
	ctx := context.Background()
	fmt.Println(netref.Get[string](ctx, root, "town"))
	fmt.Println(netref.GetOr(ctx, root, "country", "unknown"))
	fmt.Println(root.Has(ctx, "country"))
	// Output:
	// Kiel <nil>
	// unknown <nil>
	// false <nil>
}

func ExampleItem() {
	root, done := warehouse()
	defer done()
	ctx := context.Background()
	stock := part(ctx, root, "stock")
	fmt.Println(netref.Item[int](ctx, stock, "fig"))
	_, err := netref.Item[int](ctx, stock, "plum")
	fmt.Println(err, errors.Is(err, vinegar.KeyError))
	fmt.Println(stock.Contains(ctx, "apple"))
	fmt.Println(stock.SetItem(ctx, "plum", 40), stock.DelItem(ctx, "fig"))
	fmt.Println(stock.Repr(ctx))
	// Output:
	// 30 <nil>
	// KeyError: 'plum' true
	// true <nil>
	// <nil> <nil>
	// {'pear': 10, 'apple': 20, 'plum': 40} <nil>
}

func ExampleSlice() {
	root, done := warehouse()
	defer done()
	ctx := context.Background()
	orders, err := netref.Call[*netref.Object](ctx, root, "orders")
	if err != nil {
		log.Fatal(err)
	}
	last, err := netref.Item[[]struct{ Item string }](ctx, orders, netref.Slice(-1)) // orders[-1:]
	fmt.Println(last, err)
	// Output: [{pear}] <nil>
}

func ExampleOp() {
	root, done := warehouse()
	defer done()
	ctx := context.Background()
	till := part(ctx, root, "till")
	fmt.Println(netref.Op[int](ctx, till, "+", 2))
	fmt.Println(netref.Op[bool](ctx, till, "<", 6))
	fmt.Println(netref.Op[bool](ctx, 4, ">", till)) // the till is asked whether it is less than 4
	fmt.Println(netref.Unary[int](ctx, "-", till))
	fmt.Println(till.Len(ctx))
	_, err := netref.Op[int](ctx, till, "*", 2)
	fmt.Println(err)
	// Output:
	// 7 <nil>
	// true <nil>
	// false <nil>
	// -5 <nil>
	// 5 <nil>
	// TypeError: unsupported operand type(s) for *: 'Till' and 'int'
}

func ExampleWith() {
	root, done := warehouse()
	defer done()
	ctx := context.Background()
	till := part(ctx, root, "till")
	err := netref.With(ctx, till, func(open *netref.Object) error {
		euros, err := netref.Call[int](ctx, open, "pay", 20)
		fmt.Println(euros)
		return err
	})
	fmt.Println(err)
	_, err = till.CallMethod(ctx, "pay", 1)
	fmt.Println(err)
	// Output:
	// 25
	// <nil>
	// RuntimeError: the till is closed
}

func ExampleKwArgs() {
	root, done := warehouse()
	defer done()
	ctx := context.Background()
	fmt.Println(netref.Call[string](ctx, root, "label", "pear"))
	fmt.Println(netref.Call[string](ctx, root, "label", "pear", netref.Kw("size", 12)))
	type options struct{ Colour *string } // what is nil is not given
	green := "green"
	fmt.Println(netref.Call[string](ctx, root, "label", "pear", netref.KwArgs(options{Colour: &green})))
	// Output:
	// white pear 10 <nil>
	// white pear 12 <nil>
	// green pear 10 <nil>
}

func ExampleAs_structs() {
	root, done := warehouse()
	defer done()
	ctx := context.Background()
	type order struct {
		Item  string
		Price float64
		Tags  []string
		Note  *string `rpyc:",optional"`
	}
	orders, err := netref.Call[[]order](ctx, root, "orders")
	for _, o := range orders {
		fmt.Println(o.Item, o.Price, o.Tags, o.Note == nil)
	}
	fmt.Println(err)
	_, err = netref.Call[[]struct{ Price float64 }](ctx, root, "wrong")
	fmt.Println(err)
	// Output:
	// apple 1.5 [red ripe] true
	// pear 2 [] true
	// <nil>
	// wrong: result[1]["price"]: cannot use str as float64: 'cheap'
}

func ExampleFetch() {
	root, done := warehouse()
	defer done()
	ctx := context.Background()
	orders, err := root.CallMethod(ctx, "orders")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(netref.Fetch(ctx, orders))
	// Output: [map[item:apple price:1.5 tags:[red ripe]] map[item:pear price:2 tags:[]]] <nil>
}

func ExamplePairs() {
	root, done := warehouse()
	defer done()
	ctx := context.Background()
	stock, err := netref.Pairs[string, int](ctx, part(ctx, root, "stock"))
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range stock {
		fmt.Println(p.Key, p.Value)
	}
	// Output:
	// pear 10
	// apple 20
	// fig 30
}

func ExampleItems() {
	root, done := warehouse()
	defer done()
	ctx := context.Background()
	for item, err := range netref.Items[string](ctx, part(ctx, root, "stock")) {
		fmt.Println(item, err)
	}
	// Output:
	// pear <nil>
	// apple <nil>
	// fig <nil>
}

func ExampleFile() {
	root, done := warehouse()
	defer done()
	ctx := context.Background()
	r, err := netref.Call[io.Reader](ctx, root, "open")
	if err != nil {
		log.Fatal(err)
	}
	text, err := io.ReadAll(r)
	fmt.Printf("%q %v\n", text, err)
	// Output: "first line\nsecond line\n" <nil>
}

func ExampleBind_objects() {
	root, done := warehouse()
	defer done()
	ctx := context.Background()
	var w struct {
		Label func(item string, opts struct{ Size int }) (string, error)
		Town  func() (string, error) `rpyc:",get"`
		Till  struct {
			Pay   func(ctx context.Context, euros int) (int, error)
			Euros int `rpyc:"euros"` // read once
		}
		Burn func() error `rpyc:",optional"`
	}
	if err := netref.Bind(ctx, root, &w); err != nil {
		log.Fatal(err)
	}
	fmt.Println(w.Label("fig", struct{ Size int }{8}))
	fmt.Println(w.Town())
	fmt.Println(w.Till.Pay(ctx, 1))
	fmt.Println(w.Till.Euros, w.Burn == nil)
	// Output:
	// white fig 8 <nil>
	// Kiel <nil>
	// 0 RuntimeError: the till is closed
	// 5 true
}

func ExampleCall_iterator() {
	root, done := warehouse()
	defer done()
	prices := func(yield func(float64) bool) {
		for _, p := range []float64{1.5, 2, 0.25} {
			if !yield(p) {
				return
			}
		}
	}
	fmt.Println(netref.Call[float64](context.Background(), root, "total", prices))
	// Output: 3.75 <nil>
}

func ExampleObject_Keep() {
	root, done := warehouse()
	defer done()
	ctx := context.Background()
	till := part(ctx, root, "till").Keep() // the peer keeps the till until Release, whether till is used or not
	till.Release()
	_, err := till.Len(ctx)
	fmt.Println(errors.Is(err, netref.ErrReleased))
	// Output: true
}
