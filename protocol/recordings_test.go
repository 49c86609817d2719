package protocol_test

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// step is one line of a recording.
type step struct {
	Dir   string // c2s or s2c
	Hex   string // a frame
	Event string // eof: that side has closed
	frame []byte
}

type recording struct {
	name  string
	meta  struct{ Scenario, Server, Client, Kind string }
	steps []step
}

func loadRecordings(t *testing.T) []recording {
	t.Helper()
	files, err := filepath.Glob("testdata/transcripts/*.jsonl")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var rs []recording
	for _, file := range files {
		f, err := os.Open(file)
		require.NoError(t, err)
		r := recording{name: filepath.Base(file[:len(file)-len(".jsonl")])}
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		require.True(t, lines.Scan())
		require.NoError(t, json.Unmarshal(lines.Bytes(), &r.meta))
		for lines.Scan() {
			var s step
			require.NoError(t, json.Unmarshal(lines.Bytes(), &s))
			s.frame, err = hex.DecodeString(s.Hex)
			require.NoError(t, err)
			r.steps = append(r.steps, s)
		}
		require.NoError(t, lines.Err())
		_ = f.Close()
		rs = append(rs, r)
	}
	return rs
}
