package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"
)

// values are what is offered after a switch. Files are offered after those with none.
var values = []struct{ switches, words string }{
	{"-m|--mode", "UDP TCP BOTH"},
	{"-l|--listing", "true false"},
	{"--log-format", "text json"},
	{"--log-level", "debug info warn error"},
	{"--completions", "bash zsh fish"},
}

const fileSwitches = "-f|--file|--logfile|--state-file"

// printCompletions prints a script that completes this program's switches.
func printCompletions(w io.Writer, app *cli.App, shell string) error {
	var all []string
	for _, s := range switches(app) {
		all = append(all, s.all...)
	}
	words := strings.Join(all, " ")
	var b strings.Builder
	switch shell {
	case "bash":
		b.WriteString("_rpyc_registry() {\n  local current=${COMP_WORDS[COMP_CWORD]}\n  case ${COMP_WORDS[COMP_CWORD-1]} in\n")
		for _, v := range values {
			fmt.Fprintf(&b, "    %s) COMPREPLY=($(compgen -W '%s' -- \"$current\")); return ;;\n", v.switches, v.words)
		}
		fmt.Fprintf(&b, "    %s) COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n  esac\n", fileSwitches)
		fmt.Fprintf(&b, "  COMPREPLY=($(compgen -W '%s' -- \"$current\"))\n}\ncomplete -F _rpyc_registry rpyc_registry\n", words)
	case "zsh":
		b.WriteString("#compdef rpyc_registry\n_rpyc_registry() {\n  case ${words[CURRENT-1]} in\n")
		for _, v := range values {
			fmt.Fprintf(&b, "    %s) compadd %s; return ;;\n", v.switches, v.words)
		}
		fmt.Fprintf(&b, "    %s) _files; return ;;\n  esac\n  compadd -- %s\n}\ncompdef _rpyc_registry rpyc_registry\n", fileSwitches, words)
	case "fish":
		b.WriteString("complete -c rpyc_registry -f\n")
		for _, s := range switches(app) {
			b.WriteString("complete -c rpyc_registry")
			for _, name := range s.all {
				if long, ok := strings.CutPrefix(name, "--"); ok {
					b.WriteString(" -l " + long)
				} else {
					b.WriteString(" -s " + name[1:])
				}
			}
			first := s.all[0]
			switch {
			case strings.Contains("|"+fileSwitches+"|", "|"+first+"|"):
				b.WriteString(" -r -F")
			case s.value != "":
				b.WriteString(" -x")
				for _, v := range values {
					if strings.Contains("|"+v.switches+"|", "|"+first+"|") {
						fmt.Fprintf(&b, " -a '%s'", v.words)
					}
				}
			}
			b.WriteByte('\n')
		}
	default:
		return usageError{fmt.Errorf("no completion for %q: bash, zsh or fish", shell)}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
