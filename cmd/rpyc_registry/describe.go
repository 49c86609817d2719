package main

import (
	"github.com/urfave/cli/v2"

	"github.com/gorpyc/gorpyc/cmd/internal/program"
)

// describe is what the help, the manual page and the completion scripts say.
func describe(app *cli.App) program.Program {
	return program.Program{
		Name:    app.Name,
		Summary: "the service registry of RPyC",
		About: []string{
			"Servers tell the registry under which names they can be found, once a minute; clients ask it who offers a name. " +
				"The registry answers on UDP, where broadcasts reach it without its address being known, or on TCP, which " +
				"crosses routers.",
			"It takes the place of RPyC's own rpyc_registry.py: the same switches, the same defaults, the same protocol, for " +
				"RPyC 3 to 6.",
			"SIGTERM and SIGINT end it in order, SIGHUP opens the log file anew. " +
				"The exit status is 0 after a signal, 1 if it could not serve, 2 for a mistake in the command line.",
		},
		Options: program.Options(app.Flags, map[string][]string{
			"mode": {"UDP", "TCP", "BOTH"}, "listing": {"true", "false"}, "log-format": {"text", "json"},
			"log-level":   {"debug", "info", "warn", "error"},
			"completions": program.Shells,
		}),
	}
}
