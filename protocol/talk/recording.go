package talk

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/gorpyc/gorpyc/protocol/frame"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// FrameLimit bounds what one recorded message may take.
const FrameLimit = 1 << 30

// The directions of a Record.
const (
	FromClient = ">"
	FromServer = "<"
)

// Record is a line of a file that gorpyc tap has written.
type Record struct {
	Conn int     `json:"conn"`          // the number of the connection
	Time float64 `json:"t"`             // seconds since the recording began
	Dir  string  `json:"dir"`           // FromClient or FromServer
	Hex  string  `json:"hex,omitempty"` // the frame
	End  string  `json:"end,omitempty"` // why this side has ended the connection

	Raw     []byte `json:"-"` // the frame's bytes
	Payload []byte `json:"-"` // the message in it
}

// ReadRecords reads a recording. Errors name the line.
func ReadRecords(r io.Reader) ([]Record, error) {
	in := bufio.NewReader(r)
	var all []Record
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			var rec Record
			bad := json.Unmarshal(line, &rec)
			if bad == nil && rec.Dir != FromClient && rec.Dir != FromServer {
				bad = fmt.Errorf("dir is %q", rec.Dir)
			}
			if bad == nil {
				rec.Raw, bad = hex.DecodeString(rec.Hex)
			}
			if bad == nil && rec.End == "" {
				rec.Payload, bad = frame.Read(bytes.NewReader(rec.Raw), FrameLimit)
			}
			if bad != nil {
				return nil, fmt.Errorf("line %d: %w", n, bad)
			}
			all = append(all, rec)
		}
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// ByConnection splits a recording into its connections, in the order in which they began.
func ByConnection(records []Record) [][]Record {
	var order []int
	of := map[int][]Record{}
	for _, r := range records {
		if of[r.Conn] == nil {
			order = append(order, r.Conn)
		}
		of[r.Conn] = append(of[r.Conn], r)
	}
	out := make([][]Record, len(order))
	for i, n := range order {
		out[i] = of[n]
	}
	return out
}

// isDel tells whether a record is a DEL, which depends on its sender's garbage collector.
func (r *Record) isDel() bool { return Of(r.Payload).Is(wire.Request, wire.HandleDel) }
