package frame

import (
	"bytes"
	"compress/zlib"
	"io"
	"sync"

	"github.com/gorpyc/gorpyc/brine"
)

// inflater is a zlib reader that is used again and again: a fresh one costs some
// 40 KiB.
type inflater struct {
	src bytes.Reader
	z   io.ReadCloser
}

var inflaters sync.Pool

// inflate returns the payload of a compressed body. Bytes
// behind the end of the zlib stream are ignored.
func inflate(body []byte, limit int64) (Buffer, error) {
	f, _ := inflaters.Get().(*inflater)
	if f == nil {
		f = new(inflater)
	}
	defer func() {
		f.src.Reset(nil) // the pool must not keep the body alive
		inflaters.Put(f)
	}()
	f.src.Reset(body)
	var err error
	if f.z == nil {
		f.z, err = zlib.NewReader(&f.src)
	} else {
		err = f.z.(zlib.Resetter).Reset(&f.src, nil)
	}
	if err != nil {
		return Buffer{}, &CorruptError{Cause: err}
	}
	return f.payload(limit)
}

// payload reads the stream to its end. Nothing tells how long it will be, so it
// starts in pooled memory and moves on to larger pieces as it turns out longer.
func (f *inflater) payload(limit int64) (Buffer, error) {
	s := newStore(pooledMax)
	mem, n := s.mem, 0
	for {
		m, err := f.z.Read(mem[n:])
		n += m
		if int64(n) > limit {
			err = &brine.LimitError{What: "inflated length", Got: int64(n), Limit: limit}
			return Buffer{}, drop(s, err)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return Buffer{}, drop(s, &CorruptError{Cause: err})
		}
		if n == len(mem) {
			// One byte beyond the limit is enough to notice the excess.
			bigger := min(2*int64(n), limit+1)
			mem = grow(mem, int(bigger))
			if s != nil {
				s.free()
				s = nil
			}
		}
	}
	switch {
	case n == 0:
		return Buffer{}, drop(s, nil)
	case s == nil:
		return Buffer{Payload: mem[:n:n], owned: true}, nil
	case n <= classes[len(classes)-2]: // do not tie up much memory for little
		small := newStore(n)
		copy(small.mem, mem[:n])
		s.free()
		return newBuffer(small, n), nil
	}
	return newBuffer(s, n), nil
}

// drop gives s back, if there is one, and returns err.
func drop(s *store, err error) error {
	if s != nil {
		s.free()
	}
	return err
}
