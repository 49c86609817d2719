package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/frame"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

func replayCommand() *cli.Command {
	return &cli.Command{
		Name:      "replay",
		Usage:     "print what tap has written, or say it again",
		ArgsUsage: "FILE [ADDRESS]",
		Description: `Without an address (or --unix, --service), the file is printed as tap has printed it. With one, the
client's messages are sent to the server in their order, each after the server's messages that were before it, and
both are printed. The ids of objects, which the server gives anew, are replaced in what is sent. What the server says is not
compared: diff the output with that of the file.`,
		Flags: connectionFlags(
			&cli.BoolFlag{Name: "times", Category: groupOutput, Usage: "begin lines with the seconds since the start"},
			&cli.IntFlag{Name: "text", Category: groupOutput, Value: 64, Usage: "cut texts after so many `BYTES`"}),
		Action: runReplay,
	}
}

func runReplay(c *cli.Context) error {
	args := c.Args().Slice()
	live := len(args) == 2 || c.String("unix") != "" || c.String("service") != ""
	if len(args) == 0 || len(args) > 2 {
		return usage("want a file and, maybe, an address (try --help)")
	}
	r := &recorder{times: c.Bool("times"), text: c.Int("text"), out: printerOf(c)}
	records, err := readRecords(args[0])
	if err != nil {
		return coded{err, exitFailed}
	}
	if !live {
		for _, rec := range records {
			r.record(rec.record, rec.raw, rec.payload)
		}
		return r.out.err
	}
	t, rest, err := targetFrom(c, args[1:])
	if err != nil {
		return err
	}
	if err := want(rest, 0, 0, "a file and an address"); err != nil {
		return err
	}
	begun := time.Now()
	for len(records) > 0 {
		n := records[0].Conn
		var mine, others []recorded
		for _, rec := range records {
			if rec.Conn == n {
				mine = append(mine, rec)
			} else {
				others = append(others, rec)
			}
		}
		records = others
		if err := replay(c.Context, t, r, mine, begun); err != nil {
			return fmt.Errorf("connection %d: %w", n, err)
		}
	}
	return r.out.err
}

// recorded is a record with its bytes.
type recorded struct {
	record
	raw, payload []byte
}

func readRecords(path string) ([]recorded, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in := bufio.NewReader(f)
	var all []recorded
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			var rec recorded
			bad := json.Unmarshal(line, &rec.record)
			if bad == nil && rec.Dir != ">" && rec.Dir != "<" {
				bad = fmt.Errorf("dir is %q", rec.Dir)
			}
			if bad == nil {
				rec.raw, bad = hex.DecodeString(rec.Hex)
			}
			if bad == nil && rec.End == "" {
				rec.payload, bad = frame.Read(bytes.NewReader(rec.raw), frameLimit)
			}
			if bad != nil {
				return nil, fmt.Errorf("%s:%d: %w", path, n, bad)
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

// replay plays the client's part of one connection.
func replay(ctx context.Context, t *target, r *recorder, frames []recorded, begun time.Time) error {
	c, err := t.open(ctx)
	if err != nil {
		return coded{err, exitConnection}
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	ids := ids{}
	now := func(f recorded) record {
		return record{Conn: f.Conn, Dir: f.Dir, Time: time.Since(begun).Seconds()}
	}
	for _, f := range frames {
		if f.Dir == ">" {
			if f.End != "" {
				r.record(record{Conn: f.Conn, Dir: f.Dir, Time: now(f).Time, End: f.End}, nil, nil)
				if w, ok := c.(interface{ CloseWrite() error }); ok {
					_ = w.CloseWrite()
				}
				continue
			}
			payload := ids.translate(f.payload)
			if err := frame.Write(c, payload); err != nil {
				return coded{err, exitConnection}
			}
			r.record(now(f), nil, payload)
			continue
		}
		if t.timeout > 0 {
			_ = c.SetReadDeadline(time.Now().Add(t.timeout))
		}
		payload, err := frame.Read(c, frameLimit)
		switch {
		case err != nil && ctx.Err() != nil:
			return ctx.Err()
		case err != nil && f.End != "":
			r.record(record{Conn: f.Conn, Dir: f.Dir, Time: now(f).Time, End: "hung up"}, nil, nil)
			continue
		case isTimeout(err):
			return coded{fmt.Errorf("the server has not answered in %v", t.timeout), exitTimeout}
		case err != nil:
			return coded{fmt.Errorf("the server has hung up, where it had not before: %w", err), exitConnection}
		}
		r.record(now(f), nil, payload)
		if f.End == "" {
			ids.learn(f.payload, payload)
		}
	}
	return nil
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// ids maps ids as they were recorded to those that the server gives now.
type ids map[string]brine.Tuple

// split parts a payload into what precedes the brine value and the value: the newest family has a byte there, and peers
// that bind threads name two.
func split(payload []byte) (head []byte, v any, err error) {
	if d, err := wire.Detect(payload); err == nil && d.BindsThreads() {
		n := len(d.AppendThreads(nil, wire.Threads{}))
		head, v, err = split(payload[n:])
		return slices.Concat(payload[:n], head), v, err
	}
	if len(payload) > 0 && payload[0] >= 1 && payload[0] <= 3 {
		head, payload = payload[:1], payload[1:]
	}
	v, err = brine.Unmarshal(payload)
	return head, v, err
}

// learn compares a message of the server as it was with the one that came in its place.
func (m ids) learn(was, is []byte) {
	_, a, errA := split(was)
	_, b, errB := split(is)
	if errA == nil && errB == nil {
		m.compare(a, b)
	}
}

func (m ids) compare(a, b any) {
	was, okA := a.(brine.Tuple)
	is, okB := b.(brine.Tuple)
	if !okA || !okB || len(was) != len(is) {
		return
	}
	if isID(was) && isID(is) {
		m[idKey(was)] = is
		return
	}
	for i := range was {
		m.compare(was[i], is[i])
	}
}

// isID reports whether a tuple is an id pack: the class's name, its id and the object's.
func isID(t brine.Tuple) bool {
	if len(t) != 3 {
		return false
	}
	name, ok := t[0].(string)
	return ok && strings.Contains(name, ".") && isInt(t[1]) && isInt(t[2])
}

func isInt(v any) bool {
	switch v.(type) {
	case int64, *big.Int:
		return true
	}
	return false
}

func idKey(t brine.Tuple) string { return fmt.Sprint(t...) }

// translate puts the server's present ids into a message of the client.
func (m ids) translate(payload []byte) []byte {
	head, v, err := split(payload)
	if err != nil || len(m) == 0 {
		return payload
	}
	out, err := brine.Marshal(m.replace(v))
	if err != nil {
		return payload
	}
	return append(bytes.Clone(head), out...)
}

func (m ids) replace(v any) any {
	t, ok := v.(brine.Tuple)
	if !ok {
		return v
	}
	if isID(t) {
		if now, ok := m[idKey(t)]; ok {
			return now
		}
		return v
	}
	out := make(brine.Tuple, len(t))
	for i, item := range t {
		out[i] = m.replace(item)
	}
	return out
}
