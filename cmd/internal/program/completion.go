package program

import (
	"fmt"
	"io"
	"strings"
)

// Shells are those that there are completion scripts for.
var Shells = []string{"bash", "zsh", "fish"}

// WriteCompletion writes a script that completes the program's commands, options and what their values can be. It is an
// error if the shell is none of Shells.
func (p Program) WriteCompletion(w io.Writer, shell string) error {
	var text string
	switch shell {
	case "bash":
		text = p.posix(bash)
	case "zsh":
		text = p.posix(zsh)
	case "fish":
		text = p.fish()
	default:
		return fmt.Errorf("no completion for %q: %s", shell, strings.Join(Shells, ", "))
	}
	_, err := io.WriteString(w, text)
	return err
}

// dialect is what differs between bash and zsh.
type dialect struct {
	head, tail string // with NAME for the program's
	words      func([]string) string
	files      string
	asks       string
}

var bash = dialect{
	// An equals sign is a word of its own.
	head: `_NAME() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} sub= word
  if [[ $current == = ]]; then
    current=
  elif [[ $previous == = ]]; then
    previous=${COMP_WORDS[COMP_CWORD-2]}
  fi
  COMPREPLY=()
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
`,
	words: func(words []string) string {
		return "COMPREPLY=($(compgen -W '" + strings.Join(words, " ") + "' -- \"$current\"))"
	},
	files: `local IFS=$'\n'; COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null`,
	asks:  `COMPREPLY=($(compgen -W '$(NAME complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)' -- "$current"))`,
	tail:  "}\ncomplete -F _NAME NAME\n",
}

var zsh = dialect{
	head: `#compdef NAME
_NAME() {
  local current=${words[CURRENT]} previous=${words[CURRENT-1]} sub= word
  for word in "${(@)words[2,CURRENT-1]}"; do
`,
	words: func(words []string) string { return "compadd -- " + strings.Join(words, " ") },
	files: "_files",
	asks:  `compadd -- ${(f)"$(NAME complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)"}`,
	tail:  "}\nif [[ $funcstack[1] == _NAME ]]; then _NAME; else compdef _NAME NAME; fi\n",
}

// posix writes the script for a shell of the Bourne family: it finds the command that the line is about, and then what
// to offer.
func (p Program) posix(d dialect) string {
	var b strings.Builder
	name := strings.NewReplacer("NAME", p.Name)
	b.WriteString(name.Replace(d.head))
	b.WriteString("    case $sub/$word in\n")
	p.walk("", func(parent string, c Program) { fmt.Fprintf(&b, "      %s/%s) sub=%s ;;\n", parent, c.Name, c.Name) })
	b.WriteString("    esac\n  done\n  case $sub:$previous in\n")
	values := func(sub string, c Program) {
		for _, o := range c.Options {
			if o.Value == "" {
				continue
			}
			var names []string
			for _, n := range o.Names {
				names = append(names, sub+":"+n)
			}
			offer := ":"
			switch {
			case o.Words != nil:
				offer = d.words(o.Words)
			case o.File:
				offer = d.files
			}
			fmt.Fprintf(&b, "    %s) %s; return ;;\n", strings.Join(names, "|"), offer)
		}
	}
	values("", p)
	p.walk("", func(_ string, c Program) { values(c.Name, c) })
	b.WriteString("  esac\n  case $sub:$current in\n")
	rest := func(sub string, c Program) {
		names := c.optionNames()
		fmt.Fprintf(&b, "    %s:-*) %s ;;\n", sub, d.words(names))
		words := c.words()
		switch {
		case len(words) > 0:
			fmt.Fprintf(&b, "    %s:*) %s ;;\n", sub, d.words(words))
		case c.Files:
			fmt.Fprintf(&b, "    %s:*) %s ;;\n", sub, d.files)
		case c.Asks:
			fmt.Fprintf(&b, "    %s:*) %s ;;\n", sub, name.Replace(d.asks))
		case sub == "": // a program without arguments
			fmt.Fprintf(&b, "    :*) %s ;;\n", d.words(names))
		}
	}
	rest("", p)
	p.walk("", func(_ string, c Program) { rest(c.Name, c) })
	b.WriteString("  esac\n")
	b.WriteString(name.Replace(d.tail))
	return b.String()
}

func (p Program) fish() string {
	var b strings.Builder
	quote := strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace
	line := func(when, rest string) {
		b.WriteString("complete -c " + p.Name)
		if when != "" {
			b.WriteString(" -n '" + when + "'")
		}
		b.WriteString(rest + "\n")
	}
	line("", " -f")
	offer := func(when string, c Program) {
		for _, sub := range c.Commands {
			line(when, " -a "+sub.Name+" -d '"+quote(sub.Summary)+"'")
		}
		if len(c.Words) > 0 {
			line(when, " -a '"+strings.Join(c.Words, " ")+"'")
		}
		if c.Files {
			line(when, " -F")
		}
		if c.Asks {
			line(when, " -a '("+p.Name+" complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'")
		}
		for _, o := range c.Options {
			text := ""
			for _, n := range o.Names {
				if long, ok := strings.CutPrefix(n, "--"); ok {
					text += " -l " + long
				} else {
					text += " -s " + n[1:]
				}
			}
			switch {
			case o.Words != nil:
				text += " -x -a '" + strings.Join(o.Words, " ") + "'"
			case o.File:
				text += " -r -F"
			case o.Value != "":
				text += " -x"
			}
			line(when, text+" -d '"+quote(o.Help)+"'")
		}
	}
	top := ""
	if len(p.Commands) > 0 {
		top = "__fish_use_subcommand"
	}
	offer(top, p)
	p.walk("", func(_ string, c Program) { offer("__fish_seen_subcommand_from "+c.Name, c) })
	return b.String()
}

// walk calls f with every command below p and the name of the command that it belongs to.
func (p Program) walk(parent string, f func(parent string, c Program)) {
	for _, c := range p.Commands {
		f(parent, c)
		c.walk(c.Name, f)
	}
}

func (p Program) optionNames() []string {
	var names []string
	for _, o := range p.Options {
		names = append(names, o.Names...)
	}
	return names
}

// words are those that can be arguments.
func (p Program) words() []string {
	var words []string
	for _, c := range p.Commands {
		words = append(words, c.Name)
	}
	return append(words, p.Words...)
}
