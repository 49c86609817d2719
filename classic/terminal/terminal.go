// Package terminal lets a person at a terminal use a remote Python prompt or debugger with line editing, history and
// completion:
//
//	t := terminal.New()
//	defer t.Close()
//	err := conn.Interact(ctx, t.Stdio(), nil)
//
// It is a package of its own because it needs github.com/peterh/liner, which the client of classic mode does without.
package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/peterh/liner"

	"github.com/gorpyc/gorpyc/classic"
)

// Terminal is the process's standard input and output. If they are no terminal, lines are read as they come. It is safe
// for concurrent use, but a person types one line at a time.
type Terminal struct {
	mu       sync.Mutex
	edits    bool // there is a person at a terminal
	state    *liner.State
	ctx      context.Context // of the line that is being read
	complete func(ctx context.Context, word string) []string
	closed   bool
}

var _ classic.CompletingLineReader = (*Terminal)(nil)

// New takes the terminal over: until Close it does not echo or handle Ctrl-C by itself while a line is read.
func New() *Terminal {
	_, err := liner.TerminalMode()
	t := &Terminal{edits: err == nil, state: liner.NewLiner()}
	t.state.SetCtrlCAborts(true)
	t.state.SetTabCompletionStyle(liner.TabPrints)
	t.state.SetWordCompleter(t.words)
	return t
}

// Close gives the terminal back as it was found.
func (t *Terminal) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil
	}
	t.closed = true
	return t.state.Close()
}

// Stdio is the terminal for classic.Conn's Interact, PM and RedirectedStdio.
func (t *Terminal) Stdio() classic.Stdio {
	return classic.Stdio{Lines: t, Out: os.Stdout, Err: os.Stderr}
}

// ReadLine implements classic.LineReader. Ctrl-C is classic.ErrInterrupt, Ctrl-D on an empty line io.EOF. The end of
// ctx is noticed between lines only.
func (t *Terminal) ReadLine(ctx context.Context, prompt string) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return "", io.EOF
	}
	if err := ctx.Err(); err != nil {
		return "", context.Cause(ctx)
	}
	t.ctx = ctx
	if !t.edits {
		prompt = "" // it has been written
	}
	if prompt != "" {
		fmt.Print("\r") // the editor writes it again
	}
	line, err := t.state.Prompt(clean(prompt))
	switch {
	case errors.Is(err, liner.ErrPromptAborted):
		return "", classic.ErrInterrupt
	case err != nil:
		return "", err
	}
	if strings.TrimSpace(line) != "" {
		t.state.AppendHistory(line)
	}
	return line, nil
}

// clean leaves out what the editor refuses in a prompt: characters that move the cursor.
func clean(prompt string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, prompt)
}

// SetCompletion implements classic.CompletingLineReader.
func (t *Terminal) SetCompletion(complete func(ctx context.Context, word string) []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.complete = complete
}

// words completes the dotted name before the cursor. It is called by the editor, while ReadLine has the lock.
func (t *Terminal) words(line string, pos int) (head string, completions []string, tail string) {
	runes := []rune(line)
	head, word, tail := split(string(runes[:pos]), string(runes[pos:]))
	if t.complete == nil {
		return head + word, nil, tail
	}
	if word == "" {
		return head, []string{"    "}, tail // as in Python's own prompt
	}
	return head, t.complete(t.ctx, word), tail
}

func split(before, after string) (head, word, tail string) {
	start := len(before)
	for start > 0 {
		r, n := utf8.DecodeLastRuneInString(before[:start])
		if r != '_' && r != '.' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			break
		}
		start -= n
	}
	return before[:start], before[start:], after
}

// ReadHistory adds the lines of r to the history.
func (t *Terminal) ReadHistory(r io.Reader) error {
	_, err := t.state.ReadHistory(r)
	return err
}

// WriteHistory writes the lines of the history to w.
func (t *Terminal) WriteHistory(w io.Writer) error {
	_, err := t.state.WriteHistory(w)
	return err
}
