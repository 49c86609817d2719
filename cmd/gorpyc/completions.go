package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/gorpyc/gorpyc/cmd/internal/program"
)

func completionsCommand() *cli.Command {
	return &cli.Command{
		Name: "completions", Category: groupProgram, ArgsUsage: "SHELL",
		Usage: "print a script that completes commands and options in bash, zsh or fish",
		Description: `   source <(gorpyc completions bash)      in ~/.bashrc
   source <(gorpyc completions zsh)       in ~/.zshrc, behind compinit
   gorpyc completions fish | source       in ~/.config/fish/config.fish`,
		Action: func(c *cli.Context) error {
			if err := want(c.Args().Slice(), 1, 1, "the name of a shell"); err != nil {
				return err
			}
			shell := c.Args().First()
			if !slices.Contains(program.Shells, shell) {
				return usage("no completion for %q: bash, zsh or fish", shell)
			}
			return describe(c.App).WriteCompletion(c.App.Writer, shell)
		},
	}
}

// asking are the commands of which an argument is a name at a service.
var asking = []string{"call", "get", "set", "ls", "inspect", "bench"}

// completeCommand answers completion scripts.
func completeCommand() *cli.Command {
	return &cli.Command{
		Name: "complete", Hidden: true,
		Action: func(c *cli.Context) error {
			words := rejoined(c.Args().Slice())
			if len(words) < 2 || !slices.Contains(asking, words[0]) {
				return nil
			}
			last := len(words) - 1
			path, prefix := words[1:last], ""
			if dot := strings.LastIndexByte(words[last], '.'); dot >= 0 {
				prefix = words[last][:dot+1]
				path = append(slices.Clone(path), words[last][:dot])
			}
			app := newApp()
			args, err := arrange(app, slices.Concat([]string{app.Name, "ls", "--timeout", "2s"}, path))
			if err != nil {
				return err
			}
			var out bytes.Buffer
			app.Writer, app.ErrWriter = &out, io.Discard
			if err := app.RunContext(c.Context, args); err != nil {
				return err
			}
			for name := range strings.FieldsSeq(out.String()) {
				fmt.Fprintln(c.App.Writer, prefix+strings.TrimSuffix(name, "()"))
			}
			return nil
		},
	}
}

// rejoined puts words together that bash has divided at colons and equals signs.
func rejoined(words []string) []string {
	var out []string
	for i, w := range words {
		n := len(out)
		if n > 0 && (w == ":" || w == "=" || i > 0 && (words[i-1] == ":" || words[i-1] == "=") && w != "") {
			out[n-1] += w
		} else {
			out = append(out, w)
		}
	}
	return out
}

// describe is what the completion scripts know.
func describe(app *cli.App) program.Program {
	return program.Program{
		Name: app.Name,
		Options: []program.Option{{Names: []string{"--help", "-h"}, Help: "show help"},
			{Names: []string{"--version", "-v"}, Help: "print the version"}},
		Commands: describeCommands(app.Commands),
	}
}

func describeCommands(commands []*cli.Command) []program.Program {
	var out []program.Program
	for _, c := range commands {
		p := program.Program{
			Name: c.Name, Summary: c.Usage, Options: program.Options(c.Flags, nil), Commands: describeCommands(c.Subcommands),
			Files: slices.Contains([]string{"upload", "download", "replay"}, c.Name),
			Asks:  slices.Contains(asking, c.Name),
		}
		if c.Hidden {
			continue
		}
		if c.Name == "completions" {
			p.Words = program.Shells
		}
		p.Options = append(p.Options, program.Option{Names: []string{"--help", "-h"}, Help: "show help"})
		out = append(out, p)
	}
	return out
}
