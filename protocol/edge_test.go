package protocol_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// edgeCase is a conversation of a probe, which sends malformed or unusual bytes, with an upstream server.
type edgeCase struct {
	ID, Server string
	AliveAfter *bool `json:"alive_after"`
	Log        []step
}

// name tells the case from the one of the same id with another server.
func (e *edgeCase) name() string { return e.ID + "/" + e.Server }

func loadEdgeCases(t testing.TB) []edgeCase {
	t.Helper()
	f, err := os.Open("testdata/edge_cases.jsonl")
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	var cases []edgeCase
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var e edgeCase
		require.NoError(t, json.Unmarshal(lines.Bytes(), &e))
		for i := range e.Log {
			e.Log[i].frame, err = hex.DecodeString(e.Log[i].Hex)
			require.NoError(t, err)
		}
		cases = append(cases, e)
	}
	require.Greater(t, len(cases), 140)
	return cases
}

// TestEdgeCases sends what the probes sent and compares what comes of it: the answers, with the classes of exceptions,
// and whether the connection survives.
func TestEdgeCases(t *testing.T) {
	same, used, skipped := 0, 0, 0
	for _, e := range loadEdgeCases(t) {
		if edgeSkipped[e.name()] != "" {
			skipped++
			continue
		}
		t.Run(e.name(), func(t *testing.T) {
			upstream, ours := runEdgeCase(t, &e)
			if d, ok := edgeDifferences[e.name()]; ok {
				used++
				require.Equal(t, d.ours, strings.Join(ours, "; "), "the difference is listed: %s", d.why)
				require.NotEqual(t, upstream, ours, "the difference is listed but there is none")
				return
			}
			require.Equal(t, upstream, ours)
			same++
		})
	}
	require.Equal(t, len(edgeDifferences), used, "entries of the table that belong to no case")
	require.Equal(t, len(edgeSkipped), skipped, "entries of the table that belong to no case")
	t.Logf("%d cases come out as upstream, %d differ deliberately, %d skipped", same, used, skipped)
}

// runEdgeCase returns what came of each step with the upstream server and with ours.
func runEdgeCase(t *testing.T, e *edgeCase) (upstream, ours []string) {
	d := family("rpyc " + e.Server)
	c, p := scripted(t, newDemo(), &protocol.Config{Dialect: d})
	stop := p.watchdog()
	defer stop()
	r := edgeRun{p: p, rec: &peer{t: t, d: d}, ids: map[string]string{}, seqs: map[string]any{},
		dropped: map[string]bool{}}
	for _, s := range e.Log {
		switch {
		case s.Dir == "c2s":
			r.send(s.frame, e.ID == "byte_by_byte")
			continue
		case s.Event != "":
			if strings.Contains(e.ID, "fin") {
				_ = p.rw.(interface{ CloseWrite() error }).CloseWrite()
			}
			upstream = append(upstream, "end")
			ours = append(ours, r.end())
			continue
		}
		m := r.rec.parse(payloadOf(t, s.frame))
		if m.kind == wire.Request && strings.Contains(m.text, " CLOSE ") {
			// Upstream cannot go on and says CLOSE. Releases before 6 hang up then; 6 waits 30 s for us to do so, and
			// even serves meanwhile, which the probes took for being alive. We hang up.
			_, _ = p.rw.Write(p.encode(wire.Request, "end?", brine.Tuple{int64(wire.HandlePing), tup(val(nil))}))
			return append(upstream, "end"), append(ours, r.end())
		}
		if m.kind == wire.Request && strings.Contains(m.text, " INSPECT ") {
			r.dropped[fmt.Sprint(m.seq)] = true // a Conn never asks for that
			continue
		}
		upstream = append(upstream, outcome(m))
		ours = append(ours, r.counterpart(m))
	}
	if e.AliveAfter != nil && *e.AliveAfter {
		p.alive()
		require.NoError(t, c.Err())
	}
	return upstream, ours
}

var address = regexp.MustCompile(`0x[0-9a-f]+`)

// outcome is what matters of an answer.
func outcome(m message) string {
	switch {
	case m.kind == wire.Exception:
		return excClass(m.body)
	case m.kind == wire.Request:
		_, rest, _ := strings.Cut(m.text, " ")
		_, rest, _ = strings.Cut(rest, " ") // without the sequence number
		return rest
	case len(m.text) > 200: // what DIR lists depends on the interpreter
		return "a long answer"
	}
	return address.ReplaceAllString(m.text, "0x…")
}

// numbers is which object a DEL names, and how often.
func numbers(text string) string { return text[strings.LastIndexAny(text, "#@")+1:] }

type edgeRun struct {
	p       *peer
	rec     *peer             // for the notation of recorded messages
	ids     map[string]string // encoded id packs of the server's objects, ours by recorded
	seqs    map[string]any    // numbers of the server's requests, ours by recorded
	dropped map[string]bool   // requests of the recorded server that ours has no counterpart of
	stash   []message
}

// send sends a frame of the probe, with our id packs in the places of the recorded ones.
func (r *edgeRun) send(frame []byte, bytewise bool) {
	body := bytes.Clone(frame)
	for rec, actual := range r.ids {
		body = bytes.ReplaceAll(body, []byte(rec), []byte(actual))
	}
	if len(body) != len(frame) {
		body = frameOf(body[5 : len(body)-1])
	}
	if answer, err := readPayload(bytes.NewReader(body)); err == nil {
		if kind, seq, _, err := r.p.d.ReadHeader(answer); err == nil && kind != wire.Request {
			if r.dropped[seq.String()] {
				return
			}
			if n, ok := r.seqs[seq.String()].(int64); ok {
				body = frameOf(append(brine.AppendInt(bytes.Clone(answer[:2]), n), answer[2+len(brine.AppendInt(nil, seq.N)):]...))
			}
		}
	}
	for bytewise && len(body) > 1 {
		r.p.write(body[:1])
		body = body[1:]
	}
	r.p.write(body)
}

func (r *edgeRun) end() string {
	if m, err := r.p.read(); err == nil {
		return "goes on with " + m.text
	}
	return "end"
}

// counterpart waits for our answer to the same request, or our request of the same kind.
func (r *edgeRun) counterpart(rec message) string {
	for i := 0; ; i++ {
		if i == len(r.stash) {
			m, err := r.p.read()
			if err != nil {
				return "end"
			}
			r.stash = append(r.stash, m)
		}
		m := r.stash[i]
		isRequest := m.kind == wire.Request
		switch {
		case isRequest != (rec.kind == wire.Request):
			continue
		case !isRequest && fmt.Sprint(m.seq) != fmt.Sprint(rec.seq):
			continue
		case strings.Contains(m.text, " DEL ") && numbers(m.text) != numbers(rec.text):
			continue // handles die in no certain order
		}
		r.stash = append(r.stash[:i], r.stash[i+1:]...)
		if isRequest {
			r.seqs[fmt.Sprint(rec.seq)] = m.seq
		}
		for i, ref := range rec.refs {
			if ref.label == wire.LabelRemoteRef && i < len(m.refs) {
				r.ids[ref.raw] = m.refs[i].raw
			}
		}
		return outcome(m)
	}
}
