// Command rpyc_bridge connects RPyC peers of any release with services of any other: it is dialled as every protocol
// family, dials the service as the family that speaks, and passes requests, objects and exceptions on, both ways.
// README.md beside it has examples.
package main

import (
	"context"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gorpyc/gorpyc/cmd/internal/program"
)

func main() { os.Exit(run(context.Background(), os.Args)) }

func run(ctx context.Context, args []string) int { return program.RunDaemon(ctx, newApp(), args, nil) }

func newApp() *cli.App {
	return program.NewDaemon("rpyc_bridge", describe, action,
		&cli.StringFlag{Name: "listen", Aliases: []string{"l"}, Value: "127.0.0.1:18861",
			Usage: "take clients at `ADDRESS`: [HOST:]PORT or unix:PATH"},
		&cli.StringSliceFlag{Name: "to", Aliases: []string{"t"}, Usage: "the service is at `ADDRESS`: HOST:PORT, " +
			"unix:PATH, or service:NAME, which the registry is asked for. Given several times, clients are spread over them, and " +
			"sent to the next when one cannot be reached"},
		&cli.StringFlag{Name: "family", Value: auto, Usage: "the protocol `FAMILY` that the service speaks: auto, or A to " +
			"E, with a 2 behind it for Python 2"},
		&cli.BoolFlag{Name: "bind-threads", Usage: "the service's bind_threads is on"},
		&cli.StringFlag{Name: "tls-cert", TakesFile: true, Usage: "clients speak TLS to this certificate in `FILE`"},
		&cli.StringFlag{Name: "tls-key", TakesFile: true, Usage: "its private key in `FILE`, unless that is in the same"},
		&cli.StringFlag{Name: "tls-ca", TakesFile: true, Usage: "clients must show a certificate signed by one in `FILE`"},
		&cli.BoolFlag{Name: "to-tls", Usage: "the service speaks TLS; implied by the next ones"},
		&cli.StringFlag{Name: "to-tls-ca", TakesFile: true, Usage: "its certificate is signed by one in `FILE`; without " +
			"it by one of the system's"},
		&cli.StringFlag{Name: "to-tls-cert", TakesFile: true, Usage: "the certificate in `FILE` is shown to it"},
		&cli.StringFlag{Name: "to-tls-key", TakesFile: true, Usage: "the private key of that in `FILE`"},
		&cli.BoolFlag{Name: "to-tls-any-name", Usage: "its certificate may be made for another host"},
		&cli.BoolFlag{Name: "register", Usage: "tell the registry where the bridge listens, under --name or the names that " +
			"the service has"},
		&cli.StringSliceFlag{Name: "name", Usage: "register under `NAME`. May be given several times"},
		&cli.StringFlag{Name: "registry", Usage: "the registry's `ADDRESS`: HOST[:PORT], or tcp:HOST[:PORT]; without it " +
			"those of the local network, by a broadcast"},
		&cli.StringSliceFlag{Name: "allow", Usage: "clients reach only the attributes of the service that match `PATTERN` " +
			"(get_*, *_total), whatever the service's own rules allow beyond. May be given several times"},
		&cli.BoolFlag{Name: "read-only", Usage: "clients set and delete no attributes"},
		&cli.BoolFlag{Name: "allow-pickle", Usage: "pass pickles on, if the end that is asked allows it. Whoever unpickles " +
			"what another has sent runs what it says"},
		&cli.BoolFlag{Name: "deny-classic", Usage: "refuse services and clients in classic mode, which run any code they " +
			"are sent"},
		&cli.BoolFlag{Name: "metadata", Usage: "pass on what travels beside calls (deadlines, cancellation, traces, tokens) " +
			"between ends that read it"},
		&cli.StringFlag{Name: "tokens", TakesFile: true, Usage: "clients must say a token; `FILE` has whose they are, as " +
			"JSON"},
		&cli.StringFlag{Name: "keys", TakesFile: true, Usage: "clients must prove that they have a key; `FILE` has whose " +
			"they are, as JSON"},
		&cli.StringFlag{Name: "policy", TakesFile: true, Usage: "`FILE` says, as JSON, who may do what and how often"},
		&cli.StringFlag{Name: "audit", Usage: "log `REQUESTS` of clients, without values: denied or all"},
		&cli.IntFlag{Name: "max-connections", Usage: "serve at most `NUMBER` clients; others wait", DefaultText: "no limit"},
		&cli.DurationFlag{Name: "idle-timeout", Usage: "end connections of clients that were silent for `TIME`, such as " +
			"10m", DefaultText: "never"},
		&cli.DurationFlag{Name: "drain", Value: 10 * time.Second, Usage: "what is under way at a signal may take `TIME`"},
		&cli.StringFlag{Name: "config", TakesFile: true, Usage: "read the bridges, of which there may be several, from a " +
			"JSON `FILE`; the switches above are then not used"},
		&cli.StringFlag{Name: "http", Usage: "answer /healthz and /metrics at `[ADDRESS:]PORT`; ADDRESS is 127.0.0.1 unless " +
			"given"},
		&cli.StringFlag{Name: "logfile", TakesFile: true, Usage: "append the log to `FILE`; the default is stderr; SIGHUP " +
			"opens it anew"},
		&cli.StringFlag{Name: "log-format", Value: "text", Usage: "`FORMAT` of the log: text or json"},
		&cli.StringFlag{Name: "log-level", Value: "info", Usage: "least `LEVEL` that is logged: debug, info, warn, error"},
	)
}

func describe(app *cli.App) program.Program {
	return program.Program{
		Name:    app.Name,
		Summary: "connects any RPyC release with any other",
		About: []string{
			"RPyC 5 and 6 do not understand each other, nor 4.0 and 4.1, nor 3 and 4, nor any of them rpyc-ng 7. The bridge is " +
				"dialled as each of them, dials the service as what that speaks, and passes calls, callbacks, objects, " +
				"exceptions and their ends on, both ways.",
			"SIGTERM and SIGINT end it in order, SIGHUP opens the log file anew and reads the policy again. " +
				"The exit status is 0 after a signal, 1 if it could not serve, 2 for a mistake in the command line.",
		},
		Options: program.Options(app.Flags, map[string][]string{
			"family": {auto, "A", "B", "C", "D", "E", "A2", "B2", "C2"}, "log-format": {"text", "json"},
			"audit":     {"denied", "all"},
			"log-level": {"debug", "info", "warn", "error"}, "completions": program.Shells,
		}),
	}
}

// action does what the switches say.
func action(c *cli.Context) error {
	s, err := parseSettings(c)
	if err != nil {
		return program.UsageError{Err: err}
	}
	return s.serve(c.Context, c.App.Writer)
}
