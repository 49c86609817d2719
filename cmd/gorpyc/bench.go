package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gorpyc/gorpyc/classic"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// samples are durations; the methods but append need at least one.
type samples []time.Duration

func (s samples) min() time.Duration { return slices.Min(s) }
func (s samples) max() time.Duration { return slices.Max(s) }

func (s samples) mean() time.Duration {
	var sum float64
	for _, d := range s {
		sum += float64(d)
	}
	return time.Duration(sum / float64(len(s)))
}

// percentile is the smallest sample that p percent of all do not exceed. The samples must be sorted.
func (s samples) percentile(p float64) time.Duration {
	return s[max(0, min(len(s)-1, int(float64(len(s))*p/100+0.999999)-1))]
}

// summary is in seconds, as JSON has it.
type summary struct {
	Count   int     `json:"count"`
	Errors  int64   `json:"errors"`
	Rate    float64 `json:"per_second,omitempty"`
	Connect float64 `json:"connect,omitempty"`
	Release string  `json:"release,omitempty"`
	Family  string  `json:"family,omitempty"`
	Min     float64 `json:"min"`
	Mean    float64 `json:"avg"`
	P50     float64 `json:"p50"`
	P90     float64 `json:"p90"`
	P99     float64 `json:"p99"`
	Max     float64 `json:"max"`
	// Histogram has pairs of an upper bound and the number of calls up to it that are above the one before.
	Histogram [][2]float64 `json:"histogram,omitempty"`
}

// bucket is a line of a histogram: calls that took at most upTo, and longer than the line before says.
type bucket struct {
	upTo  time.Duration
	calls int
}

// histogram counts sorted samples up to 1, 2, 5, 10, 20, 50 … of a unit, from the first such bound that is not empty.
func (s samples) histogram() []bucket {
	var all []bucket
	bound, steps := time.Microsecond/10, [3]time.Duration{2, 5, 10}
	for from, step, unit := 0, 0, bound; from < len(s); step++ {
		upTo, _ := slices.BinarySearch(s, bound+1)
		if upTo > from || len(all) > 0 {
			all = append(all, bucket{bound, upTo - from})
		}
		from = upTo
		if bound = unit * steps[step%3]; step%3 == 2 {
			unit = bound
		}
	}
	return all
}

// bars draws a histogram.
func bars(out *printer, list []bucket) {
	most, total := 1, 0
	for _, b := range list {
		most, total = max(most, b.calls), total+b.calls
	}
	const width = 40
	for _, b := range list {
		bar := strings.Repeat("█", (b.calls*width+most-1)/most)
		out.printf("%8v %8d %5.1f%% %s\n", b.upTo, b.calls, 100*float64(b.calls)/float64(total), out.paint.in(blue, bar))
	}
}

func (s samples) summary() summary {
	sorted := slices.Clone(s)
	slices.Sort(sorted)
	return summary{
		Count: len(s), Min: s.min().Seconds(), Mean: s.mean().Seconds(), Max: s.max().Seconds(),
		P50: sorted.percentile(50).Seconds(), P90: sorted.percentile(90).Seconds(), P99: sorted.percentile(99).Seconds(),
	}
}

// rounded leaves a duration as many digits as a person reads.
func rounded(d time.Duration) time.Duration {
	switch {
	case d > time.Second:
		return d.Round(time.Millisecond)
	case d > time.Millisecond:
		return d.Round(time.Microsecond)
	}
	return d.Round(100 * time.Nanosecond)
}

func benchCommand() *cli.Command {
	return &cli.Command{
		Name: "bench", Category: groupMeasure,
		Usage:     "measure how many calls a second a method answers, and how fast",
		ArgsUsage: "[ADDRESS] NAME [ARGUMENT…]",
		Description: `The method is called again and again by --concurrency callers on each of --connections connections, for
--duration or --calls calls. Printed are the rate and the times that 50, 90 and 99 % of the calls did not exceed.
Exceptions are counted; if all calls end so, the first is reported and the status is 1.`,
		Flags: callingFlags(outputFlags(classicFlag(),
			&cli.StringSliceFlag{Name: "kw", Aliases: []string{"k"}, Usage: "keyword argument `NAME=VALUE`; may be repeated"},
			&cli.IntFlag{Name: "connections", Aliases: []string{"n"}, Value: 1, Usage: "`NUMBER` of connections"},
			&cli.IntFlag{Name: "concurrency", Aliases: []string{"c"}, Value: 1, Usage: "`NUMBER` of callers on each connection"},
			&cli.DurationFlag{Name: "duration", Aliases: []string{"d"}, Value: 5 * time.Second,
				Usage: "measure for this `DURATION`"},
			&cli.IntFlag{Name: "calls", Usage: "end after so many `CALLS` in all, if that is sooner"},
			&cli.BoolFlag{Category: groupOutput, Name: "histogram", Aliases: []string{"H"},
				Usage: "show how the times are distributed; with --json, as [up to seconds, calls]"},
			&cli.IntFlag{Name: "warmup", Value: 10, Usage: "`NUMBER` of calls by each caller before measuring"})...),
		Action: runBench,
	}
}

func runBench(c *cli.Context) error {
	t, args, err := targetOf(c)
	if err != nil {
		return err
	}
	if err := want(args, 1, -1, "a method's name"); err != nil {
		return err
	}
	values, err := parseArgs(args[1:], c.StringSlice("kw"))
	if err != nil {
		return err
	}
	connections, concurrency := c.Int("connections"), c.Int("concurrency")
	if connections < 1 || concurrency < 1 || c.Int("calls") < 0 || c.Int("warmup") < 0 || c.Duration("duration") <= 0 {
		return usage("--connections, --concurrency and --duration have to be positive")
	}
	b := &bench{args: values, histogram: c.Bool("histogram"), warmup: c.Int("warmup"), bounded: c.Int("calls") > 0}
	b.left.Store(int64(c.Int("calls")))
	ctx, cancel := context.WithCancel(t.withMetadata(c.Context))
	defer cancel()
	for range connections {
		conn, err := t.dial(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = conn.CloseNow() }()
		s := &session{Conn: conn}
		if c.Bool("classic") {
			s.classic = classic.New(conn)
		}
		o, name, err := s.owner(ctx, args[0])
		if err != nil {
			return err
		}
		for range concurrency {
			b.callers = append(b.callers, &caller{object: o, name: name})
		}
	}
	elapsed := b.run(ctx, c.Duration("duration"))
	return b.print(printerOf(c), elapsed)
}

// bench is a measurement.
type bench struct {
	args    []any
	warmup  int
	bounded bool
	// histogram tells to print one.
	histogram bool
	left      atomic.Int64 // calls that are still to be made, if bounded
	callers   []*caller
}

type caller struct {
	object *netref.Object
	name   string
	times  samples
	errors int64
	err    error // the first exception, or what ended it
}

func (b *bench) run(ctx context.Context, duration time.Duration) time.Duration {
	var ready, done sync.WaitGroup
	var over atomic.Bool
	start := make(chan struct{})
	for _, k := range b.callers {
		ready.Add(1)
		done.Go(func() {
			for range b.warmup {
				if err := k.call(ctx, b.args); err != nil {
					break // the measurement will show it
				}
			}
			ready.Done()
			<-start
			for !over.Load() && (!b.bounded || b.left.Add(-1) >= 0) && k.measure(ctx, b.args) {
			}
		})
	}
	ready.Wait()
	timer := time.AfterFunc(duration, func() { over.Store(true) })
	begun := time.Now()
	close(start)
	done.Wait()
	timer.Stop()
	return time.Since(begun)
}

func (k *caller) call(ctx context.Context, args []any) error {
	if k.name == "" {
		return k.object.CallInto(ctx, nil, args...)
	}
	return k.object.CallMethodInto(ctx, nil, k.name, args...)
}

// measure makes one call and reports whether another is worth while.
func (k *caller) measure(ctx context.Context, args []any) bool {
	begun := time.Now()
	err := k.call(ctx, args)
	if err == nil {
		k.times = append(k.times, time.Since(begun))
		return true
	}
	if ctx.Err() != nil {
		return false
	}
	k.errors++
	if k.err == nil {
		k.err = err
	}
	var remote *vinegar.Error
	return errors.As(err, &remote) && remote.Remote()
}

func (b *bench) print(out *printer, elapsed time.Duration) error {
	var times samples
	var failures int64
	var err error
	for _, k := range b.callers {
		times = append(times, k.times...)
		failures += k.errors
		if k.err != nil && err == nil {
			err = k.err
		}
	}
	var remote *vinegar.Error
	if len(times) > 0 {
		sum := times.summary()
		sum.Errors, sum.Rate = failures, float64(len(times))/elapsed.Seconds()
		slices.Sort(times)
		var histogram []bucket
		if b.histogram {
			histogram = times.histogram()
		}
		if out.json {
			for _, h := range histogram {
				sum.Histogram = append(sum.Histogram, [2]float64{h.upTo.Seconds(), float64(h.calls)})
			}
			_ = out.document(sum)
		} else {
			out.printf("%d calls in %v, %d errors: %.0f calls/s\nmin %v, avg %v, p50 %v, p90 %v, p99 %v, max %v\n", len(times),
				rounded(elapsed), failures,
				sum.Rate, rounded(times[0]), rounded(times.mean()), rounded(times.percentile(50)), rounded(times.percentile(90)),
				rounded(times.percentile(99)), rounded(times[len(times)-1]))
			bars(out, histogram)
		}
		if errors.As(err, &remote) && remote.Remote() {
			err = nil // counted
		}
	}
	if err == nil {
		err = out.err
	}
	return err
}
