package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/frame"
	"github.com/gorpyc/gorpyc/protocol/talk"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

func boxedTuple(items ...any) brine.Tuple {
	return brine.Tuple{int64(wire.LabelTuple), append(brine.Tuple{}, items...)}
}

func boxedValue(v any) brine.Tuple { return brine.Tuple{int64(wire.LabelValue), v} }

func request(seq int64, h wire.Handler, args brine.Tuple) talk.Message {
	return talk.Message{Dialect: wire.FamilyD, Kind: wire.Request, Seq: wire.Num(seq), Body: brine.Tuple{int64(h), args}}
}

func reply(seq int64, v brine.Tuple) talk.Message {
	return talk.Message{Dialect: wire.FamilyD, Kind: wire.Reply, Seq: wire.Num(seq), Body: v}
}

// trailed has a message carry metadata.
func trailed(m talk.Message) talk.Message {
	m.Trailer, _ = wire.AppendTrailer(nil, &wire.Trailer{TraceParent: "00-1-2-01", Cancels: []int64{1}})
	return m
}

// The server that a conversation is said to again gives other ids, counts its requests differently, gives back what it
// was given at another time, and hangs up before the client has said its last word.
func TestReplayCallbacks(t *testing.T) {
	local := func(id int64) brine.Tuple {
		return brine.Tuple{int64(wire.LabelLocalRef), brine.Tuple{"m.C", int64(1), id}}
	}
	remote := func(id int64) brine.Tuple {
		return brine.Tuple{int64(wire.LabelRemoteRef), brine.Tuple{"m.C", int64(1), id}}
	}
	none := boxedValue(nil)
	then := []struct {
		dir string
		talk.Message
	}{
		{">", request(0, wire.HandleGetRoot, boxedTuple())},
		{"<", reply(0, remote(100))},
		{">", request(1, wire.HandleInspect, boxedValue(brine.Tuple{brine.Tuple{"m.C", int64(1), int64(100)}}))},
		{"<", reply(1, boxedValue(brine.Tuple{}))},
		{">", trailed(request(2, wire.HandleCall, boxedTuple(local(100), remote(7))))},
		{"<", request(5, wire.HandleDel, boxedTuple(local(7), boxedValue(int64(1))))},
		{">", reply(5, none)},
		{"<", request(6, wire.HandleCall, boxedTuple(local(7), remote(101)))},
		{">", reply(6, local(101))},
		{"<", reply(2, none)},
		{">", request(3, wire.HandleDel, boxedTuple(local(101), boxedValue(int64(1))))},
		{">", request(4, wire.HandleClose, boxedTuple())},
	}
	// what the server of today says (<) and has to hear (>)
	now := []struct {
		dir string
		talk.Message
	}{
		{">", request(0, wire.HandleGetRoot, boxedTuple())},
		{"<", reply(0, remote(200))},
		{">", request(1, wire.HandleInspect, boxedValue(brine.Tuple{brine.Tuple{"m.C", int64(1), int64(200)}}))},
		{"<", reply(1, boxedValue(brine.Tuple{}))},
		{">", trailed(request(2, wire.HandleCall, boxedTuple(local(200), remote(7))))},
		{"<", request(1, wire.HandleCall, boxedTuple(local(7), remote(201)))},
		{">", reply(1, local(201))},
		{"<", request(2, wire.HandleDel, boxedTuple(local(7), boxedValue(int64(1))))},
		{">", reply(2, none)},
		{"<", reply(2, none)},
	}
	path := filepath.Join(t.TempDir(), "file")
	f, err := os.Create(path)
	require.NoError(t, err)
	for _, m := range then {
		payload, err := m.Append()
		require.NoError(t, err)
		raw, err := frame.Append(nil, payload, frame.Compress{})
		require.NoError(t, err)
		require.NoError(t, json.NewEncoder(f).Encode(talk.Record{Conn: 1, Dir: m.dir, Hex: hex.EncodeToString(raw)}))
	}
	require.NoError(t, f.Close())

	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	heard := make(chan error, 1)
	go func() {
		heard <- func() error {
			c, err := l.Accept()
			if err != nil {
				return err
			}
			defer c.Close()
			for _, m := range now {
				payload, err := m.Append()
				if err != nil {
					return err
				}
				if m.dir == "<" {
					err = frame.Write(c, payload)
				} else {
					var got []byte
					if got, err = frame.Read(c, talk.FrameLimit); err == nil {
						if !bytes.Equal(got, payload) {
							return fmt.Errorf("it has said %s", (&wire.Dumper{}).Dump(wire.FamilyD, got))
						}
					}
				}
				if err != nil {
					return err
				}
			}
			return c.(*net.TCPConn).SetLinger(0) // so that writing fails
		}()
	}()
	_, errs, code := gorpyc(t, "", "tap", "replay", path, l.Addr().String(), "--timeout", "20s")
	require.NoError(t, <-heard)
	require.Zero(t, code, errs)
	require.NoError(t, l.Close())
}
