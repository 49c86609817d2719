//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/gorpyc/gorpyc/cmd/internal/program"
)

// The command line is read as the Python program reads its own: groups of short switches, "-p18812", "--port=18812",
// each switch once, no arguments; and mistakes are told in the same words.

// A kind says what values a switch takes.
type kind int

const (
	flag kind = iota
	str
	port
	choice
	file
	number
)

// aSwitch is a switch of the command line.
type aSwitch struct {
	short, long, group string
	kind               kind
	words              []string // of a choice
	value              string   // what the help calls it, if not by the kind
	file               bool     // the value can be a file that need not exist
	requires           string
	help, fallback     string
}

const (
	groupMain   = "Switches"
	groupSocket = "Socket Options"
	groupLog    = "Logging"
	groupSSL    = "SSL"
	groupReg    = "Registry"
	groupEngine = "Engine"
	groupMeta   = "Meta-switches"
)

var table = []aSwitch{
	{short: "m", long: "mode", group: groupMain, kind: choice, words: []string{"threaded", "forking", "stdio", "oneshot"},
		fallback: "threaded",
		help:     "The serving mode (threaded, forking, or 'stdio' for inetd, etc.)"},
	{short: "p", long: "port", group: groupSocket, kind: port, help: "The TCP listener port (default = 18812, default " +
		"for SSL = 18821)"},
	{long: "host", group: groupSocket, kind: str, help: "The host to bind to. The default is localhost"},
	{long: "ipv6", group: groupSocket, help: "Enable IPv6"},
	{long: "socket", group: groupSocket, kind: str, file: true, value: "PATH",
		help: "Listen on this Unix socket in place of host and port"},
	{long: "max-connections", group: groupSocket, kind: number, help: "Serve at most so many clients at a time; others " +
		"wait"},
	{long: "ready", group: groupSocket, help: "Print 'READY host port' on stdout once clients can connect"},
	{long: "logfile", group: groupLog, kind: str, file: true, help: "Specify the log file to use; the default is " +
		"stderr. SIGHUP opens it anew"},
	{short: "q", long: "quiet", group: groupLog, help: "Quiet mode (only errors will be logged)"},
	{long: "ssl-keyfile", group: groupSSL, kind: file, requires: "ssl-certfile",
		help: "The keyfile to use for SSL. Required for SSL"},
	{long: "ssl-certfile", group: groupSSL, kind: file, requires: "ssl-keyfile",
		help: "The certificate file to use for SSL. Required for SSL"},
	{long: "ssl-cafile", group: groupSSL, kind: file, requires: "ssl-keyfile",
		help: "The certificate authority chain file to use for SSL. Optional; enables client-side authentication"},
	{long: "register", group: groupReg, help: "Asks the server to attempt registering with a registry server. By " +
		"default, the server will not attempt to register"},
	{long: "registry-type", group: groupReg, kind: choice, words: []string{"UDP", "TCP"}, fallback: "UDP",
		help: "Specify a UDP or TCP registry"},
	{long: "registry-port", group: groupReg, kind: port, fallback: "18811", help: "The registry's UDP/TCP port"},
	{long: "registry-host", group: groupReg, kind: str, help: "The registry host machine. For UDP, the default is " +
		"255.255.255.255; for TCP, a value is required"},
	{long: "engine", group: groupEngine, kind: str, file: true, value: "go|PYTHON", fallback: "go",
		help: "What clients get: modules written in Go, or a process of this Python (python3, a path), which must have " +
			"rpyc, for each client"},
	{long: "allow", group: groupEngine, kind: str, value: "NAMES",
		help: "The modules that clients may import, separated by commas; without it all. Without builtins among them there " +
			"is no open. For the engine go"},
	{long: "shared", group: groupEngine, requires: "engine",
		help: "One process for all clients, each a thread of it, as with Python's threaded server. For a Python as engine"},
	{long: "preload", group: groupEngine, kind: file, requires: "engine",
		help: "A Python file that is run before clients are served; what it defines is in their namespaces. For a Python " +
			"as engine"},
	{long: "no-eval", group: groupEngine, help: "Refuse eval and execute. For the engine go"},
	{long: "metadata", group: groupEngine, help: "End what runs when its caller has given it up or its time is over, for " +
		"clients that say so (gorpyc_meta.py, gorpyc). For the engine go"},
	{short: "h", long: "help", group: groupMeta, help: "Prints this help message and quits"},
	{long: "help-all", group: groupMeta, help: "Prints this help message and quits"},
	{short: "v", long: "version", group: groupMeta, help: "Prints the program's version and quits"},
	{long: "completions", group: groupMeta, kind: choice, words: program.Shells,
		help: "Prints shell completion script and quits"},
	{long: "man", group: groupMeta, help: "Prints the manual page and quits"},
}

// gone answers for switches of releases long past.
var gone = map[string]string{
	"vdb": "--vdb and the tlslite authentication behind it are gone since RPyC 3.1: use --ssl-keyfile, --ssl-certfile " +
		"and --ssl-cafile",
}

// usageError is a mistake in the command line; the status is 2.
type usageError struct{ error }

func mistake(format string, a ...any) error { return usageError{fmt.Errorf(format, a...)} }

// switches are the values given, by long name; a flag has "true".
type switches map[string]string

func parse(args []string) (switches, error) {
	given := switches{}
	shown := map[string]string{} // as it was written, for messages
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if len(arg) < 2 || arg[0] != '-' || arg == "--" {
			rest := args[i:]
			if arg == "--" {
				rest = args[i+1:]
			}
			if len(rest) == 0 {
				break
			}
			return nil, mistake("Expected at most 0 positional arguments, got %s", list(rest))
		}
		name, value, hasValue := strings.Cut(strings.TrimPrefix(arg[1:], "-"), "=")
		by := func(s aSwitch) bool { return s.long == name }
		if arg[1] != '-' {
			name, value, hasValue = arg[1:2], arg[2:], len(arg) > 2
			by = func(s aSwitch) bool { return s.short == name }
		}
		s, ok := find(by)
		if !ok {
			if text := gone[name]; text != "" {
				return nil, usageError{errors.New(text)}
			}
			return nil, mistake("Unknown switch %s", dashed(name))
		}
		if _, twice := given[s.long]; twice {
			if first := shown[s.long]; first != name {
				return nil, mistake("Switch %s already given (%s is equivalent)", dashed(first), dashed(name))
			}
			return nil, mistake("Switch %s already given", dashed(name))
		}
		shown[s.long] = name
		if s.kind == flag {
			if hasValue && arg[1] != '-' { // a group of short ones
				args[i] = "-" + value
				i--
			} else if hasValue {
				return nil, mistake("Switch %s does not require an argument", dashed(name))
			}
			given[s.long] = "true"
			continue
		}
		if !hasValue {
			if i++; i >= len(args) {
				return nil, mistake("Switch %s requires an argument", dashed(name))
			}
			value = args[i]
		}
		if !s.accepts(value) {
			return nil, mistake("Argument of %s expected to be %s, not '%s'", name, s.values(), value)
		}
		given[s.long] = value
	}
	if given["help"] == "" && given["help-all"] == "" && given["version"] == "" && given["completions"] == "" &&
		given["man"] == "" {
		for _, s := range table {
			if given[s.long] != "" && s.requires != "" && given[s.requires] == "" {
				return nil, mistake("Given %s, the following are missing ['%s']", dashed(shown[s.long]), s.requires)
			}
		}
	}
	if given["socket"] != "" {
		for _, other := range []string{"host", "port", "ipv6"} {
			if given[other] != "" {
				return nil, mistake("Given --socket, the following are invalid ['%s']", other)
			}
		}
	}
	for _, s := range table {
		if _, ok := given[s.long]; !ok && s.fallback != "" {
			given[s.long] = s.fallback
		}
	}
	return given, nil
}

func find(by func(aSwitch) bool) (aSwitch, bool) {
	for _, s := range table {
		if by(s) {
			return s, true
		}
	}
	return aSwitch{}, false
}

func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

func list(args []string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		quoted[i] = "'" + a + "'"
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

func (s aSwitch) accepts(value string) bool {
	switch s.kind {
	case port, number:
		n, err := strconv.Atoi(strings.TrimSpace(value))
		return err == nil && n >= 0 && (s.kind == number && n > 0 || s.kind == port && n <= 65535)
	case choice:
		for _, w := range s.words {
			if strings.EqualFold(w, value) {
				return true
			}
		}
		return false
	case file:
		st, err := os.Stat(value)
		return err == nil && !st.IsDir()
	}
	return true
}

// values is what the help says about the values.
func (s aSwitch) values() string {
	switch s.kind {
	case port:
		return "[0..65535]"
	case number:
		return "[1..]"
	case choice:
		return "{" + strings.Join(s.words, ", ") + "}"
	case file:
		return "ExistingFile"
	}
	if s.value != "" {
		return s.value
	}
	return "str"
}

func (s switches) on(name string) bool { return s[name] == "true" }

func (s switches) number(name string) int {
	n, _ := strconv.Atoi(strings.TrimSpace(s[name]))
	return n
}
