package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

func completionsCommand() *cli.Command {
	return &cli.Command{
		Name: "completions", ArgsUsage: "SHELL",
		Usage:       "print a script that completes commands and options in bash, zsh or fish",
		Description: "   source <(gorpyc completions bash)",
		Action: func(c *cli.Context) error {
			if err := want(c.Args().Slice(), 1, 1, "the name of a shell"); err != nil {
				return err
			}
			return printCompletions(c.App.Writer, c.App, c.Args().First())
		},
	}
}

// fileOptions take a file.
var fileOptions = []string{"--unix", "--ca", "--cert", "--key", "--ssh-key", "--ssh-known-hosts", "--file", "-f", "--history", "--write", "-w"}

// fileCommands have files as arguments.
var fileCommands = []string{"upload", "download", "replay"}

// printCompletions prints a script that completes commands and, behind one, its options.
func printCompletions(w io.Writer, app *cli.App, shell string) error {
	var b strings.Builder
	var names []string
	commands := slices.Clone(app.Commands)
	for _, c := range app.Commands {
		names = append(names, c.Name)
		commands = append(commands, c.Subcommands...)
	}
	switch shell {
	case "bash", "zsh":
		if shell == "zsh" {
			b.WriteString("#compdef gorpyc\nautoload -U +X bashcompinit && bashcompinit\n")
		}
		fmt.Fprintf(&b, "_gorpyc() {\n  local current=${COMP_WORDS[COMP_CWORD]} command= options= word\n"+
			"  case ${COMP_WORDS[COMP_CWORD-1]} in\n    %s) COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n  esac\n"+
			"  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n    case $word in\n", strings.Join(fileOptions, "|"))
		for _, c := range commands {
			fmt.Fprintf(&b, "      %s) command=%s options='%s' ;;\n", c.Name, c.Name, strings.Join(words(c), " "))
		}
		fmt.Fprintf(&b, "    esac\n  done\n  case $command:$current in\n    :*) COMPREPLY=($(compgen -W '%s --help --version' -- \"$current\")) ;;\n"+
			"    *:-*) COMPREPLY=($(compgen -W \"$options\" -- \"$current\")) ;;\n"+
			"    completions:*) COMPREPLY=($(compgen -W 'bash zsh fish' -- \"$current\")) ;;\n"+
			"    tap:*) COMPREPLY=($(compgen -W 'replay' -- \"$current\")) ;;\n", strings.Join(names, " "))
		for _, c := range fileCommands {
			fmt.Fprintf(&b, "    %s:*) COMPREPLY=($(compgen -f -- \"$current\")) ;;\n", c)
		}
		b.WriteString("  esac\n}\ncomplete -F _gorpyc gorpyc\n")
	case "fish":
		b.WriteString("complete -c gorpyc -f\n")
		for _, c := range app.Commands {
			fmt.Fprintf(&b, "complete -c gorpyc -n __fish_use_subcommand -a %s -d %q\n", c.Name, c.Usage)
		}
		for _, c := range commands {
			for _, word := range words(c) {
				short := "-s"
				if strings.HasPrefix(word, "--") {
					short = "-l"
				}
				file := ""
				if slices.Contains(fileOptions, word) {
					file = " -r -F"
				}
				fmt.Fprintf(&b, "complete -c gorpyc -n '__fish_seen_subcommand_from %s' %s %s%s\n", c.Name, short, strings.TrimLeft(word, "-"), file)
			}
		}
		fmt.Fprintf(&b, "complete -c gorpyc -n '__fish_seen_subcommand_from %s' -F\n", strings.Join(fileCommands, " "))
		b.WriteString("complete -c gorpyc -n '__fish_seen_subcommand_from completions' -a 'bash zsh fish'\n" +
			"complete -c gorpyc -n '__fish_seen_subcommand_from tap' -a replay\n")
	default:
		return usage("no completion for %q: bash, zsh or fish", shell)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// words are the options of a command.
func words(c *cli.Command) []string {
	var all []string
	for _, f := range c.Flags {
		for _, name := range f.Names() {
			if len(name) == 1 {
				all = append(all, "-"+name)
			} else {
				all = append(all, "--"+name)
			}
		}
	}
	return all
}
