package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/gorpyc/gorpyc/classic"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// interrupts decides what Ctrl-C does: it ends the program, unless a prompt has something better to do with it.
type interrupts struct {
	mu      sync.Mutex
	handler func() // nil ends the program
}

type interruptsKey struct{}

// withSignals returns a context that SIGTERM ends, and SIGINT if nobody takes it. A second signal ends the program at
// once.
func withSignals(parent context.Context) context.Context {
	i := &interrupts{}
	ctx, cancel := context.WithCancel(context.WithValue(parent, interruptsKey{}, i))
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		for s := range signals {
			if s == os.Interrupt && i.taken() {
				continue
			}
			signal.Stop(signals)
			cancel()
			return
		}
	}()
	return ctx
}

func (i *interrupts) taken() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.handler != nil {
		i.handler()
	}
	return i.handler != nil
}

// onInterrupt has f called for Ctrl-C until restore is.
func onInterrupt(ctx context.Context, f func()) (restore func()) {
	i, ok := ctx.Value(interruptsKey{}).(*interrupts)
	if !ok {
		return func() {}
	}
	set := func(f func()) {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.handler = f
	}
	set(f)
	return func() { set(nil) }
}

// remoteInterrupt makes of Ctrl-C a KeyboardInterrupt of the remote Python, which hears of it when it writes or reads
// next: RPyC has no message that says so to a thread that runs. The second one gives up.
type remoteInterrupt struct {
	giveUp func()
	errs   io.Writer

	mu      sync.Mutex
	pending bool
	reading bool // the person is typing: the editor sees to it
}

func (r *remoteInterrupt) interrupt() {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.reading:
	case r.pending:
		r.giveUp()
	default:
		r.pending = true
		_, _ = io.WriteString(r.errs, "\n(the server hears of it when it prints something; Ctrl-C once more leaves)\n")
	}
}

// take reports whether an interrupt is due, which is over then.
func (r *remoteInterrupt) take() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.pending
	r.pending = false
	return was
}

// writer is w, the remote program's.
func (r *remoteInterrupt) writer(w io.Writer) io.Writer { return interruptedWriter{r, w} }

type interruptedWriter struct {
	r *remoteInterrupt
	w io.Writer
}

func (w interruptedWriter) Write(p []byte) (int, error) {
	if w.r.take() {
		return 0, vinegar.KeyboardInterrupt.New()
	}
	return w.w.Write(p)
}

// lines reads what the remote program asks for.
func (r *remoteInterrupt) lines(lines classic.LineReader) classic.LineReader {
	own := &interruptedLines{r, lines}
	if c, ok := lines.(classic.CompletingLineReader); ok {
		return &completingLines{own, c}
	}
	return own
}

type interruptedLines struct {
	r     *remoteInterrupt
	lines classic.LineReader
}

func (l *interruptedLines) ReadLine(ctx context.Context, prompt string) (string, error) {
	if l.r.take() {
		return "", classic.ErrInterrupt
	}
	l.r.set(true)
	defer l.r.set(false)
	return l.lines.ReadLine(ctx, prompt)
}

func (r *remoteInterrupt) set(reading bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reading = reading
}

type completingLines struct {
	*interruptedLines
	completing classic.CompletingLineReader
}

func (l *completingLines) SetCompletion(f func(context.Context, string) []string) {
	l.completing.SetCompletion(f)
}
