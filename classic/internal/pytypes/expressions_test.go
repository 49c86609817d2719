//go:build unix

package pytypes_test

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/classic/slave"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// outcome is the repr of an expression's value, or its exception as CPython's traceback ends.
func outcome(s *slave.Service, expression string) string {
	ctx := context.Background()
	v, err := s.Eval(ctx, expression)
	if err == nil {
		var text string
		if text, err = exposed.Repr(ctx, v); err == nil {
			return text
		}
	}
	e := vinegar.FromError(err)
	return e.Class.Name() + ": " + e.Message()
}

// TestExpressions evaluates what testdata/record.py has had CPython evaluate.
func TestExpressions(t *testing.T) {
	f, err := os.Open("testdata/expressions.jsonl")
	require.NoError(t, err)
	defer f.Close()
	s := slave.NewService(nil)
	n := 0
	for lines := bufio.NewScanner(f); lines.Scan(); n++ {
		var row [2]string
		require.NoError(t, json.Unmarshal(lines.Bytes(), &row))
		if got := outcome(s, row[0]); got != row[1] {
			t.Errorf("%s\n  CPython: %s\n  ours:    %s", row[0], row[1], got)
		}
	}
	require.Greater(t, n, 2000)
}
