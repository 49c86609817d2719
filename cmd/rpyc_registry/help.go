package main

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/urfave/cli/v2"
)

const summary = "the service registry of RPyC"

// paragraphs describe the program, in the help and in the manual page.
var paragraphs = []string{
	"Servers tell the registry under which names they can be found, once a minute; clients ask it who offers a name. " +
		"The registry answers on UDP, where broadcasts reach it without its address being known, or on TCP, which crosses routers.",
	"It takes the place of RPyC's own rpyc_registry.py: the same switches, the same defaults, the same protocol, for RPyC 3 to 6.",
	"SIGTERM and SIGINT end it in order, SIGHUP opens the log file anew. " +
		"The exit status is 0 after a signal, 1 if it could not serve, 2 for a mistake in the command line.",
}

// aSwitch is what there is to say about one switch.
type aSwitch struct {
	names, value, text string
	all                []string
}

var placeholder = regexp.MustCompile("`([^`]*)`")

func switches(app *cli.App) []aSwitch {
	var out []aSwitch
	for _, f := range app.Flags {
		s := aSwitch{}
		for _, name := range f.Names() {
			if len(name) == 1 {
				name = "-" + name
			} else {
				name = "--" + name
			}
			s.all = append(s.all, name)
		}
		s.names = strings.Join(s.all, ", ")
		doc, ok := f.(cli.DocGenerationFlag)
		if !ok {
			continue
		}
		s.text = doc.GetUsage()
		if m := placeholder.FindStringSubmatch(s.text); m != nil {
			s.value = m[1]
			s.text = placeholder.ReplaceAllString(s.text, "$1")
		}
		if def := strings.Trim(cmp.Or(doc.GetDefaultText(), doc.GetValue()), `"`); doc.TakesValue() && def != "" && def != "[]" {
			s.text += " (default: " + def + ")"
		}
		out = append(out, s)
	}
	return out
}

// wrap breaks text into lines of at most width characters, each behind indent.
func wrap(text, indent string, width int) string {
	var b strings.Builder
	column := 0
	for word := range strings.FieldsSeq(text) {
		switch {
		case column == 0:
			b.WriteString(indent)
			column = len(indent)
		case column+1+len(word) > width:
			b.WriteString("\n" + indent)
			column = len(indent)
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String() + "\n"
}

func printHelp(w io.Writer, app *cli.App) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s - %s\n\nUsage: %s [switches]\n", app.Name, summary, app.Name)
	for _, p := range paragraphs {
		b.WriteString("\n" + wrap(p, "", 80))
	}
	b.WriteString("\nSwitches:\n")
	for _, s := range switches(app) {
		fmt.Fprintf(&b, "  %s\n%s", strings.TrimSpace(s.names+" "+s.value), wrap(s.text, "        ", 80))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func printMan(w io.Writer, app *cli.App) error {
	quote := strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`).Replace
	var b strings.Builder
	fmt.Fprintf(&b, ".TH RPYC_REGISTRY 8\n.SH NAME\n%s \\- %s\n.SH SYNOPSIS\n.B %s\n[switches]\n.SH DESCRIPTION\n",
		quote(app.Name), quote(summary), quote(app.Name))
	for i, p := range paragraphs {
		if i > 0 {
			b.WriteString(".PP\n")
		}
		b.WriteString(wrap(quote(p), "", 80))
	}
	b.WriteString(".SH OPTIONS\n")
	for _, s := range switches(app) {
		fmt.Fprintf(&b, ".TP\n\\fB%s\\fR", quote(s.names))
		if s.value != "" {
			fmt.Fprintf(&b, " \\fI%s\\fR", quote(s.value))
		}
		b.WriteString("\n" + wrap(quote(s.text), "", 80))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
