package main

import (
	"io"
	"log/slog"
	"os"
	"sync"
)

// logFile is where the log goes. It can be opened anew after somebody has moved the file away.
type logFile struct {
	path string

	mu   sync.Mutex
	file *os.File
}

// openLog opens a file for the log; "" is stderr.
func openLog(path string) (*logFile, error) {
	l := &logFile{path: path, file: os.Stderr}
	if path == "" {
		return l, nil
	}
	return l, l.Reopen()
}

// Reopen opens the file of that name, which may be another one by now.
func (l *logFile) Reopen() error {
	if l.path == "" {
		return nil
	}
	f, err := os.OpenFile(l.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != os.Stderr {
		_ = l.file.Close()
	}
	l.file = f
	return nil
}

// Write implements io.Writer.
func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Write(p)
}

// Close implements io.Closer.
func (l *logFile) Close() error {
	if l.path == "" {
		return nil
	}
	return l.file.Close()
}

func (s logSettings) logger(w io.Writer) *slog.Logger {
	opts := &slog.HandlerOptions{Level: s.level}
	if s.json {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}
