package main

import (
	"context"
	"io"
	"math/big"
	"net/netip"
	"time"

	"github.com/gorpyc/gorpyc/netref"
)

// as is the row of converting an object.
func as[T any](name string) row {
	return row{name, func(ctx context.Context, c *client) (any, error) { return netref.As[T](ctx, c.object(name)) }}
}

type order struct {
	Name  string
	Price float64
	Tags  []string
	Note  *string `rpyc:",optional"`
}

type thing struct {
	Name string
	Size int8
	Part struct{ Label string }
}

// conversionRows convert objects to what Go has for them.
var conversionRows = []row{
	as[time.Time]("when"),
	as[time.Time]("there"),
	{`day`, func(ctx context.Context, c *client) (any, error) {
		day, err := netref.As[time.Time](ctx, c.object("day"))
		return day.Format(time.DateOnly), err
	}},
	as[time.Duration]("long"),
	as[time.Duration]("back"),
	as[[]time.Time]("whens"),
	as[uint8]("colour"),
	as[float64]("amount"),
	{`amount text`, func(ctx context.Context, c *client) (any, error) {
		x, err := netref.As[*big.Float](ctx, c.object("amount"))
		if err != nil {
			return nil, err
		}
		return x.String(), nil
	}},
	{`third`, func(ctx context.Context, c *client) (any, error) {
		x, err := netref.As[big.Rat](ctx, c.object("third"))
		return x.String(), err
	}},
	{`address`, func(ctx context.Context, c *client) (any, error) {
		x, err := netref.As[netip.Addr](ctx, c.object("address"))
		return x.String(), err
	}},
	as[[]byte]("array"),
	as[[]order]("orders"),
	{`orders as attributes`, func(ctx context.Context, c *client) (any, error) {
		return netref.Fetch(ctx, c.object("orders"))
	}},
	{`named`, func(ctx context.Context, c *client) (any, error) {
		return netref.As[[]struct {
			Name  string
			Price float64
		}](ctx, c.object("named"))
	}},
	{`thing`, func(ctx context.Context, c *client) (any, error) {
		o, err := netref.As[thing](ctx, c.object("o"))
		return list{o.Name, o.Size, o.Part.Label}, err
	}},
	{`binary`, func(ctx context.Context, c *client) (any, error) {
		r, err := netref.As[io.Reader](ctx, c.object("binary"))
		if err != nil {
			return nil, err
		}
		b, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		rest, err := io.ReadAll(r)
		return list{len(b), rest}, err
	}},
	{`text`, func(ctx context.Context, c *client) (any, error) {
		b, err := io.ReadAll(netref.NewFile(ctx, c.object("text")))
		return string(b), err
	}},
	{`sink`, func(ctx context.Context, c *client) (any, error) {
		sink := c.object("sink")
		w, err := netref.As[io.Writer](ctx, sink)
		if err != nil {
			return nil, err
		}
		for _, text := range []string{"one", "two"} {
			if _, err := io.WriteString(w, text); err != nil {
				return nil, err
			}
		}
		return sink.CallMethod(ctx, "getvalue")
	}},
	{`bound`, bound},
	{`bound set`, func(ctx context.Context, c *client) (any, error) {
		var o struct {
			Name   func() (string, error)     `rpyc:",get"`
			Rename func(string) error         `rpyc:"name,set"`
			Fly    func(height float64) error `rpyc:",optional"`
		}
		if err := netref.Bind(ctx, c.object("o"), &o); err != nil {
			return nil, err
		}
		if err := o.Rename("desk"); err != nil {
			return nil, err
		}
		return o.Name()
	}},
}

type greeting struct {
	Greeting string
	Punct    *string
}

func bound(ctx context.Context, c *client) (any, error) {
	var o struct {
		Add   func(ctx context.Context, a, b int) (int, error)
		Greet func(name string, how greeting) (string, error)
		Sum   func(xs ...int) (int, error) `rpyc:"total"`
		Part  struct {
			Turn  func(times int) (string, error)
			Label string `rpyc:"label"`
		}
		Name string `rpyc:"name"`
		Pair func() (string, int, error)
		Same func(context.Context, *netref.Object) (bool, error)
	}
	if err := netref.Bind(ctx, c.object("o"), &o); err != nil {
		return nil, err
	}
	sum, err := o.Add(ctx, 1, 2)
	if err != nil {
		return nil, err
	}
	hi, err := o.Greet("Ann", greeting{Greeting: "Hi"})
	if err != nil {
		return nil, err
	}
	total, err := o.Sum(1, 2, 3)
	if err != nil {
		return nil, err
	}
	turned, err := o.Part.Turn(2)
	if err != nil {
		return nil, err
	}
	a, b, err := o.Pair()
	return list{sum, hi, total, turned, o.Part.Label, o.Name, list{a, b}}, err
}
