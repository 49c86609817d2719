package main

import (
	"context"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
)

// greeter calls its client, which calls back, when that connects, and refuses one that fails.
type greeter struct {
	*Service
	greeting brine.Tuple
}

// OnConnect implements protocol.Connecter.
func (g *greeter) OnConnect(c *protocol.Conn) error {
	ctx := context.Background()
	name, err := netref.Call[string](ctx, c.Root(), "name")
	if err != nil {
		return err
	}
	n, err := netref.Call[int](ctx, c.Root(), "apply", g.Bump)
	g.greeting = brine.Tuple{name, n}
	return err
}

// Greeting is what the client has answered.
func (g *greeter) Greeting() brine.Tuple { return g.greeting }
