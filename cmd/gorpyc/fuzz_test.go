package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol/frame"
	"github.com/gorpyc/gorpyc/protocol/talk"
)

// FuzzReplay reads a file that tap may have written, prints it, and prepares to say it again: a file from somebody else
// is data like any other.
func FuzzReplay(f *testing.F) {
	line := func(dir, end string, payloads ...string) []byte {
		var file bytes.Buffer
		for _, p := range payloads {
			payload, err := hex.DecodeString(p)
			require.NoError(f, err)
			var raw bytes.Buffer
			require.NoError(f, frame.Write(&raw, payload))
			data, err := json.Marshal(talk.Record{Conn: 1, Dir: dir, End: end, Hex: hex.EncodeToString(raw.Bytes())})
			require.NoError(f, err)
			file.Write(append(data, '\n'))
		}
		return file.Bytes()
	}
	// GETROOT and its answer, as RPyC 6 and 5 send them, and what is neither
	f.Add(bytes.Join([][]byte{line(">", "", "01115011531152511056"), line("<", "", "0211501154120803612e425151")}, nil))
	f.Add(line(">", "", "125150115353", "", "00", "1551ffffffff"))
	f.Add([]byte(`{"conn":1,"dir":">","end":"hung up"}` + "\n" + `{"conn":2,"dir":"<","t":1e308,"hex":"00000000000a"}`))
	f.Add([]byte(`{"conn":-1,"dir":">","hex":"ffffffff01"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "tap")
		require.NoError(t, os.WriteFile(path, data, 0o600))
		records, err := readRecords(path)
		if err != nil {
			return
		}
		var out bytes.Buffer
		r := &recorder{times: true, text: 64, out: &printer{w: &out}}
		script := talk.NewTranslation()
		for i, rec := range records {
			r.record(rec, rec.Raw, rec.Payload)
			if rec.End != "" {
				continue
			}
			next := records[(i+1)%len(records)].Payload
			talk.Of(rec.Payload)
			script.Same(rec.Payload, next)
			script.Translate(rec.Payload)
			script.Learn(rec.Payload, next)
		}
		require.NoError(t, r.out.err)
	})
}
