package protocol

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// TestLoansAreWhereCopiesWouldBe sends messages with long byte strings over a connection that lends them, and over one
// that does not because its messages are traced.
func TestLoansAreWhereCopiesWouldBe(t *testing.T) {
	long := bytes.Repeat([]byte("0123456789abcdef"), lendMin/16)
	longer := bytes.Repeat([]byte("ABC"), lendMin)
	object := &struct{ X int }{}
	for name, args := range map[string][]any{
		"alone":              {long},
		"short":              {long[1:]},
		"first":              {long, "x", 1},
		"last":               {"x", 1, longer},
		"two":                {long, longer},
		"in a tuple":         {1, brine.Tuple{2, brine.Tuple{longer, nil}}},
		"in a set":           {brine.FrozenSet{longer, 1}},
		"in a set and again": {brine.Tuple{brine.FrozenSet{longer, 1}, object}},
		"beside an object":   {object, long, object},
		"before an object":   {brine.Tuple{longer, object}, long},
		"after a long text":  {strings.Repeat("x", chunkSize), long},
		"before a long text": {long, strings.Repeat("x", 3*chunkSize)},
		"before a chunk":     {long, strings.Repeat("x", chunkSize-3), nil},
	} {
		t.Run(name, func(t *testing.T) {
			var streams [2]string
			var writes [2]int
			for i, trace := range []io.Writer{nil, io.Discard} {
				synctest.Test(t, func(t *testing.T) {
					v := newValve()
					c := newConn(context.Background(), v, nil, &Config{Dialect: wire.FamilyD, Trace: trace})
					for range 2 {
						require.NoError(t, c.start(context.Background(), &call{c: c}, wire.HandlePing, args))
						c.out.settle()
					}
					streams[i], writes[i] = strings.Join(v.got(), ""), len(v.got())
					c.abort(ErrClosed)
					synctest.Wait()
				})
			}
			require.True(t, streams[0] == streams[1], "what is written with loans and without is not the same")
			if name == "short" || name == "after a long text" {
				require.Equal(t, writes[1], writes[0], "nothing is lent")
			} else {
				require.Greater(t, writes[0], writes[1], "the byte string is lent")
			}
		})
	}
}

// TestCallEndsWhilePeerDoesNotRead ends the context of a call while its byte string is being written to a peer that
// does not read. The caller then uses the memory for something else.
func TestCallEndsWhilePeerDoesNotRead(t *testing.T) {
	l, err := transport.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	t.Run("tcp", func(t *testing.T) {
		near, err := transport.Dial(t.Context(), "tcp", l.Addr().String(), nil)
		require.NoError(t, err)
		far, err := l.Accept()
		require.NoError(t, err)
		endWhileWriting(t, near, far)
	})
	t.Run("pipe", func(t *testing.T) {
		near, far := net.Pipe()
		endWhileWriting(t, near, far)
	})
}

func endWhileWriting(t *testing.T, near, far net.Conn) {
	c, err := NewConn(context.Background(), near, nil, &Config{Dialect: wire.FamilyD})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	data := bytes.Repeat([]byte("x"), 32<<20) // more than the kernel takes
	ended := make(chan error, 1)
	go func() { ended <- c.Request(ctx, nil, wire.HandlePing, data) }()
	header := make([]byte, 5)
	_, err = io.ReadFull(far, header)
	require.NoError(t, err)
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	clear(data)

	message := make([]byte, binary.BigEndian.Uint32(header)+1)
	_, err = io.ReadFull(far, message)
	require.NoError(t, err)
	require.Equal(t, len(data), bytes.Count(message, []byte("x")))

	read := make(chan error, 1)
	go func() {
		_, err := io.ReadFull(far, header)
		read <- errors.Join(err, far.Close())
	}()
	_, err = c.Start(context.Background(), wire.HandlePing, "more") // deadlines are no more
	require.NoError(t, err)
	require.NoError(t, <-read)
	<-c.Done()
}

// TestWhatALoanSaves sends a long byte string: nothing of its length is allocated.
func TestWhatALoanSaves(t *testing.T) {
	c := newConn(context.Background(), newValve(), nil, &Config{Dialect: wire.FamilyD})
	defer c.abort(ErrClosed)
	c.stream = discard{}
	data := make([]byte, 16<<20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 4 {
		p := newCall().(*call)
		p.sync = true
		require.NoError(t, c.start(context.Background(), p, wire.HandlePing, []any{data}))
	}
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(len(data)))
}

// discard is a stream that takes everything.
type discard struct{ io.Reader }

func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) Close() error                { return nil }
