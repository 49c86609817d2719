package program

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

// Style gives the help of a program with commands the form that all programs of this module have: usage behind the
// program's name, the commands in the order in which a person comes to need them, options with their short names first.
func Style(app *cli.App, usage string, misused cli.OnUsageErrorFunc) {
	var finish func([]*cli.Command)
	finish = func(commands []*cli.Command) {
		for _, c := range commands {
			c.OnUsageError, c.HideHelpCommand, c.CustomHelpTemplate = misused, true, commandHelp
			for _, f := range c.Flags {
				if b, ok := f.(*cli.BoolFlag); ok {
					b.DisableDefaultText = true
				}
			}
			finish(c.Subcommands)
		}
	}
	finish(app.Commands)
	app.OnUsageError, app.HideHelpCommand = misused, true
	app.CustomAppHelpTemplate = appHelp(app, usage)
	cli.HelpFlag = &cli.BoolFlag{Name: "help", Aliases: []string{"h"}, Usage: "show help", Hidden: true}
	cli.VersionPrinter = func(c *cli.Context) { fmt.Fprintln(c.App.Writer, c.App.Name, c.App.Version) }
	cli.FlagStringer = func(f cli.Flag) string {
		o := Options([]cli.Flag{f}, nil)[0]
		return strings.TrimSpace(strings.Join(o.Names, ", ")+" "+o.Value) + "\t" + o.Help
	}
}

func appHelp(app *cli.App, usage string) string {
	var b strings.Builder
	b.WriteString("{{.Name}} - {{.Usage}}\n\nUsage: {{.Name}} " + usage + "\n")
	for i, c := range app.Commands {
		if c.Hidden {
			continue
		}
		if i == 0 || c.Category != app.Commands[i-1].Category {
			category := c.Category
			if category == "" {
				category = "Commands"
			}
			b.WriteString("\n" + category + ":\n")
		}
		b.WriteString("  " + c.Name + "\t" + c.Usage + "\n")
	}
	b.WriteString("\n'" + app.Name + " COMMAND --help' lists a command's options.\n\n{{.Description}}\n")
	return b.String()
}

const commandHelp = `{{.HelpName}} - {{.Usage}}

Usage: {{.HelpName}}{{with .ArgsUsage}} {{.}}{{end}} [OPTIONS]
{{if .Description}}
{{.Description}}
{{end}}{{if .Subcommands}}
Commands:{{range .VisibleCommands}}
  {{.Name}}{{"\t"}}{{.Usage}}{{end}}
{{end}}{{range .VisibleFlagCategories}}
{{with .Name}}{{.}}{{else}}Options{{end}}:{{range .Flags}}
  {{.}}{{end}}
{{else}}{{with .VisibleFlags}}
Options:{{range .}}
  {{.}}{{end}}
{{end}}{{end}}`
