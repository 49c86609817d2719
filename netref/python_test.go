package netref_test

import (
	"context"
	"errors"
	"io"
	"math/big"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
)

// taker takes arguments of the types that Python's objects are converted to.
type taker struct{}

func (taker) Reader(r io.Reader) (string, error) {
	b, err := io.ReadAll(r)
	return string(b), err
}

func (taker) Writer(w io.WriteCloser, text string) error {
	if _, err := io.WriteString(w, text); err != nil {
		return err
	}
	return w.Close()
}

func (taker) Tail(rs io.ReadSeeker, n int64) (string, error) {
	if _, err := rs.Seek(-n, io.SeekEnd); err != nil {
		return "", err
	}
	b, err := io.ReadAll(rs)
	return string(b), err
}

func (taker) Time(t time.Time) string                   { return t.Format(time.RFC3339Nano) }
func (taker) Times(ts []time.Time) int                  { return len(ts) }
func (taker) Duration(d time.Duration) int64            { return d.Microseconds() }
func (taker) Int(n int) int                             { return n }
func (taker) Float(f float64) float64                   { return f }
func (taker) Rat(r *big.Rat) string                     { return r.String() }
func (taker) Addr(a netip.Addr) string                  { return a.String() }
func (taker) Bytes(b []byte) []byte                     { return b }
func (taker) Set(s map[string]bool) int                 { return len(s) }
func (taker) Matrix(m [][]float64) (sum float64)        { return m[0][0] + m[1][1] }
func (taker) Keys(m map[[2]string]int) int              { return m[[2]string{"a", "b"}] }
func (taker) Person(p struct{ Name string }, _ int) any { return p.Name }

func (taker) List() *[]int                  { return &taken }
func (taker) Same(a, b *netref.Object) bool { return a.Is(b) }

var taken []int

func (taker) Nested(ctx context.Context, v any) (string, error) {
	got, err := netref.Fetch(ctx, v)
	if err != nil {
		return "", err
	}
	items, ok := got.(map[any]any)["rows"].([]any)
	if !ok {
		return "", errors.New("no rows")
	}
	return strconv.Itoa(len(items)), nil
}

// TestPythonArguments has a Python client pass its objects to Go handlers; the script asserts what comes back.
func TestPythonArguments(t *testing.T) {
	python := os.Getenv("GORPYC_TEST_PYTHON")
	if python == "" {
		t.Skip("NOT RUN AGAINST CPYTHON: GORPYC_TEST_PYTHON names no Python that has rpyc")
	}
	l, err := transport.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		stream, err := l.Accept()
		if err != nil {
			return
		}
		conn, err := protocol.NewConn(context.Background(), stream, taker{}, nil)
		if err == nil {
			<-conn.Done()
		}
	}()
	_, port, _ := strings.Cut(l.Addr().String(), ":")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, python, "testdata/arguments.py", port).CombinedOutput()
	require.NoError(t, err, "%s", out)
	_ = l.Close()
	<-ended
}
