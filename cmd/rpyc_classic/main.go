//go:build unix

// Command rpyc_classic serves RPyC's classic mode: it takes the switches of the Python program of this name, with the
// same defaults and messages, and can stand in its place on a command line, in an inetd line or in a service file.
// Clients get modules written in Go, or, with --engine python3, a CPython each. README.md beside it has examples.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/gorpyc/gorpyc/cmd/internal/program"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	s, err := parse(args)
	if err == nil {
		switch {
		case s.on("help") || s.on("help-all"):
			_ = describe().WriteHelp(os.Stdout)
			return 0
		case s.on("version"):
			fmt.Println("rpyc_classic", program.Version())
			return 0
		case s["completions"] != "":
			_ = describe().WriteCompletion(os.Stdout, strings.ToLower(s["completions"]))
			return 0
		case s.on("man"):
			_ = describe().WriteMan(os.Stdout)
			return 0
		}
		err = serve(s)
	}
	switch usage := (usageError{}); {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		fmt.Fprintf(os.Stderr, "Error: %v\n------\nUsage:\n    rpyc_classic [SWITCHES]\n\n'rpyc_classic --help' lists the "+
			"switches.\n", err)
		return 2
	default:
		fmt.Fprintf(os.Stderr, "rpyc_classic: %v\n", err)
		return 1
	}
}
