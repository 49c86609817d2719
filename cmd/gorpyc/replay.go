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
	"net"
	"os"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gorpyc/gorpyc/cmd/internal/talk"
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
both are printed. What the server chooses anew (ids of objects, numbers of its calls back, its threads) is replaced in
what is sent. When the server gives references back (DEL) is a matter of its garbage collector: that is answered when
it comes, and not waited for. What the server says is not compared: diff the output with that of the file.`,
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
	p := &player{Conn: c, recorder: r, conn: frames[0].Conn, begun: begun, timeout: t.timeout, script: newTranslation()}
	expected := 0 // the server's messages that are still waited for
	for _, f := range frames {
		if f.expected() {
			expected++
		}
	}
	for _, f := range frames {
		switch {
		case f.Dir == ">" && f.End != "":
			p.note(">", f.End, nil)
			if w, ok := c.(interface{ CloseWrite() error }); ok {
				_ = w.CloseWrite()
			}
		case f.Dir == ">":
			// a server that has said all it had to say may have hung up by now, as it may have done then
			if err = p.say(f.payload); expected == 0 {
				err = nil
			}
		case f.End != "":
			err = p.listenToEnd()
		case f.expected():
			expected--
			err = p.listenFor(f.payload)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var known coded
		switch {
		case errors.As(err, &known):
			return err
		case isTimeout(err):
			return coded{fmt.Errorf("the server has not hung up in %v", t.timeout), exitTimeout}
		case err != nil:
			return coded{err, exitConnection}
		}
	}
	return nil
}

// expected reports whether a message of the server's has to come again.
func (r *recorded) expected() bool {
	return r.Dir == "<" && r.End == "" && !talk.Of(r.payload).Is(wire.Request, wire.HandleDel)
}

// player says the client's part of a recorded conversation to a server.
type player struct {
	net.Conn
	*recorder
	conn    int
	begun   time.Time
	timeout time.Duration
	script  *translation
	early   [][]byte // what the server has said that is not yet waited for
}

const maxEarly = 10_000 // messages

func (p *player) note(dir, end string, payload []byte) {
	p.record(record{Conn: p.conn, Dir: dir, Time: time.Since(p.begun).Seconds(), End: end}, nil, payload)
}

// say sends a message of the client's, unless it answers a DEL, which say or listen have done when it came.
func (p *player) say(was []byte) error {
	payload := p.script.translate(was)
	if payload == nil {
		return nil
	}
	err := frame.Write(p, payload)
	if err == nil {
		p.note(">", "", payload)
	}
	return err
}

// listen gives the server's next message that is no DEL.
func (p *player) listen() ([]byte, error) {
	for {
		if p.timeout > 0 {
			_ = p.SetReadDeadline(time.Now().Add(p.timeout))
		}
		payload, err := frame.Read(p, frameLimit)
		if err != nil {
			return nil, err
		}
		p.note("<", "", payload)
		m := talk.Of(payload)
		if !m.Is(wire.Request, wire.HandleDel) {
			return payload, nil
		}
		answer := p.script.none(m)
		if err := frame.Write(p, answer); err == nil { // it need not listen
			p.note(">", "", answer)
		}
	}
}

// listenFor waits for the message that comes in the place of one recorded.
func (p *player) listenFor(was []byte) error {
	for i := 0; ; i++ {
		if i == len(p.early) {
			payload, err := p.listen()
			switch {
			case isTimeout(err):
				m := talk.Of(was)
				return coded{fmt.Errorf("the server has not said this in %v: %s", p.timeout,
					(&wire.Dumper{}).Dump(m.Dialect, was)), exitTimeout}
			case err != nil:
				return fmt.Errorf("the server has hung up, where it had not before: %w", err)
			case i == maxEarly:
				return errors.New("the server says other things than it had said")
			}
			p.early = append(p.early, payload)
		}
		if p.script.learn(was, p.early[i]) {
			p.early = slices.Delete(p.early, i, i+1)
			return nil
		}
	}
}

func (p *player) listenToEnd() error {
	for {
		if _, err := p.listen(); isTimeout(err) {
			return err
		} else if err != nil {
			p.note("<", "hung up", nil)
			return nil
		}
	}
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}
