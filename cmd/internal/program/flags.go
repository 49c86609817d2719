package program

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/urfave/cli/v2"
)

var placeholder = regexp.MustCompile("`([^`]*)`")

// Options describes the flags of an urfave/cli program. words has what the values of some can be, by their first name.
func Options(flags []cli.Flag, words map[string][]string) []Option {
	var out []Option
	for _, f := range flags {
		doc, ok := f.(cli.DocGenerationFlag)
		if !ok {
			continue
		}
		o := Option{Help: doc.GetUsage(), Words: words[f.Names()[0]]}
		for _, name := range f.Names() {
			if len(name) == 1 {
				o.Names = append([]string{"-" + name}, o.Names...)
			} else {
				o.Names = append(o.Names, "--"+name)
			}
		}
		if doc.TakesValue() {
			o.Value = "VALUE"
		}
		if m := placeholder.FindStringSubmatch(o.Help); m != nil {
			o.Value = m[1]
			o.Help = placeholder.ReplaceAllString(o.Help, "$1")
		}
		if def := strings.Trim(cmp.Or(doc.GetDefaultText(), doc.GetValue()), `"`); doc.TakesValue() && def != "" &&
			def != "[]" {
			o.Help += " (default: " + def + ")"
		}
		switch f := f.(type) {
		case *cli.StringFlag:
			o.File = f.TakesFile
		case *cli.StringSliceFlag:
			o.File = f.TakesFile
		}
		out = append(out, o)
	}
	return out
}
