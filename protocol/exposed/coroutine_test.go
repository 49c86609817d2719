package exposed_test

import (
	"errors"
	"iter"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// What CPython prints for
//
//	def echo():
//	    got = None
//	    try:
//	        while got != "stop":
//	            try: got = yield got
//	            except KeyError: got = "caught"
//	    finally: log.append("end")
func TestCoroutine(t *testing.T) {
	var log []string
	echo := func(yield func(any) (any, error)) error {
		defer func() { log = append(log, "end") }()
		var got any
		for got != "stop" {
			var err error
			got, err = yield(got)
			switch {
			case errors.Is(err, vinegar.KeyError):
				got = "caught"
			case err != nil:
				return err
			}
		}
		return nil
	}
	call := func(g *exposed.Generator, name string, args ...any) (any, error) {
		return exposed.CallAttr(ctx, allowAll, g, name, exposed.NewArgs(args, nil))
	}

	g := exposed.NewGenerator(echo)
	_, err := call(g, "send", 1)
	require.EqualError(t, err, "TypeError: can't send non-None value to a just-started generator")
	require.Nil(t, must(t)(call(g, "__next__")))
	require.Equal(t, int64(5), must(t)(call(g, "send", 5)))
	require.Nil(t, must(t)(call(g, "__next__")))
	require.Equal(t, "caught", must(t)(call(g, "throw", vinegar.KeyError)))
	require.Empty(t, log)
	_, err = call(g, "send", "stop")
	require.ErrorIs(t, err, vinegar.StopIteration)
	require.Equal(t, []string{"end"}, log)
	_, err = call(g, "send", "more")
	require.ErrorIs(t, err, vinegar.StopIteration)

	g = exposed.NewGenerator(echo)
	require.Nil(t, must(t)(call(g, "__next__")))
	_, err = call(g, "throw", vinegar.ValueError, "thrown")
	require.EqualError(t, err, "ValueError: thrown")
	require.Equal(t, []string{"end", "end"}, log)

	g = exposed.NewGenerator(echo)
	require.Nil(t, must(t)(call(g, "__next__")))
	require.Nil(t, must(t)(call(g, "close")))
	require.Equal(t, []string{"end", "end", "end"}, log)
	_, err = call(g, "throw", 5)
	require.EqualError(t, err, "TypeError: exceptions must be classes or instances deriving from BaseException, not int")
}

// A producer that hears nothing is stopped by what is thrown, as a Python generator that catches nothing is.
func TestThrowAtSeq(t *testing.T) {
	ended := false
	g := exposed.NewGenerator(iter.Seq[int](func(yield func(int) bool) {
		defer func() { ended = true }()
		for i := 0; yield(i); i++ {
		}
	}))
	v, ok, err := g.Send(ctx, nil)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, 0, v)
	v, ok, err = g.Send(ctx, "lost")
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, 1, v)
	_, _, err = g.Throw(ctx, vinegar.ValueError.New("x"))
	require.EqualError(t, err, "ValueError: x")
	require.True(t, ended)
	_, ok, err = g.Send(ctx, nil)
	require.NoError(t, err)
	require.False(t, ok)
}
