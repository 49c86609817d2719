package exposed

import (
	"context"
	"io"
	"reflect"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/quota"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/reading"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

var (
	readerType = reflect.TypeFor[io.Reader]()
	writerType = reflect.TypeFor[io.Writer]()
	closerType = reflect.TypeFor[io.Closer]()
	seekerType = reflect.TypeFor[io.Seeker]()
)

var _ = showInterface(interfaceFace{
	replaced: func(t reflect.Type) (names []string) {
		pt := reflect.PointerTo(t)
		for name, has := range map[string]bool{
			"Read": pt.Implements(readerType), "Write": pt.Implements(writerType), "Seek": pt.Implements(seekerType),
		} {
			if has {
				names = append(names, name)
			}
		}
		return names
	},
	add: (*Class).addFile,
})

// addFile gives a type that implements interfaces of package io what Python's binary files have.
func (c *Class) addFile(t reflect.Type) {
	pt := reflect.PointerTo(t)
	reads, writes := pt.Implements(readerType), pt.Implements(writerType)
	closes, seeks := pt.Implements(closerType), pt.Implements(seekerType)
	method := func(goName, name string, least, most int, f builtinFunc) {
		if c.omits(goName) || c.private(goName) {
			return
		}
		if !binding.IsSpecial(name) {
			name = DefaultPrefix + name
		}
		if c.own[name] == nil {
			c.method(name, least, most, f)
			c.own[name].exposed = !binding.IsSpecial(name)
		}
	}
	answer := func(goName, name string, v bool) {
		method(goName, name, 0, 0, func(context.Context, any, []any) (any, error) { return v, nil })
	}
	if reads {
		c.addReading(method)
	}
	if writes {
		write := func(self any, v any) (any, error) {
			b, ok := norm(v).([]byte)
			if !ok {
				return nil, vinegar.TypeError.Errorf("a bytes-like object is required, not '%s'", TypeName(v))
			}
			n, err := self.(io.Writer).Write(b)
			return int64(n), err
		}
		method("Write", "write", 1, 1, func(_ context.Context, self any, args []any) (any, error) {
			return write(self, args[0])
		})
		method("Write", "writelines", 1, 1, func(ctx context.Context, self any, args []any) (any, error) {
			for v, err := range Iterate(ctx, args[0]) {
				if err == nil {
					_, err = write(self, v)
				}
				if err != nil {
					return nil, err
				}
			}
			return nil, nil
		})
		method("Write", "flush", 0, 0, func(context.Context, any, []any) (any, error) { return nil, nil })
	}
	if seeks {
		method("Seek", "seek", 1, 2, func(ctx context.Context, self any, args []any) (any, error) {
			at, err := netref.As[int64](ctx, args[0])
			whence := io.SeekStart
			if err == nil && len(args) == 2 {
				whence, err = netref.As[int](ctx, args[1])
			}
			if err != nil {
				return nil, vinegar.TypeError.New("seek() takes integers")
			}
			return self.(io.Seeker).Seek(at, whence)
		})
		method("Seek", "tell", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
			return self.(io.Seeker).Seek(0, io.SeekCurrent)
		})
	}
	if reads || writes {
		answer("Read", "readable", reads)
		answer("Write", "writable", writes)
		answer("Seek", "seekable", seeks)
	}
	if closes && (reads || writes) {
		method("Close", "__enter__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) { return self, nil })
		method("Close", "__exit__", 3, 3, func(_ context.Context, self any, _ []any) (any, error) {
			return nil, self.(io.Closer).Close()
		})
	}
}

// addReading enters what files have for reading: read, read1, readline, readlines and iteration over lines.
func (c *Class) addReading(method func(goName, name string, least, most int, f builtinFunc)) {
	sized := func(name string, f func(r io.Reader, n int) ([]byte, error)) {
		method("Read", name, 0, 1, func(ctx context.Context, self any, args []any) (any, error) {
			n := -1
			if len(args) == 1 && args[0] != nil {
				var err error
				if n, err = netref.As[int](ctx, args[0]); err != nil {
					return nil, vinegar.TypeError.Errorf("argument should be integer or None, not '%s'", TypeName(args[0]))
				}
			}
			return f(self.(io.Reader), n)
		})
	}
	sized("read", reading.Full)
	sized("read1", reading.Once)
	sized("readline", reading.Line)
	next := func(_ context.Context, self any, _ []any) (any, error) {
		line, err := reading.Line(self.(io.Reader), -1)
		return stopIteration(line, len(line) > 0, err)
	}
	method("Read", "__iter__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) { return self, nil })
	method("Read", "__next__", 0, 0, next)
	method("Read", "readlines", 0, 0, func(ctx context.Context, self any, _ []any) (any, error) {
		lines, err := reading.Lines(self.(io.Reader), maxItems)
		if err != nil {
			return nil, err
		}
		return makeList(ctx, len(lines), quota.WeightOf(lines), func() []any { return lines })
	})
}
