package main

import (
	"context"
	"errors"

	"github.com/urfave/cli/v2"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/registry"
)

const groupRegistry = "Registries"

func discoveryFlags() []cli.Flag {
	return []cli.Flag{
		registryFlag(),
		&cli.StringFlag{Name: "host", Usage: "only what is on `HOST`"},
		timeoutFlag(),
		&cli.BoolFlag{Category: groupOutput, Name: "json", Usage: "print JSON"},
	}
}

// asked runs f with a way to ask the registry.
func asked(c *cli.Context, f func(ctx context.Context, d *protocol.Discovery) error) error {
	r, err := registrarOf(c)
	if err != nil {
		return err
	}
	ctx := c.Context
	if t := c.Duration("timeout"); t > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, t)
		defer cancel()
	}
	err = f(ctx, &protocol.Discovery{Registrar: r, Host: c.String("host")})
	var found *protocol.DiscoveryError
	switch {
	case errors.Is(err, registry.ErrNoAnswer), errors.Is(err, context.DeadlineExceeded):
		return coded{err, exitTimeout}
	case errors.As(err, &found), errors.Is(err, registry.ErrListingDisabled):
		return coded{err, exitConnection}
	}
	return err
}

func discoverCommand() *cli.Command {
	return &cli.Command{
		Name: "discover", Category: groupRegistry,
		Usage:     "ask a registry who offers a service: one address per line",
		ArgsUsage: "NAME",
		Flags:     discoveryFlags(),
		Action: func(c *cli.Context) error {
			if err := want(c.Args().Slice(), 1, 1, "a service's name"); err != nil {
				return err
			}
			return asked(c, func(ctx context.Context, d *protocol.Discovery) error {
				found, err := protocol.Discover(ctx, c.Args().First(), d)
				if err != nil {
					return err
				}
				out := printerOf(c)
				addrs := make([]string, len(found))
				for i, ep := range found {
					if addrs[i] = ep.Addr(); !out.json {
						out.printf("%s\n", addrs[i])
					}
				}
				if out.json {
					return out.document(addrs)
				}
				return out.err
			})
		},
	}
}

func listCommand() *cli.Command {
	return &cli.Command{
		Name: "list", Category: groupRegistry,
		Usage:       "ask a registry for the names of all services",
		Description: "A registry has to allow it (rpyc_registry --listing true).",
		Flags: append(discoveryFlags(), &cli.BoolFlag{Category: groupOutput, Name: "table",
			Usage: "with the addresses of each: a line, or an object with --json, for each server"}),
		Action: func(c *cli.Context) error {
			if err := want(c.Args().Slice(), 0, 0, "no arguments"); err != nil {
				return err
			}
			return asked(c, func(ctx context.Context, d *protocol.Discovery) error {
				names, err := protocol.ListServices(ctx, d)
				if err != nil {
					return err
				}
				out := printerOf(c)
				if c.Bool("table") {
					return tableOf(ctx, d, names, out)
				}
				if out.json {
					return out.document(append([]string{}, names...))
				}
				for _, n := range names {
					out.printf("%s\n", n)
				}
				return out.err
			})
		},
	}
}

// tableOf prints who offers each service. One that is gone by now is left out.
func tableOf(ctx context.Context, d *protocol.Discovery, names []string, out *printer) error {
	type row struct {
		Service string `json:"service"`
		Address string `json:"address"`
	}
	rows := []row{}
	for _, name := range names {
		found, err := protocol.Discover(ctx, name, d)
		var none *protocol.DiscoveryError
		if err != nil && !errors.As(err, &none) {
			return err
		}
		for _, ep := range found {
			rows = append(rows, row{name, ep.Addr()})
		}
	}
	if out.json {
		return out.document(rows)
	}
	cells := [][]string{{"SERVICE", "ADDRESS"}}
	for _, r := range rows {
		cells = append(cells, []string{r.Service, r.Address})
	}
	return out.table(cells)
}
