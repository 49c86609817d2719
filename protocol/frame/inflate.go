package frame

import (
	"bytes"
	"compress/zlib"
	"io"
	"sync"

	"github.com/gorpyc/gorpyc/brine"
)

const (
	// A body whose first countAbove bytes of payload came of less than a countRatio-th of them is inflated without
	// being kept first, to see how long it is: a megabyte can stand for a gigabyte.
	countAbove = 1 << 20
	countRatio = 16
)

// longOnes has a place for each body that is being inflated to more than countAbove. Inflating takes a processor and no
// waiting, so that more at a time would not be faster, and each can be a thousandth of what it becomes.
var longOnes = make(chan struct{}, 4)

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
	if err := f.start(body); err != nil {
		return Buffer{}, &CorruptError{Cause: err}
	}
	return f.payload(body, limit)
}

// start begins to inflate a body.
func (f *inflater) start(body []byte) (err error) {
	f.src.Reset(body)
	if f.z == nil {
		f.z, err = zlib.NewReader(&f.src)
		return err
	}
	return f.z.(zlib.Resetter).Reset(&f.src, nil)
}

// payload reads the stream to its end. Nothing tells how long it will be, so it
// starts in pooled memory and moves on to larger pieces as it turns out longer, and
// then to a place of its length.
func (f *inflater) payload(body []byte, limit int64) (Buffer, error) {
	s := newStore(pooledMax)
	mem, n, long := s.mem, 0, false
	defer func() {
		if s == nil {
			FreeLong(mem)
		}
		if long {
			<-longOnes
		}
	}()
	for {
		m, err := f.z.Read(mem[n:])
		n += m
		if int64(n) > limit {
			return Buffer{}, drop(s, tooLong(int64(n), limit))
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return Buffer{}, drop(s, &CorruptError{Cause: err})
		}
		if n < len(mem) {
			continue
		}
		if n >= countAbove && !long {
			longOnes <- struct{}{}
			long = true
		}
		if n >= countAbove && n/countRatio > len(body)-f.src.Len() {
			return f.counted(body, int64(n), limit)
		}
		// One byte beyond the limit is enough to notice the excess.
		size := int(min(2*int64(n), limit+1))
		bigger := NewLong(size)[:size]
		copy(bigger, mem)
		if s == nil {
			FreeLong(mem)
		} else {
			s.free()
			s = nil
		}
		mem = bigger
	}
	switch {
	case n == 0:
		return Buffer{}, drop(s, nil)
	case s == nil:
		return Buffer{Payload: append(make([]byte, 0, n), mem[:n]...), owned: true}, nil
	case n <= classes[len(classes)-2]: // do not tie up much memory for little
		small := newStore(n)
		copy(small.mem, mem[:n])
		s.free()
		return newBuffer(small, n), nil
	}
	return newBuffer(s, n), nil
}

// counted reads the rest of the stream, of which n bytes have been read, to see how long it is, and then all of it.
func (f *inflater) counted(body []byte, n, limit int64) (Buffer, error) {
	window := newStore(pooledMax)
	defer window.free()
	for err := error(nil); err != io.EOF; {
		var m int
		m, err = f.z.Read(window.mem)
		if n += int64(m); n > limit {
			return Buffer{}, tooLong(n, limit)
		}
		if err != nil && err != io.EOF {
			return Buffer{}, &CorruptError{Cause: err}
		}
	}
	mem := make([]byte, n)
	err := f.start(body)
	if err == nil {
		_, err = io.ReadFull(f.z, mem)
	}
	if err != nil {
		return Buffer{}, &CorruptError{Cause: err}
	}
	return Buffer{Payload: mem, owned: true}, nil
}

func tooLong(n, limit int64) error {
	return &brine.LimitError{What: "inflated length", Got: n, Limit: limit}
}

// drop gives s back, if there is one, and returns err.
func drop(s *store, err error) error {
	if s != nil {
		s.free()
	}
	return err
}
