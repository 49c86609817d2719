package classic_test

import (
	"context"
	"net"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/pickle"
)

// arrays hands out arrays: rows of 0 to 5, in both orders of memory, a vector, a number, and others' types.
type arrays struct{}

func (arrays) Matrix() (*pickle.Array, error) {
	return pickle.NewArray([]float64{0, 1, 2, 3, 4, 5}, 2, 3)
}
func (arrays) Fortran() (*pickle.Array, error) {
	a, err := pickle.NewArray([]float64{0, 3, 1, 4, 2, 5}, 2, 3)
	a.Fortran = true
	return a, err
}
func (arrays) Vector() (*pickle.Array, error)  { return pickle.NewArray([]int32{5, 6, 7}) }
func (arrays) Complex() (*pickle.Array, error) { return pickle.NewArray([]complex128{1 + 2i}) }
func (arrays) Number() *pickle.Array           { return &pickle.Array{DType: "<f8", Data: make([]byte, 8)} }
func (arrays) Empty() *pickle.Array            { return &pickle.Array{DType: "<f8", Shape: []int{0, 3}} }
func (arrays) Records() *pickle.Array {
	return &pickle.Array{DType: "|V4", Shape: []int{2}, Data: []byte{1, 0, 2, 3, 4, 0, 5, 6}, Fields: []pickle.Field{
		{Name: "a", Layout: pickle.Layout{DType: "<u2"}},
		{Name: "b", Offset: 2, Layout: pickle.Layout{DType: "|u1", Shape: []int{2}}}}}
}
func (arrays) Kept(v *netref.Object) (any, error) { // what a service does that keeps copies of what clients send
	return netref.Obtain[any](context.Background(), v)
}
func (arrays) Samples() *samples { return &samples{[]int{1, 2, 3}} }
func (arrays) Given(f func(*pickle.Array) (float64, error)) (float64, error) {
	a, err := arrays{}.Matrix()
	if err != nil {
		return 0, err
	}
	return f(a)
}

// samples is a type of the user's that numpy takes for an array.
type samples struct{ of []int }

func (s *samples) PyArray() []int { return s.of }

const usesArrays = `
import sys, numpy as np, rpyc
import rpyc.utils.classic
root = rpyc.connect("127.0.0.1", int(sys.argv[1]), config={"allow_pickle": True}).root
matrix = np.arange(6.0).reshape(2, 3)
pairs = [(root.matrix(), matrix), (root.fortran(), matrix), (root.vector(), np.array([5, 6, 7], "i4")),
         (root.complex(), np.array([1+2j])), (root.number(), np.array(0.0)), (root.empty(), np.empty((0, 3)))]
uses = [
    "np.array(a).tolist()", "np.asarray(a).dtype", "np.array(a, dtype='c16').dtype", "np.sum(a)",
    "(np.asarray(a) + 1).tolist()",
    "len(a)", "a.shape", "a.ndim", "a.size", "np.dtype(a.dtype)", "str(a.tolist())", "isinstance(a, np.ndarray)",
    "np.array(a[0]).tolist()", "np.array(a[-1]).tolist()", "a[1][1] if a.ndim == 2 else 0",
    "a[1, 2]", "a[0, 0, 0]", "a[7]", "a[-8]",
    "np.array(a[1:]).tolist()", "np.array(a[::-1]).tolist()", "np.array(a[5:]).shape", "a[1:].shape",
    "[np.array(row).tolist() for row in a]", "a[np.int64(1)] is None", "np.array_equal(a, a)",
    "np.array(a).flags.writeable",
    "np.array(a[:, 1]).tolist()", "np.array(a[:1, ::-1]).tolist()", "np.array(a[..., 1]).tolist()",
    "np.array(a[1, ...]).tolist()",
    "np.array(a[1:, 5:]).shape", "np.array(a[5:, 1]).shape", "a[:, 7]", "a[5:, 7]", "a[:, 1, :]", "a['a']", "a[:, 'a']",
]
records = np.array([(1, (2, 3)), (4, (5, 6))], dtype=[("a", "<u2"), ("b", "u1", (2,))])
uses_of_records = [
    "str(np.array(a))", "np.array(a).dtype", "str(a.dtype)", "np.array(a['a']).tolist()",
    "np.array(a['b'][:, 1]).tolist()",
    "a[1]['a']", "a[1][0]", "np.array(a[0]['b']).tolist()", "len(a[1])", "a[0]['c']", "a['c']", "a[0][7]",
    "[r['a'] for r in a]",
    "str(rpyc.utils.classic.obtain(a[1]))", "rpyc.utils.classic.obtain(a[1]).dtype",
    "type(rpyc.utils.classic.obtain(a[1]))",
]
old = int(rpyc.version.version[0]) < 6
if old: # the __array__ of their proxies takes no dtype
    uses.remove("np.array(a, dtype='c16').dtype")
kept = lambda: {"a": 1, 2: "two", None: (3,), "d": {"x": 4}}
uses_of_dicts = [
    "a['a']", "a[2.0]", "a[None]", "a['d']['x']", "a['z']", "a[[]]", "len(a)", "list(a)", "'a' in a, 'z' in a",
    "[] in a",
    "list(a.items())[:2]", "list(a.keys())", "a.get('z', 5)", "isinstance(a, dict)", "a == {}", "{2: 'two'} == a",
    "str(a)", "a.pop('a'), list(a)", "a.pop('z')", "a.update(b=2) or list(a)", "a.__setitem__('n', 5) or a['n']",
    "a.__delitem__('d') or list(a)", "a.clear() or len(a)", "a.setdefault('s', 6), a['s']", "a.popitem()[0], len(a)",
    "{**a}[2]",
    "sorted(map(str, a.keys() & {'a', 'q'}))", "a.popitem() and a.popitem() and a.update({'d': 1}) or list(a)",
]
def outcome(use, a):
    try:
        return eval(use, {"a": a, "np": np, "rpyc": rpyc})
    except Exception as e:
        return type(e).__name__
wrong = 0
for ours, theirs in pairs + [(root.records(), records)]:
    for use in uses_of_records if theirs is records else uses:
        got, want = outcome(use, ours), outcome(use, theirs)
        if got != want:
            print(use, "of", theirs.tolist(), "gives", got, "and not", want)
            wrong += 1
for use in uses_of_dicts:
    got, want = outcome(use, root.kept(kept())), outcome(use, kept())
    if got != want:
        print(use, "gives", got, "and not", want)
        wrong += 1
samples = np.array(root.samples())
assert samples.tolist() == [1, 2, 3] and samples.dtype == np.int64, samples
assert root.given(lambda a: float(np.array(a).sum())) == 15.0
closed = rpyc.connect("127.0.0.1", int(sys.argv[1]))
try:
    np.array(closed.root.matrix())
    wrong += not old # only RPyC 6 asks the client's own configuration
except ValueError as e: # as with CPython's arrays
    assert "pickling is disabled" in str(e), e
sys.exit(wrong)
`

// TestServedArrays compares what numpy does with arrays of a Go service with what it does with its own.
func TestServedArrays(t *testing.T) {
	python := scientific(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if _, err := protocol.NewConn(t.Context(), c, arrays{}, &protocol.Config{AllowPickle: true,
				Access: exposed.Policy{AllowPublic: true}}); err != nil {
				t.Error(err)
			}
		}
	}()
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	out, err := exec.CommandContext(t.Context(), python, "-c", usesArrays, port).CombinedOutput()
	require.NoError(t, err, "%s", out)
}
