// Command rpyc_registry is RPyC's registry server: it takes the switches of the Python program of this name, with the
// same defaults, and can stand in its place in a service file. README.md beside it has a systemd unit and a container
// recipe.
package main

import (
	"context"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/gorpyc/gorpyc/cmd/internal/program"
	"github.com/gorpyc/gorpyc/registry"
)

func main() { os.Exit(run(context.Background(), os.Args)) }

func run(ctx context.Context, args []string) int {
	app := newApp()
	args, err := normalise(args)
	if slices.Contains(args, "--help") {
		args = []string{app.Name, "--help"} // whatever else is wrong
	}
	return program.RunDaemon(ctx, app, args, err)
}

func newApp() *cli.App {
	return program.NewDaemon("rpyc_registry", describe, action,
		&cli.StringFlag{Name: "mode", Aliases: []string{"m"}, Value: "UDP", Usage: "serving `MODE`: UDP, TCP, or BOTH"},
		&cli.BoolFlag{Name: "ipv6", Aliases: []string{"6"},
			Usage: "listen on IPv6 (and IPv4 with it) instead of IPv4 alone"},
		&cli.IntFlag{Name: "port", Aliases: []string{"p"}, Value: registry.Port,
			Usage: "the UDP/TCP listener `PORT`; 0 chooses one"},
		&cli.StringFlag{Name: "host", Usage: "listen on this `ADDRESS` instead of all"},
		&cli.StringFlag{Name: "logfile", TakesFile: true, Aliases: []string{"f", "file"},
			Usage: "append the log to `FILE`; the default is stderr; SIGHUP opens it anew"},
		&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "log errors only"},
		&cli.StringFlag{Name: "log-format", Value: "text", Usage: "`FORMAT` of the log: text or json"},
		&cli.StringFlag{Name: "log-level", Value: "info", Usage: "least `LEVEL` that is logged: debug (every request), " +
			"info, warn, error"},
		&cli.IntFlag{Name: "timeout", Aliases: []string{"t"}, Value: int(registry.DefaultTimeout.Seconds()),
			Usage: "forget servers that have not renewed their registration for so many `SECONDS`"},
		&cli.StringFlag{Name: "listing", Aliases: []string{"l"}, Usage: "`WHETHER` clients may list all services: true or " +
			"false", DefaultText: "false"},
		&cli.StringFlag{Name: "state-file", TakesFile: true, Usage: "keep the registrations in `FILE` over a restart"},
		&cli.StringFlag{Name: "secret-file", TakesFile: true, Usage: "let only who signs with the secret in `FILE` " +
			"register and unregister, an extension that RPyC's servers do not know; spaces around the secret do not count"},
		&cli.StringSliceFlag{Name: "advertise", Usage: "`[NETWORK=]ADDRESS` to show to clients outside NETWORK for " +
			"servers inside; without NETWORK: for servers on this host that registered from 127.0.0.1. May be given several " +
			"times"},
		&cli.StringFlag{Name: "http", Usage: "show the services on a page at `[ADDRESS:]PORT`; ADDRESS is 127.0.0.1 " +
			"unless given"},
		&cli.BoolFlag{Name: "ping", Usage: "connect to each server now and then, and show on the page whether that works"},
		&cli.IntFlag{Name: "max-registrations", DefaultText: "1048576", Usage: "limit the registrations in all to `NUMBER`"},
		&cli.IntFlag{Name: "max-per-host", DefaultText: "16384", Usage: "limit the registrations of one host to `NUMBER`"},
		&cli.IntFlag{Name: "max-rate", DefaultText: "1000", Usage: "limit the requests per second of one host to `NUMBER`"},
	)
}

// action does what the switches say.
func action(c *cli.Context) error {
	s, err := parseSettings(c)
	if err != nil {
		return program.UsageError{Err: err}
	}
	return s.serve(c.Context, c.App.Writer)
}
