package script

import (
	"errors"
	"runtime/metrics"
	"sync"
	"time"
)

var errMemory = errors.New("rpyc: the program takes too much memory")

// memoryInterval is how often a program that runs is looked at: an allocation takes longer than that by the time it
// matters.
const memoryInterval = 20 * time.Millisecond

// liveMemory is what the collector found alive when it ran last, for the whole process: Go has no smaller account.
func liveMemory() int64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return int64(sample[0].Value.Uint64())
}

// watchMemory calls exceeded once if the process grows beyond the limit, until stop is called.
func (e *Evaluator) watchMemory(exceeded func()) (stop func()) {
	var mu sync.Mutex
	var timer *time.Timer
	ended := false
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(memoryInterval, func() {
		mu.Lock()
		defer mu.Unlock()
		if ended {
			return
		}
		live := liveMemory()
		before := e.before.Load()
		if live < before { // what others had has been collected since
			e.before.CompareAndSwap(before, live)
		}
		if live-before > e.limits.Memory {
			exceeded()
			return
		}
		timer.Reset(memoryInterval)
	})
	return func() {
		mu.Lock()
		defer mu.Unlock()
		ended = true
		timer.Stop()
	}
}
