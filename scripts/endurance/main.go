// Endurance finds out what a connection, a server and a registry live through: see scripts/torture and scripts/soak, by
// which it is run.
package main

import (
	"fmt"
	"os"
)

var commands = map[string]func(args []string) error{
	"serve":   serve,
	"load":    load,
	"torture": torture,
	"soak":    soak,
}

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: endurance serve|load|torture|soak [flags]; run by scripts/torture and scripts/soak")
		os.Exit(2)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "endurance:", err)
		os.Exit(1)
	}
}
