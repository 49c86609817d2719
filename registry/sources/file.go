package sources

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport/filestate"
)

// File reads addresses from a file, and again when it has changed or was replaced. It has an address in each line,
// "host:port" or the path of a Unix socket, and behind it, where they are not the usual ones,
//
//	weight=3 priority=1 zone=eu-1 name=calc.example.org
//
// the last of which is Address.ServerName. Empty lines and what follows a # are passed over. Whoever writes the file
// writes another one and renames it, so that it is never read half written.
type File struct {
	// Path is the file's.
	Path string
	// Every is how often it is looked whether the file has changed; 0 means 1 s.
	Every time.Duration
}

var _ protocol.Source = (*File)(nil)

// maxFile is how long a file may be.
const maxFile = 1 << 20

// Watch implements protocol.Source. A file that is not there or has a line that cannot be understood is a failure.
func (f *File) Watch(ctx context.Context, update func([]protocol.Address)) error {
	var read filestate.State
	var addrs []protocol.Address
	return poll(ctx, update, func() ([]protocol.Address, time.Duration, error) {
		next := cmp.Or(f.Every, time.Second)
		now, err := filestate.Look(f.Path)
		if err != nil {
			return nil, 0, err
		}
		if !now.Mode().IsRegular() { // opening a named pipe may wait for ever
			return nil, 0, fmt.Errorf("%s: not a regular file", f.Path)
		}
		if now.Unchanged(read) {
			return addrs, next, nil
		}
		if addrs, err = f.read(); err != nil {
			return nil, 0, err
		}
		read = now
		return addrs, next, nil
	})
}

func (f *File) read() ([]protocol.Address, error) {
	file, err := os.Open(f.Path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("%s: longer than %d bytes", f.Path, maxFile)
	}
	var addrs []protocol.Address
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, maxFile+1)
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		a, err := parseAddress(words)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", f.Path, n, err)
		}
		addrs = append(addrs, a)
	}
	return addrs, lines.Err()
}

// parseAddress makes an address of the words of a line.
func parseAddress(words []string) (a protocol.Address, err error) {
	a.Addr = words[0]
	if strings.Contains(a.Addr, "/") {
		a.Network = "unix"
	} else if _, _, err = net.SplitHostPort(a.Addr); err != nil {
		return a, err
	}
	return a, parseDetails(&a, words[1:])
}

// parseDetails reads words such as weight=3 into an address.
func parseDetails(a *protocol.Address, words []string) (err error) {
	for _, word := range words {
		key, value, found := strings.Cut(word, "=")
		if !found || value == "" {
			return fmt.Errorf("%q has no value", word)
		}
		switch key {
		case "weight":
			a.Weight, err = strconv.Atoi(value)
		case "priority":
			a.Priority, err = strconv.Atoi(value)
		case "zone":
			a.Zone = value
		case "name":
			a.ServerName = value
		default:
			err = fmt.Errorf("%q is none of weight, priority, zone and name", key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
