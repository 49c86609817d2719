package exposed_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"math/big"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// python runs a script of testdata with the python3 that is installed and returns its lines. Only its absence skips
// the test.
func python(t *testing.T, script string, stdin []byte) []string {
	t.Helper()
	exe, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("NOT COMPARED WITH CPYTHON: there is no python3")
	}
	cmd := exec.Command(exe, "-I", "testdata/"+script)
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	var lines []string
	sc := bufio.NewScanner(bytes.NewReader(out))
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		lines = append(lines, sc.Text())
	}
	return lines
}

// pyValue is a value as the scripts write it.
type pyValue struct {
	T string
	V json.RawMessage
}

func (p pyValue) list(t *testing.T) []any {
	var items []pyValue
	require.NoError(t, json.Unmarshal(p.V, &items))
	out := make([]any, len(items))
	for i, v := range items {
		out[i] = v.value(t)
	}
	return out
}

func (p pyValue) value(t *testing.T) any {
	var s string
	if len(p.V) > 0 && p.V[0] == '"' {
		require.NoError(t, json.Unmarshal(p.V, &s))
	}
	switch p.T {
	case "None":
		return nil
	case "Ellipsis":
		return brine.Ellipsis
	case "NotImplemented":
		return brine.NotImplemented
	case "bool":
		return string(p.V) == "true"
	case "int":
		b, ok := new(big.Int).SetString(s, 10)
		require.True(t, ok)
		if b.IsInt64() {
			return b.Int64()
		}
		return b
	case "float":
		f, err := strconv.ParseFloat(s, 64)
		require.NoError(t, err)
		return f
	case "complex":
		c, err := strconv.ParseComplex(strings.ReplaceAll(s, "j", "i"), 128)
		require.NoError(t, err)
		return c
	case "str":
		return s
	case "bytes":
		var ns []int
		require.NoError(t, json.Unmarshal(p.V, &ns))
		b := make([]byte, len(ns))
		for i, n := range ns {
			b[i] = byte(n)
		}
		return b
	case "slice":
		v := p.list(t)
		return brine.Slice{Start: v[0], Stop: v[1], Step: v[2]}
	case "tuple":
		return brine.Tuple(p.list(t))
	case "frozenset":
		return brine.FrozenSet(p.list(t))
	case "list":
		return exposed.NewList(p.list(t)...)
	case "set":
		s := exposed.NewSet()
		for _, v := range p.list(t) {
			require.NoError(t, s.Add(ctx, v))
		}
		return s
	case "dict":
		var pairs [][2]pyValue
		require.NoError(t, json.Unmarshal(p.V, &pairs))
		d := exposed.NewDict()
		for _, kv := range pairs {
			require.NoError(t, d.Set(ctx, kv[0].value(t), kv[1].value(t)))
		}
		return d
	}
	t.Fatalf("unknown type %q", p.T)
	return nil
}

// errorText is the exception as the scripts write it: class and str().
func errorText(err error) string {
	e := vinegar.FromError(err)
	return e.Class.Name() + ": " + e.Message()
}

// sameOutcome compares with what CPython did. The wording is that of CPython 3.11 and 3.12; with others only the
// class of the exception is compared.
func sameOutcome(t *testing.T, exact bool, want, got string, msg string) {
	t.Helper()
	if !exact {
		want, _, _ = strings.Cut(want, ":")
		got, _, _ = strings.Cut(got, ":")
	}
	if want != got {
		t.Errorf("CPython: %s\nours:    %s\n%s", want, got, msg)
	}
}

func wordingKnown(t *testing.T, line string) bool {
	var v struct{ Version [2]int }
	require.NoError(t, json.Unmarshal([]byte(line), &v))
	return v.Version[0] == 3 && (v.Version[1] == 11 || v.Version[1] == 12)
}

func TestContainersLikeCPython(t *testing.T) { likeCPython(t, "containers.py") }

func TestScalarsLikeCPython(t *testing.T) { likeCPython(t, "scalars.py") }

func likeCPython(t *testing.T, script string) {
	lines := python(t, script, nil)
	exact := wordingKnown(t, lines[0])
	all := &exposed.Policy{AllowAll: true}
	n := 0
	for _, line := range lines[1:] {
		var c struct {
			Target        pyValue
			Method        string
			Args          []pyValue
			Kwargs        [][2]json.RawMessage
			Result, Error *string
			After         string
		}
		require.NoError(t, json.Unmarshal([]byte(line), &c))
		target := c.Target.value(t)
		var args []any
		for _, a := range c.Args {
			args = append(args, a.value(t))
		}
		var kw []netref.Keyword
		for _, k := range c.Kwargs {
			var name string
			var v pyValue
			require.NoError(t, json.Unmarshal(k[0], &name))
			require.NoError(t, json.Unmarshal(k[1], &v))
			kw = append(kw, netref.Kw(name, v.value(t)))
		}
		r, err := exposed.CallAttr(ctx, all, target, c.Method, exposed.NewArgs(args, kw))
		if c.Error != nil {
			if err == nil {
				t.Errorf("CPython: %s\nours:    %v\n%s", *c.Error, r, line)
				continue
			}
			sameOutcome(t, exact, *c.Error, errorText(err), line)
		} else {
			if err != nil {
				t.Errorf("CPython: %s\nours:    %v\n%s", *c.Result, err, line)
				continue
			}
			sameOutcome(t, true, *c.Result, reprOf(t, r), line)
		}
		sameOutcome(t, true, c.After, reprOf(t, target), line)
		n++
	}
	require.Greater(t, n, 500)
}

// reprOf is repr() with the items of a set sorted, as the scripts do it.
func reprOf(t *testing.T, v any) string {
	s, err := exposed.Repr(ctx, v)
	require.NoError(t, err)
	if _, ok := v.(*exposed.Set); ok && s != "set()" {
		items := strings.Split(strings.Trim(s, "{}"), ", ")
		slices.Sort(items)
		return "{" + strings.Join(items, ", ") + "}"
	}
	return s
}
