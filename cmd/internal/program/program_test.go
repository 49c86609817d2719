package program

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/urfave/cli/v2"
)

// flat has switches alone, deep has commands.
var (
	flat = Program{
		Name: "flat", Summary: "a program's summary", About: []string{strings.Repeat("words ", 30)},
		Options: []Option{
			{Names: []string{"-m", "--mode"}, Value: "MODE", Help: "how it's done", Words: []string{"one", "two", "both"}},
			{Names: []string{"--logfile"}, Value: "FILE", Help: "where the log goes", Group: "Logging", File: true},
			{Names: []string{"-p", "--port"}, Value: "PORT", Help: "which port"},
			{Names: []string{"-q", "--quiet"}, Help: "be quiet"},
		},
	}
	deep = Program{
		Name:    "deep",
		Options: []Option{{Names: []string{"--help"}}},
		Commands: []Program{
			{Name: "up", Summary: "up's summary", Options: []Option{{Names: []string{"-n", "--number"}, Value: "N"}},
				Files: true},
			{Name: "shell", Words: []string{"bash", "zsh"}, Options: []Option{{Names: []string{"-n"}, Help: "no value here"}}},
			{Name: "tap", Commands: []Program{{Name: "replay", Files: true}},
				Options: []Option{{Names: []string{"-w", "--write"}, Value: "FILE", File: true}}},
		},
	}
)

// lines are command lines, the last word of which is to be completed, and what it can become.
var lines = []struct {
	program Program
	line    string
	want    string
}{
	{flat, "flat --mo", "--mode"},
	{flat, "flat ", "--logfile --mode --port --quiet -m -p -q"},
	{flat, "flat -q --", "--logfile --mode --port --quiet"},
	{flat, "flat --mode ", "both one two"},
	{flat, "flat -m t", "two"},
	{flat, "flat --logfile some", "some file"},
	{flat, "flat --port ", ""},
	{flat, "flat --port 1 --q", "--quiet"},
	{deep, "deep ", "shell tap up"},
	{deep, "deep --h", "--help"},
	{deep, "deep u", "up"},
	{deep, "deep up some", "some file"},
	{deep, "deep up --n", "--number"},
	{deep, "deep up -n ", ""},
	{deep, "deep shell -n ", "bash zsh"},
	{deep, "deep up host shell --n", "--number"}, // an argument that is a command's name
	{deep, "deep tap ", "replay"},
	{deep, "deep tap --write some", "some file"},
	{deep, "deep tap replay some", "some file"},
}

// bashLine has bash complete a line as it does at its prompt: the function is told the words, at which an equals sign
// is one.
const bashLine = `
complete_line() {
  COMP_WORDS=($1) COMP_CWORD=$((${#COMP_WORDS[@]}-1))
  if [[ $1 == *" " ]]; then COMP_WORDS+=(""); COMP_CWORD=$((COMP_CWORD+1)); fi
  _$2
  printf '%s\n' "${COMPREPLY[@]}"
}
`

// zshLine stands in for zsh's completion, which needs a terminal.
const zshLine = `
compdef() { : }
compadd() { shift; local w; for w in "$@"; do [[ $w == "$current"* ]] && print -r -- $w; done }
_files() { local f; for f in *(N); do [[ $f == "$current"* ]] && print -r -- $f; done }
`

func completed(t *testing.T, shell string, p Program, line string) string {
	t.Helper()
	var script bytes.Buffer
	require.NoError(t, p.WriteCompletion(&script, shell))
	var cmd *exec.Cmd
	switch shell {
	case "bash":
		cmd = exec.Command("bash", "-c", script.String()+bashLine+`complete_line "$@"`, "bash", line, p.Name)
	case "zsh":
		text := zshLine + script.String() + "\nwords=(\"${(@s: :)1}\") CURRENT=${#words}; _" + p.Name + "; true"
		cmd = exec.Command("zsh", "-f", "-c", text, "zsh", line)
	case "fish":
		file := filepath.Join(t.TempDir(), "script")
		require.NoError(t, os.WriteFile(file, script.Bytes(), 0o600))
		cmd = exec.Command("fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", "--", file, line)
	}
	cmd.Dir = t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(cmd.Dir, "some file"), nil, 0o600))
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	var words []string
	for text := range strings.SplitSeq(strings.TrimSpace(string(out)), "\n") {
		word, _, _ := strings.Cut(text, "\t") // fish adds the description
		if word = strings.ReplaceAll(word, `\ `, " "); word != "" {
			words = append(words, word)
		}
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

// TestCompletion has the shells that are installed use their scripts.
func TestCompletion(t *testing.T) {
	for _, shell := range Shells {
		t.Run(shell, func(t *testing.T) {
			if _, err := exec.LookPath(shell); err != nil {
				t.Skip("no ", shell, " here")
			}
			for _, l := range lines {
				want := l.want
				if shell == "fish" && l.line == "flat " {
					want = "" // it offers switches behind a dash only
				}
				if shell == "fish" && l.line == "deep shell -n " {
					continue // to fish, a switch of the same name takes a value, once any command's does
				}
				require.Equal(t, want, completed(t, shell, l.program, l.line), "%q", l.line)
			}
			if shell == "bash" {
				require.Equal(t, "two", completed(t, shell, flat, "flat --mode = t"))
				require.Equal(t, "both one two", completed(t, shell, flat, "flat --mode ="))
			}
		})
	}
	require.Error(t, flat.WriteCompletion(&bytes.Buffer{}, "csh"))
}

func TestHelpAndMan(t *testing.T) {
	var help, man bytes.Buffer
	require.NoError(t, flat.WriteHelp(&help))
	require.NoError(t, flat.WriteMan(&man))
	require.Contains(t, help.String(), "\nSwitches:\n  -m, --mode MODE\n        how it's done\n")
	require.Contains(t, help.String(), "\nLogging:\n  --logfile FILE\n        where the log goes\n")
	for line := range strings.SplitSeq(help.String(), "\n") {
		require.LessOrEqual(t, len(line), width)
	}
	require.Contains(t, man.String(), "\n.TP\n\\fB\\-m, \\-\\-mode\\fR \\fIMODE\\fR\nhow it\\(aqs done\n")
	if _, err := exec.LookPath("man"); err != nil {
		return
	}
	path := filepath.Join(t.TempDir(), "flat.8")
	require.NoError(t, os.WriteFile(path, man.Bytes(), 0o600))
	out, err := exec.Command("man", "--warnings", "-l", path).CombinedOutput()
	require.NoError(t, err, string(out))
	require.NotContains(t, string(out), "warning")
}

// TestHelpOfDaemons: what the program says of itself is printed, not what the library would say.
func TestHelpOfDaemons(t *testing.T) {
	var help bytes.Buffer
	require.NoError(t, flat.WriteHelp(&help))
	for _, line := range []string{"--help", "-h"} {
		var out bytes.Buffer
		app := NewDaemon("flat", func(*cli.App) Program { return flat }, nil)
		app.Writer = &out
		require.Zero(t, RunDaemon(t.Context(), app, []string{"flat", line}, nil))
		require.Equal(t, help.String(), out.String())
	}
}

func TestOptions(t *testing.T) {
	options := Options([]cli.Flag{
		&cli.StringFlag{Name: "mode", Aliases: []string{"m"}, Value: "one", Usage: "the `MODE` of it"},
		&cli.StringFlag{Name: "logfile", TakesFile: true, Usage: "the log"},
		&cli.BoolFlag{Name: "quiet", Usage: "be quiet"},
	}, map[string][]string{"mode": {"one", "two"}})
	require.Equal(t, []Option{
		{Names: []string{"-m", "--mode"}, Value: "MODE", Help: "the MODE of it (default: one)",
			Words: []string{"one", "two"}},
		{Names: []string{"--logfile"}, Value: "VALUE", Help: "the log", File: true},
		{Names: []string{"--quiet"}, Help: "be quiet"},
	}, options)
}

func TestWithSeconds(t *testing.T) {
	wait := &cli.DurationFlag{Name: "wait", Aliases: []string{"w"}}
	app := &cli.App{Flags: []cli.Flag{wait, &cli.StringFlag{Name: "name"}}}
	require.Equal(t, strings.Fields("p --wait 0.5s -w=2s --wait 3ms --name 5 --wait soon -- --wait 1"),
		WithSeconds(app, strings.Fields("p --wait 0.5 -w=2 --wait 3ms --name 5 --wait soon -- --wait 1")))
	require.Equal(t, []string{"p", "go", "--wait", "1e", "-w"}, WithSeconds(&cli.App{Commands: []*cli.Command{
		{Name: "go", Flags: []cli.Flag{wait}}}}, []string{"p", "go", "--wait", "1e", "-w"}))
}

func TestLogFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l, err := OpenLog(path)
	require.NoError(t, err)
	_, _ = l.Write([]byte("one\n"))
	require.NoError(t, os.Rename(path, path+".1"))
	_, _ = l.Write([]byte("two\n"))
	require.NoError(t, l.Reopen())
	_, _ = l.Write([]byte("three\n"))
	require.NoError(t, l.Close())
	old, err := os.ReadFile(path + ".1")
	require.NoError(t, err)
	now, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "one\ntwo\n", string(old))
	require.Equal(t, "three\n", string(now))
	_, err = OpenLog(filepath.Join(path, "none"))
	require.Error(t, err)
	l, err = OpenLog("")
	require.NoError(t, err)
	require.NoError(t, l.Reopen())
	require.NoError(t, l.Close())
}

// The version that programs print is the one that the changelog ends with, and a date stands beside it.
func TestReleaseIsInTheChangelog(t *testing.T) {
	text, err := os.ReadFile("../../../CHANGELOG.md")
	require.NoError(t, err)
	newest := regexp.MustCompile(`(?m)^## (\S+) - \d{4}-\d\d-\d\d$`).FindStringSubmatch(string(text))
	require.NotNil(t, newest)
	require.Equal(t, Release, newest[1])
	require.Contains(t, Version(), Release)
}
