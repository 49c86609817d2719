//go:build unix

package main

import (
	"fmt"
	"io"
	"strings"
)

const about = `Serves RPyC's classic mode, in place of the Python program of this name: the same switches, defaults and messages.

A client gets the machine: files, processes, whatever the user who runs this may do. By default only this host can connect. Let
others do so over TLS with certificates of theirs (--ssl-keyfile, --ssl-certfile, --ssl-cafile), or through ssh.

SIGTERM and SIGINT end it: requests that run may finish within 10 s, a second signal ends it at once. The exit status is 0 then, 1 if
it could not serve, 2 for a mistake in the command line.
`

// printHelp lists the switches by group.
func printHelp(w io.Writer) {
	fmt.Fprintf(w, "%s\nUsage:\n    rpyc_classic [SWITCHES]\n", about)
	for _, group := range []string{groupMain, groupSocket, groupLog, groupSSL, groupReg, groupEngine, groupMeta} {
		fmt.Fprintf(w, "\n%s:\n", group)
		for _, s := range table {
			if s.group != group {
				continue
			}
			fmt.Fprintf(w, "    %s\n%s", s.title(), wrap(s.text(), "            ", 100))
		}
	}
}

func (s aSwitch) title() string {
	t := "--" + s.long
	if s.short != "" {
		t = "-" + s.short + ", " + t
	}
	if s.kind != flag {
		t += " VALUE:" + s.values()
	}
	return t
}

func (s aSwitch) text() string {
	t := s.help
	if s.fallback != "" {
		t += "; the default is " + s.fallback
	}
	if s.requires != "" {
		t += "; requires --" + s.requires
	}
	return t
}

// wrap breaks text into lines of at most width characters, each behind indent.
func wrap(text, indent string, width int) string {
	var b strings.Builder
	line := indent
	for word := range strings.FieldsSeq(text) {
		if line != indent && len(line)+1+len(word) > width {
			b.WriteString(line + "\n")
			line = indent
		}
		if line != indent {
			line += " "
		}
		line += word
	}
	return b.String() + line + "\n"
}

// printCompletions writes a script that completes switches and their values.
func printCompletions(w io.Writer, shell string) {
	var all []string
	for _, s := range table {
		all = append(all, "--"+s.long)
		if s.short != "" {
			all = append(all, "-"+s.short)
		}
	}
	names := func(s aSwitch, sep string) string {
		if s.short != "" {
			return "-" + s.short + sep + "--" + s.long
		}
		return "--" + s.long
	}
	takesFile := func(s aSwitch) bool { return s.kind == file || s.long == "logfile" || s.long == "engine" }
	switch shell {
	case "bash", "zsh":
		if shell == "zsh" {
			fmt.Fprintln(w, "autoload -U +X bashcompinit && bashcompinit")
		}
		fmt.Fprint(w, "_rpyc_classic() {\n  local current=${COMP_WORDS[COMP_CWORD]}\n  case ${COMP_WORDS[COMP_CWORD-1]} in\n")
		for _, s := range table {
			switch {
			case s.kind == choice:
				fmt.Fprintf(w, "    %s) COMPREPLY=($(compgen -W '%s' -- \"$current\")); return ;;\n", names(s, "|"), strings.Join(s.words, " "))
			case takesFile(s):
				fmt.Fprintf(w, "    %s) COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n", names(s, "|"))
			}
		}
		fmt.Fprintf(w, "  esac\n  COMPREPLY=($(compgen -W '%s' -- \"$current\"))\n}\ncomplete -F _rpyc_classic rpyc_classic\n", strings.Join(all, " "))
	case "fish":
		fmt.Fprintln(w, "complete -c rpyc_classic -f")
		for _, s := range table {
			fmt.Fprintf(w, "complete -c rpyc_classic -l %s", s.long)
			if s.short != "" {
				fmt.Fprintf(w, " -s %s", s.short)
			}
			switch {
			case takesFile(s):
				fmt.Fprint(w, " -r -F")
			case s.kind == choice:
				fmt.Fprintf(w, " -x -a '%s'", strings.Join(s.words, " "))
			case s.kind != flag:
				fmt.Fprint(w, " -x")
			}
			fmt.Fprintln(w)
		}
	}
}
