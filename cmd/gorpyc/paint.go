package main

import (
	"io"
	"os"
	"strings"
)

// paint colours text for a terminal; false leaves it as it is.
type paint bool

// paintOf is on for a terminal, unless NO_COLOR is set or the terminal is a dumb one.
func paintOf(w io.Writer) paint {
	return paint(isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb")
}

// The colours are the terminal's own sixteen, which its owner has made readable.
const (
	red, green, blue, cyan = "31", "32", "34", "36"
	bold, faint            = "1", "2"
)

func (p paint) in(colour, text string) string {
	if !bool(p) || text == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// message colours a line of tap: the direction, and exceptions.
func (p paint) message(dir, text string) (string, string) {
	colour := cyan
	if dir == "<" {
		colour = green
	}
	kind, rest, _ := strings.Cut(text, " ")
	if kind == "EXCEPTION" || kind == "MALFORMED" {
		return p.in(colour, dir), p.in(red, text)
	}
	if rest != "" {
		rest = " " + rest
	}
	return p.in(colour, dir), p.in(bold, kind) + rest
}

// traceback colours Python's: the lines that say where, and the last one.
func (p paint) traceback(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, line := range lines {
		switch {
		case strings.HasPrefix(line, "  File "):
			lines[i] = p.in(faint, line)
		case i == len(lines)-1 && !strings.HasPrefix(line, " "):
			lines[i] = p.in(red, line)
		}
	}
	return strings.Join(lines, "\n")
}
