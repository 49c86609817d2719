// Package program is what the programs of this module have in common: their help, manual pages and completion scripts,
// how daemons begin and end, log files that are opened anew, and what systemd wants to hear.
package program

import (
	"fmt"
	"io"
	"runtime/debug"
	"strings"
)

// width is that of help texts.
const width = 80

// Program describes a program, or one of its commands.
type Program struct {
	Name    string
	Summary string // what it is, in a phrase
	About   []string
	Options []Option

	// What the completion scripts need beside Options.
	Commands []Program
	Words    []string // that arguments can be
	Files    bool     // arguments can be files
	// Asks has the script ask the program what an argument can be: its command "complete", with the words behind the
	// program's name up to the one that is completed, which may be empty, prints one a line.
	Asks bool
}

// Option is a switch.
type Option struct {
	Names []string // with their dashes
	Value string   // what the help calls its value; "" if it has none
	Help  string
	Group string   // the heading in the help; "" is "Switches"
	Words []string // that the value can be
	File  bool     // the value is a file
}

// Release is the number of the version that this source is, or is on the way from: see CONTRIBUTING.md.
const Release = "0.1.0"

// Version is what --version prints: Release, and behind it what the build knows of the source, such as a revision.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return Release
	}
	var details []string
	if v := info.Main.Version; v != "" && v != "(devel)" && v != "v"+Release {
		details = append(details, v)
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(details) == 0 {
			details = append(details, s.Value)
		}
	}
	if len(details) == 0 {
		return Release
	}
	return Release + " (" + strings.Join(details, " ") + ")"
}

// WriteHelp writes what --help prints.
func (p Program) WriteHelp(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s - %s\n\nUsage: %s [SWITCHES]\n", p.Name, p.Summary, p.Name)
	for _, text := range p.About {
		b.WriteString("\n" + wrap(text, ""))
	}
	for _, group := range p.groups() {
		fmt.Fprintf(&b, "\n%s:\n", group)
		for _, o := range p.Options {
			if o.group() == group {
				fmt.Fprintf(&b, "  %s\n%s", strings.TrimSpace(strings.Join(o.Names, ", ")+" "+o.Value), wrap(o.Help, "        "))
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteMan writes a manual page of section 8.
func (p Program) WriteMan(w io.Writer) error {
	quote := strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`).Replace
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %s 8\n.SH NAME\n%s \\- %s\n.SH SYNOPSIS\n.B %s\n[switches]\n.SH DESCRIPTION\n",
		strings.ToUpper(p.Name), quote(p.Name), quote(p.Summary), quote(p.Name))
	for i, text := range p.About {
		if i > 0 {
			b.WriteString(".PP\n")
		}
		b.WriteString(wrap(quote(text), ""))
	}
	b.WriteString(".SH OPTIONS\n")
	for _, o := range p.Options {
		fmt.Fprintf(&b, ".TP\n\\fB%s\\fR", quote(strings.Join(o.Names, ", ")))
		if o.Value != "" {
			fmt.Fprintf(&b, " \\fI%s\\fR", quote(o.Value))
		}
		b.WriteString("\n" + wrap(quote(o.Help), ""))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (o Option) group() string {
	if o.Group == "" {
		return "Switches"
	}
	return o.Group
}

// groups are the headings in the order of their first option.
func (p Program) groups() []string {
	var groups []string
	seen := map[string]bool{}
	for _, o := range p.Options {
		if g := o.group(); !seen[g] {
			seen[g] = true
			groups = append(groups, g)
		}
	}
	return groups
}

// wrap breaks text into lines of at most width characters, each behind indent.
func wrap(text, indent string) string {
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
