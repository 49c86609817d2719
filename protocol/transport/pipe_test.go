package transport_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol/transport"
)

const pipeBound = 16 << 20

type halfCloser interface{ CloseWrite() error }

func TestPipeCarriesBothWays(t *testing.T) {
	a, b := transport.Pipe()
	for _, ends := range [][2]io.ReadWriteCloser{{a, b}, {b, a}} {
		_, err := ends[0].Write([]byte("hello, world"))
		require.NoError(t, err)
		require.NoError(t, ends[0].(halfCloser).CloseWrite())
		require.NoError(t, iotest.TestReader(ends[1], []byte("hello, world")))
		_, err = ends[0].Write([]byte("x"))
		require.Equal(t, io.ErrClosedPipe, err)
	}
}

func TestPipeClose(t *testing.T) {
	a, b := transport.Pipe()
	_, err := a.Write([]byte("last words"))
	require.NoError(t, err)
	_, err = b.Write([]byte("nobody reads this"))
	require.NoError(t, err)
	require.NoError(t, a.Close())
	require.NoError(t, a.Close())

	got, err := io.ReadAll(b)
	require.NoError(t, err)
	require.Equal(t, "last words", string(got))
	_, err = b.Write([]byte("x"))
	require.Equal(t, io.ErrClosedPipe, err)
	_, err = a.Read(make([]byte, 10))
	require.Equal(t, io.ErrClosedPipe, err)
	_, err = a.Write(nil)
	require.Equal(t, io.ErrClosedPipe, err)
}

// TestPipeBound: writing waits at the bound and not before, and closing either
// end ends the wait.
func TestPipeBound(t *testing.T) {
	for _, how := range []string{"read", "close there", "close here"} {
		synctest.Test(t, func(t *testing.T) {
			a, b := transport.Pipe()
			n, err := a.Write(make([]byte, pipeBound))
			require.NoError(t, err)
			require.Equal(t, pipeBound, n)

			done := make(chan error, 1) // receives the outcome of the write
			go func() {
				n, err := a.Write([]byte("more"))
				if err == nil && n != 4 {
					err = fmt.Errorf("wrote %d bytes", n)
				}
				done <- err
			}()
			synctest.Wait()
			require.Empty(t, done)
			switch how {
			case "read":
				_, err = io.ReadFull(b, make([]byte, 4))
				require.NoError(t, err)
				require.NoError(t, <-done)
				rest := make([]byte, pipeBound)
				_, err = io.ReadFull(b, rest)
				require.NoError(t, err)
				require.Equal(t, "more", string(rest[pipeBound-4:]))
			case "close there":
				require.NoError(t, b.Close())
				require.Equal(t, io.ErrClosedPipe, <-done)
			case "close here":
				require.NoError(t, a.Close())
				require.Equal(t, io.ErrClosedPipe, <-done)
			}
		})
	}
}

func TestPipeCloseInterruptsRead(t *testing.T) {
	for _, own := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			a, b := transport.Pipe()
			done := make(chan error, 1)
			go func() {
				_, err := a.Read(make([]byte, 1))
				done <- err
			}()
			synctest.Wait()
			if own {
				require.NoError(t, a.Close())
				require.Equal(t, io.ErrClosedPipe, <-done)
			} else {
				require.NoError(t, b.Close())
				require.Equal(t, io.EOF, <-done)
			}
		})
	}
}

// TestPipeKeepsOrder pushes random pieces through in both directions at once,
// more than fits.
func TestPipeKeepsOrder(t *testing.T) {
	a, b := transport.Pipe()
	block := make([]byte, 65_521) // a prime, so that no piece looks like another
	for i := range block {
		block[i] = byte(i * i >> 8)
	}
	data := bytes.Repeat(block, 2*pipeBound/len(block))
	var all sync.WaitGroup
	for _, ends := range [][2]io.ReadWriteCloser{{a, b}, {b, a}} {
		all.Go(func() {
			for rest := data; len(rest) > 0; {
				n := min(len(rest), rand.IntN(1<<20))
				if m, err := ends[0].Write(rest[:n]); err != nil || m != n {
					t.Error(m, err)
					return
				}
				rest = rest[n:]
			}
		})
		all.Go(func() {
			got := make([]byte, 0, len(data))
			for len(got) < len(data) {
				n, err := ends[1].Read(got[len(got):min(cap(got), len(got)+rand.IntN(1<<20)+1)])
				if err != nil {
					t.Error(err)
					return
				}
				got = got[:len(got)+n]
			}
			if !bytes.Equal(data, got) {
				t.Error("bytes were mixed up")
			}
		})
	}
	all.Wait()
}

// TestPipeAtItsBound keeps the pipe full while single bytes pass: moving all that
// is unread for each of them would take minutes.
func TestPipeAtItsBound(t *testing.T) {
	a, b := transport.Pipe()
	_, err := a.Write(make([]byte, pipeBound))
	require.NoError(t, err)
	one := []byte{0}
	for range 100_000 {
		_, err = b.Read(one)
		require.NoError(t, err)
		_, err = a.Write(one)
		require.NoError(t, err)
	}
}

func ExamplePipe() {
	a, b := transport.Pipe()
	fmt.Fprint(a, "no goroutine ", "needed")
	a.Close()
	got, err := io.ReadAll(b)
	fmt.Println(string(got), err)
	// Output: no goroutine needed <nil>
}
