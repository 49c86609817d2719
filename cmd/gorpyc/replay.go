package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gorpyc/gorpyc/protocol/talk"
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
			r.record(rec, rec.Raw, rec.Payload)
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
	for _, mine := range talk.ByConnection(records) {
		if err := replay(c.Context, t, r, mine, begun); err != nil {
			return fmt.Errorf("connection %d: %w", mine[0].Conn, err)
		}
	}
	return r.out.err
}

func readRecords(path string) ([]talk.Record, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	records, err := talk.ReadRecords(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return records, nil
}

// replay plays the client's part of one connection.
func replay(ctx context.Context, t *target, r *recorder, records []talk.Record, begun time.Time) error {
	c, err := t.open(ctx)
	if err != nil {
		return coded{err, exitConnection}
	}
	defer c.Close()
	p := &talk.Player{Stream: c, Own: talk.FromClient, Timeout: max(t.timeout, 0),
		Note: func(dir, end string, payload []byte) {
			r.record(talk.Record{Conn: records[0].Conn, Dir: dir, Time: time.Since(begun).Seconds(), End: end}, nil, payload)
		}}
	var late *talk.TimeoutError
	switch err := p.Play(ctx, records); {
	case err == nil || ctx.Err() != nil:
		return err
	case errors.As(err, &late):
		return coded{err, exitTimeout}
	default:
		return coded{err, exitConnection}
	}
}
