package program

import (
	"io"
	"os"
	"sync"
)

// LogFile is where a log goes. It can be opened anew after somebody has moved the file away. It is safe for concurrent
// use.
type LogFile struct {
	path string // "" is stderr

	mu   sync.Mutex
	file *os.File
}

var _ io.WriteCloser = (*LogFile)(nil)

// OpenLog opens a file to append to; "" is stderr.
func OpenLog(path string) (*LogFile, error) {
	l := &LogFile{path: path, file: os.Stderr}
	return l, l.Reopen()
}

// Reopen opens the file of that name, which may be another one by now. If it cannot, the log goes on in the old one.
func (l *LogFile) Reopen() error {
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
func (l *LogFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Write(p)
}

// Close implements io.Closer.
func (l *LogFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == os.Stderr {
		return nil
	}
	return l.file.Close()
}
