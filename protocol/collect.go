package protocol

import (
	"runtime"
	"sync"
	"time"
)

// Objects the peer hands over as arguments are given back when the garbage collector finds that the handler did not
// keep them. A program that allocates little may not collect for minutes, while the peer keeps its objects alive: so
// the collector is asked to run soon after a handler that was given objects has returned. After a collection there is
// a pause of fifty times as long as it took, but of half a second at most: with a small heap collecting takes a
// fiftieth of the time, with one of gigabytes more than half of it.

var collector struct {
	sync.Mutex
	asked  bool // somebody asked since the last collection began
	active bool // the goroutine runs
}

const (
	collectDelay = 5 * time.Millisecond  // time for more to be asked for
	collectPause = 40 * time.Millisecond // between two collections at least
	collectShare = 50                    // pause as a multiple of what the collection took
	collectLimit = time.Second / 2       // pause at most: what it took may have been waiting for a processor
)

// CollectSoon has the garbage collector run within a moment, unless it has run a moment ago. Connections ask for it by
// themselves when a handler has returned that may have dropped objects of the peer; a program asks when it has dropped
// such objects elsewhere, or objects whose end it wants to learn of by runtime.AddCleanup. It does not block.
func CollectSoon() {
	collector.Lock()
	defer collector.Unlock()
	collector.asked = true
	if !collector.active {
		collector.active = true
		go collect()
	}
}

func collect() {
	for {
		time.Sleep(collectDelay)
		collector.Lock()
		if !collector.asked {
			collector.active = false
			collector.Unlock()
			return
		}
		collector.asked = false
		collector.Unlock()
		start := time.Now()
		runtime.GC()
		took := time.Since(start)
		time.Sleep(min(max(collectPause, collectShare*took), collectLimit))
	}
}
