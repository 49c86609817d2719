package netref

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// File lets Go use a file-like object of the peer: one with a read, write, close, seek or flush method, as those that
// open(), io.BytesIO or a socket's makefile() return. Each method calls the object's method of that name; one that the
// object has not, or that may not be read, is an error of class AttributeError when it is called.
//
// Binary and text files do both: what a text file reads is handed on in UTF-8, and what is written to it must be UTF-8.
// A File is not safe for concurrent use.
type File struct {
	ctx  context.Context
	o    *Object
	rest []byte // read and not handed on
	text bool   // the file is known to want str
}

var (
	_ io.ReadWriteSeeker = (*File)(nil)
	_ io.Closer          = (*File)(nil)

	fileType = reflect.TypeFor[*File]()
)

// NewFile makes a File of o. ctx bounds all its calls, and must be a handler's if one uses the file.
func NewFile(ctx context.Context, o *Object) *File { return &File{ctx: ctx, o: o} }

// Object is the handle on the file-like object.
func (f *File) Object() *Object { return f.o }

// Read implements io.Reader by read(len(p)). It returns io.EOF when that returns nothing.
func (f *File) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if len(f.rest) == 0 {
		v, err := f.o.CallMethod(f.ctx, "read", len(p))
		if err != nil {
			return 0, err
		}
		switch v := v.(type) {
		case nil: // nothing at the moment
			return 0, nil
		case string:
			f.text, f.rest = true, []byte(v)
		case []byte:
			f.rest = v
		default:
			if f.rest, err = As[[]byte](f.ctx, v); err != nil {
				return 0, named("read", err)
			}
		}
		if len(f.rest) == 0 {
			return 0, io.EOF
		}
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

// Write implements io.Writer by write(p), with a str if the file refuses bytes.
func (f *File) Write(p []byte) (int, error) {
	if !f.text {
		v, err := f.o.CallMethod(f.ctx, "write", p)
		if err == nil {
			if n, ok := v.(int64); ok && n >= 0 && n < int64(len(p)) {
				return int(n), io.ErrShortWrite
			}
			return len(p), nil
		}
		if !errors.Is(err, vinegar.TypeError) || !utf8.Valid(p) {
			return 0, err
		}
	}
	if !utf8.Valid(p) {
		return 0, fmt.Errorf("netref: a text file is written UTF-8: %w", errors.ErrUnsupported)
	}
	if _, err := f.o.CallMethod(f.ctx, "write", string(p)); err != nil {
		return 0, err
	}
	f.text = true
	return len(p), nil
}

// Seek implements io.Seeker by seek(offset, whence).
func (f *File) Seek(offset int64, whence int) (int64, error) {
	if whence == io.SeekCurrent {
		offset -= int64(len(f.rest))
	}
	n, err := Call[int64](f.ctx, f.o, "seek", offset, whence)
	if err == nil {
		f.rest = nil
	}
	return n, err
}

// Flush calls flush().
func (f *File) Flush() error { return f.o.CallMethodInto(f.ctx, nil, "flush") }

// Close implements io.Closer by close().
func (f *File) Close() error { return f.o.CallMethodInto(f.ctx, nil, "close") }
