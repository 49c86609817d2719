// Package measure is what the clients and servers of the benchmark are made with, in whichever module they are. They
// are processes that are asked for measurements by lines of JSON.
package measure

import (
	"errors"
	"math/bits"
	"os"
	"runtime"
	"sync"
	"time"
)

// Job is one measurement that a client is asked for.
type Job struct {
	Mode    string  `json:"mode"`
	Host    string  `json:"host"`
	Port    int     `json:"port"`
	PID     int     `json:"pid"`     // of the server
	Seconds float64 `json:"seconds"` // how long to measure
	Warm    float64 `json:"warm"`    // seconds before that
	N       int     `json:"n"`       // if not 0, measure so many operations instead
	Size    int     `json:"size"`    // bytes, for modes that move them
}

// Sample is what came out of it. Times are in microseconds, CPU times per operation.
type Sample struct {
	N         int     `json:"n"`
	Seconds   float64 `json:"seconds"`
	Mean      float64 `json:"mean_us"`
	P50       float64 `json:"p50_us"` // 0 where operations overlap in one loop
	P99       float64 `json:"p99_us"`
	ClientCPU float64 `json:"client_cpu_us"`
	ServerCPU float64 `json:"server_cpu_us"`
	Bytes     float64 `json:"bytes,omitempty"` // of memory for each connection, in the mode idle
	Forced    int     `json:"forced"`          // collections of garbage that were forced at the server, where it tells
	Err       string  `json:"err,omitempty"`
}

// Rate is in operations per second.
func (s Sample) Rate() float64 { return float64(s.N) / s.Seconds }

// CPU is in microseconds per operation, of both sides.
func (s Sample) CPU() float64 { return s.ClientCPU + s.ServerCPU }

// Step is one turn of a loop and tells how many operations it finished.
type Step func() (int, error)

// Once makes a step of a single operation.
func Once(op func() error) Step {
	return func() (int, error) { return 1, op() }
}

// Measure runs the steps, each in a loop of its own, at first unmeasured.
func (j Job) Measure(steps ...Step) (Sample, error) {
	runtime.GC()
	warm := j
	warm.Seconds, warm.N = j.Warm, min(j.N, 2)
	if _, err := warm.loops(steps); err != nil {
		return Sample{}, err
	}
	client, server := CPUTime(os.Getpid()), CPUTime(j.PID)
	start := time.Now()
	t, err := j.loops(steps)
	took := time.Since(start)
	client, server = CPUTime(os.Getpid())-client, CPUTime(j.PID)-server
	if err != nil {
		return Sample{}, err
	}
	if t.n == 0 {
		return Sample{}, errors.New("nothing finished in time")
	}
	n := float64(t.n)
	s := Sample{N: t.n, Seconds: took.Seconds(), ClientCPU: micros(client) / n, ServerCPU: micros(server) / n}
	s.Mean = s.Seconds * 1e6 / n
	if t.steps == t.n {
		s.Mean = micros(t.sum) / n
		s.P50, s.P99 = t.quantile(0.50), t.quantile(0.99)
	}
	return s, nil
}

func micros(d time.Duration) float64 { return float64(d) / 1e3 }

func (j Job) loops(steps []Step) (*tally, error) {
	if len(steps) == 1 {
		t := new(tally)
		return t, j.loop(steps[0], t)
	}
	tallies := make([]tally, min(len(steps), 64)) // thousands would not fit into a cache
	errs := make([]error, len(steps))
	var wg sync.WaitGroup
	for i, s := range steps {
		wg.Go(func() { errs[i] = j.loop(s, &tallies[i%len(tallies)]) })
	}
	wg.Wait()
	for i := range tallies[1:] {
		tallies[0].add(&tallies[i+1])
	}
	return &tallies[0], errors.Join(errs...)
}

func (j Job) loop(s Step, t *tally) error {
	last := time.Now()
	end := last.Add(time.Duration(j.Seconds * float64(time.Second)))
	for i := 1; ; i++ {
		n, err := s()
		if err != nil {
			return err
		}
		now := time.Now()
		t.record(now.Sub(last), n)
		last = now
		if j.N > 0 && i >= j.N || j.N == 0 && now.After(end) {
			return nil
		}
	}
}

// tally counts steps, and their durations in buckets less than 2 % wide, so that measuring allocates nothing.
type tally struct {
	mu       sync.Mutex
	n, steps int
	sum      time.Duration
	buckets  [64 << subBits]uint32
}

const subBits = 6

func (t *tally) record(d time.Duration, n int) {
	t.mu.Lock()
	t.n += n
	t.steps++
	t.sum += d
	t.buckets[bucket(uint64(d))]++
	t.mu.Unlock()
}

// bucket is a number's length in bits followed by the bits after the first.
func bucket(v uint64) int {
	if v < 1<<subBits {
		return int(v)
	}
	length := bits.Len64(v) - subBits
	return length<<subBits + int(v>>(length-1))&(1<<subBits-1)
}

// bucketStart is the smallest number in a bucket.
func bucketStart(b int) uint64 {
	if b < 1<<subBits {
		return uint64(b)
	}
	length := b >> subBits
	return (1<<subBits | uint64(b)&(1<<subBits-1)) << (length - 1)
}

func (t *tally) add(o *tally) {
	t.n += o.n
	t.steps += o.steps
	t.sum += o.sum
	for i, n := range o.buckets {
		t.buckets[i] += n
	}
}

// quantile is in microseconds.
func (t *tally) quantile(q float64) float64 {
	left := int(q * float64(t.steps))
	for b, n := range t.buckets {
		if left < int(n) {
			return float64(bucketStart(b)) / 1e3
		}
		left -= int(n)
	}
	return 0
}
