package main

import (
	"context"
	"time"

	"github.com/gorpyc/gorpyc/protocol/transport/pause"
	"github.com/urfave/cli/v2"
)

const groupMeasure = "Measuring and listening in"

func pingCommand() *cli.Command {
	return &cli.Command{
		Name: "ping", Category: groupMeasure,
		Usage:     "measure the round trips of RPyC's ping",
		ArgsUsage: "[ADDRESS]",
		Description: `What the other end runs, a line for each ping, and their minimum, mean and maximum. Ctrl-C ends it
early, with the summary. A lost ping ends it with status 4.`,
		Flags: connectionFlags(
			&cli.IntFlag{Name: "count", Aliases: []string{"c"}, Value: 4, Usage: "`NUMBER` of pings; 0 is without end"},
			&cli.DurationFlag{Name: "interval", Aliases: []string{"i"}, Value: time.Second,
				Usage: "pause for this `DURATION` between two pings"},
			&cli.BoolFlag{Category: groupOutput, Name: "json", Usage: "print a summary as JSON"}),
		Action: func(c *cli.Context) error {
			if c.Int("count") < 0 || c.Duration("interval") < 0 {
				return usage("--count and --interval cannot be negative")
			}
			t, args, err := targetOf(c)
			if err != nil {
				return err
			}
			if err := want(args, 0, 0, "no further arguments"); err != nil {
				return err
			}
			begun := time.Now()
			conn, err := t.dial(c.Context)
			if err != nil {
				return err
			}
			s := &session{Conn: conn, out: printerOf(c)}
			defer func() { _ = s.CloseNow() }()
			connecting := time.Since(begun)
			if !s.out.json {
				p := conn.Peer()
				s.out.printf("connected to %v in %v: %s (family %v)\n", t, rounded(connecting), p.Release(), p.Family.Family())
			}
			return s.ping(c.Context, c.Int("count"), c.Duration("interval"), t.timeout, connecting)
		},
	}
}

func (s *session) ping(ctx context.Context, count int, interval, timeout, connecting time.Duration) error {
	var times samples
	var failed error
	for n := 1; count == 0 || n <= count; n++ {
		bounded, cancel := ctx, context.CancelFunc(func() {})
		if timeout > 0 {
			bounded, cancel = context.WithTimeout(ctx, timeout)
		}
		d, err := s.Ping(bounded)
		cancel()
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			failed = err
			break
		}
		times = append(times, d)
		if !s.out.json {
			s.out.printf("ping %d: %v\n", n, rounded(d))
		}
		if n == count || pause.For(ctx, interval) != nil {
			break
		}
	}
	if len(times) > 0 {
		sum := times.summary()
		if s.out.json {
			p := s.Peer()
			sum.Connect, sum.Release, sum.Family = connecting.Seconds(), p.Release(), p.Family.Family().String()
			_ = s.out.document(sum)
		} else {
			s.out.printf("%d pings, min %v, avg %v, max %v\n", len(times), rounded(times.min()), rounded(times.mean()),
				rounded(times.max()))
		}
	}
	if failed == nil {
		failed = s.out.err
	}
	return failed
}
