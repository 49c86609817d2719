package main

import (
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/gorpyc/gorpyc/cmd/internal/program"
)

func completionsCommand() *cli.Command {
	return &cli.Command{
		Name: "completions", Category: "The shell", ArgsUsage: "SHELL",
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
		}
		if c.Name == "completions" {
			p.Words = program.Shells
		}
		p.Options = append(p.Options, program.Option{Names: []string{"--help", "-h"}, Help: "show help"})
		out = append(out, p)
	}
	return out
}
