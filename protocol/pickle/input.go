package pickle

import (
	"bytes"
	"io"
)

func (s *scanner) byte() (byte, error) {
	if s.pos >= len(s.data) {
		return 0, io.ErrUnexpectedEOF
	}
	s.pos++
	return s.data[s.pos-1], nil
}

// width is how long an opcode's argument is, or the number that says how long it is.
func width(op byte) int {
	switch op {
	case opBinInt1, opLong1, opShortBinString, opShortBinUnicode, opShortBinBytes, opBinGet, opBinPut:
		return 1
	case opBinInt2:
		return 2
	case opBinFloat, opBinUnicode8, opBinBytes8, opByteArray8:
		return 8
	}
	return 4
}

// uint reads an unsigned number of width bytes, the least first.
func (s *scanner) uint(width int) (uint64, error) {
	p, err := s.take(uint64(width))
	n := uint64(0)
	for i := len(p) - 1; i >= 0; i-- {
		n = n<<8 | uint64(p[i])
	}
	return n, err
}

// take returns the next n bytes, which share memory with the data.
func (s *scanner) take(n uint64) ([]byte, error) {
	if n > uint64(len(s.data)-s.pos) {
		return nil, io.ErrUnexpectedEOF
	}
	p := s.data[s.pos : s.pos+int(n) : s.pos+int(n)]
	s.pos += int(n)
	return p, nil
}

// counted returns as many bytes as the number of the given width says that comes before them.
func (s *scanner) counted(width int) ([]byte, error) {
	n, err := s.uint(width)
	if err != nil {
		return nil, err
	}
	return s.take(n)
}

// line returns the bytes up to the next line feed, without it.
func (s *scanner) line() ([]byte, error) {
	i := bytes.IndexByte(s.data[s.pos:], '\n')
	if i < 0 {
		return nil, io.ErrUnexpectedEOF
	}
	p := s.data[s.pos : s.pos+i]
	s.pos += i + 1
	return p, nil
}
