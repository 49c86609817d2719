package protocol

import (
	"runtime"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"
)

// Objects that the peer hands over as arguments and that the handler did not keep are given back when the garbage
// collector finds that their handles are gone. A program that allocates little may not collect for minutes, while the
// peer keeps its objects alive: so the collector is asked to run soon after a handler has returned that was given
// objects, or got some of its own requests. Arguments that were converted to values need no collection
// (incoming.giveBackCopied).
//
// After a collection there is a pause, of fifty times the processor's time that the collection took, so that it costs a
// fiftieth of one processor however large the heap is. The least pause doubles with each collection that
// frees no handle.
//
// Handles that have survived a collection may be kept for good. While requests are served they are looked at again, but
// after a longer pause, which doubles until the collections cost a thousandth of a processor or come every two minutes,
// as Go's own do.

var collector struct {
	sync.Mutex
	asked  bool // somebody asked since the last collection began
	active bool // the goroutine runs

	generation atomic.Uint64 // counts collections that were asked for
	freed      atomic.Uint64 // counts handles that collections have freed
	keptDue    atomic.Int64  // when handles that have survived may be looked at again, as time.Since(epoch)
	keptPause  time.Duration // until then, from the last collection on; for the goroutine
}

const (
	collectDelay   = 5 * time.Millisecond  // time for more to be asked for
	collectPause   = 40 * time.Millisecond // between two collections at least
	collectShare   = 50                    // pause as a multiple of the processor's time that the collection took
	collectDoubled = 6                     // how often the pause is doubled at most

	keptPauseFirst = time.Second
	keptPauseLast  = 2 * time.Minute
	keptShare      = 1000
)

// CollectSoon has the garbage collector run within a moment, unless it has run a moment ago: collections may cost a
// fiftieth of a processor. Connections ask for it by themselves, unless Config.NoCollect is set, when a handler has
// returned that may have dropped objects of the peer; a program asks when it has dropped such objects elsewhere, or
// objects whose end it wants to learn of by runtime.AddCleanup. It does not block.
func CollectSoon() {
	collector.Lock()
	defer collector.Unlock()
	collector.asked = true
	if !collector.active {
		collector.active = true
		go collect()
	}
}

// collectKept is CollectSoon for when there are only handles that have survived a collection. If it is too early for
// them, the watch on the connection asks again.
func (c *Conn) collectKept() {
	if time.Since(epoch) >= time.Duration(collector.keptDue.Load()) {
		CollectSoon()
	} else if r := &c.reader; r.keptAsked.Load() == 0 {
		r.keptAsked.Store(collector.generation.Load() + 1)
	}
}

// lookForKept tells the watch whether it has to look on for collectKept.
func (r *role) lookForKept() (again bool) {
	asked := r.keptAsked.Load()
	if asked == 0 {
		return false
	}
	if asked == collector.generation.Load()+1 { // there has been no collection since
		if time.Since(epoch) < time.Duration(collector.keptDue.Load()) {
			return true
		}
		CollectSoon()
	}
	r.keptAsked.Store(0)
	return false
}

func collect() {
	idle := 0 // collections in a row that have freed nothing
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

		collector.generation.Add(1)
		freed := collector.freed.Load()
		cost := collectCost()
		pause := max(collectPause, collectShare*cost)
		longest := max(keptPauseFirst, pause, min(keptPauseLast, keptShare*cost))
		collector.keptPause = min(max(keptPauseFirst, pause, 2*collector.keptPause), longest)
		collector.keptDue.Store(int64(time.Since(epoch) + collector.keptPause))

		time.Sleep(max(pause, collectPause<<idle)) // cleanups run meanwhile
		if collector.freed.Load() > freed {
			idle, collector.keptPause = 0, 0
			collector.keptDue.Store(int64(time.Since(epoch) + keptPauseFirst))
		} else {
			idle = min(idle+1, collectDoubled)
		}
	}
}

// collectCost has the garbage collector run and returns how much of the processors' time that took. Tests replace it.
var collectCost = func() time.Duration {
	start, gc, process := time.Now(), collectionTime(), processTime()
	runtime.GC()
	cost := time.Since(start)
	if gc >= 0 {
		cost = collectionTime() - gc
	}
	if process >= 0 { // what Go takes for work of the collector may have been waiting for a processor
		cost = min(cost, processTime()-process)
	}
	return cost
}

// collectionTime is how long garbage collections have kept processors busy so far; negative if that is not known.
func collectionTime() time.Duration {
	sample := []metrics.Sample{{Name: "/cpu/classes/gc/total:cpu-seconds"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindFloat64 {
		return -1
	}
	return time.Duration(sample[0].Value.Float64() * float64(time.Second))
}
