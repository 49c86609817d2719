// Package reading has the ways in which Python reads a binary file, for readers of any kind.
package reading

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"

	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Max bounds what is read at once.
const Max = 256 << 20

// Some hides an error behind data: it comes again with the next read.
func Some(n int, err error) error {
	if n > 0 || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// Full reads n bytes unless the file ends before; a negative n means all of it.
func Full(r io.Reader, n int) ([]byte, error) {
	limit := int64(n)
	if n < 0 || n > Max {
		limit = Max + 1
	}
	var b bytes.Buffer
	_, err := io.CopyN(&b, onlyReader{r}, limit)
	if b.Len() > Max {
		return nil, vinegar.MemoryError.Errorf("more than %d bytes at once", Max)
	}
	return b.Bytes(), Some(b.Len(), err)
}

// Once takes what one Read gives of n bytes; a negative n means as many as are usual.
func Once(r io.Reader, n int) ([]byte, error) {
	if n < 0 || n > 1<<16 {
		n = 1 << 16
	}
	b := make([]byte, n)
	k, err := r.Read(b)
	return b[:k], Some(k, err)
}

// Lines reads the lines up to the end of the file. More than most, or than [Max] bytes, are a MemoryError.
func Lines(r io.Reader, most int) (lines []any, err error) {
	size := 0
	for {
		line, err := Line(r, -1)
		switch size += len(line); {
		case err != nil:
			return nil, err
		case len(line) == 0:
			return lines, nil
		case size > Max || len(lines) == most:
			return nil, vinegar.MemoryError.Errorf("more than %d items", most)
		}
		lines = append(lines, line)
	}
}

// onlyReader hides a WriterTo, which would not stop at the limit.
type onlyReader struct{ io.Reader }

// Line reads up to the end of a line, n bytes or the end of the file. Nothing is read beyond: readers that cannot
// be asked for lines or single bytes are read byte by byte, or in pieces that are given back where they can seek.
func Line(r io.Reader, n int) ([]byte, error) {
	if n < 0 || n > Max {
		n = Max
	}
	if lr, ok := r.(interface {
		ReadSlice(delim byte) ([]byte, error)
	}); ok && n == Max {
		return lineInSlices(lr.ReadSlice, n)
	}
	if b, ok := r.(*bytes.Buffer); ok && n == Max {
		line, err := b.ReadBytes('\n')
		return line, Some(len(line), err)
	}
	if s, ok := r.(io.Seeker); ok {
		if line, done, err := lineSeeking(r, s, n); done {
			return line, err
		}
	}
	var line []byte
	one := make([]byte, 1)
	for len(line) < n {
		k, err := io.ReadFull(r, one)
		if k == 0 {
			return line, Some(len(line), err)
		}
		if line = append(line, one[0]); one[0] == '\n' {
			break
		}
	}
	return line, nil
}

// lineInSlices reads from a buffer that gives what it has up to the end of a line, such as a bufio.Reader.
func lineInSlices(read func(delim byte) ([]byte, error), n int) (line []byte, err error) {
	for len(line) < n {
		part, err := read('\n')
		line = append(line, part...)
		if err != bufio.ErrBufferFull {
			return line, Some(len(line), err)
		}
	}
	return line, nil
}

// lineSeeking reads pieces and seeks back behind the line. done is false if the reader cannot seek in fact, as a
// pipe.
func lineSeeking(r io.Reader, s io.Seeker, n int) (line []byte, done bool, err error) {
	if _, err := s.Seek(0, io.SeekCurrent); err != nil {
		return nil, false, nil // no error of the file: it is read in another way
	}
	piece := make([]byte, min(n, 4096))
	for len(line) < n {
		k, err := r.Read(piece[:min(len(piece), n-len(line))])
		if at := slices.Index(piece[:k], '\n'); at >= 0 {
			line = append(line, piece[:at+1]...)
			_, err := s.Seek(int64(at+1-k), io.SeekCurrent)
			return line, true, err
		}
		line = append(line, piece[:k]...)
		if err != nil || k == 0 {
			return line, true, Some(len(line), err)
		}
	}
	return line, true, nil
}
