package protocol

// turns keeps the requests of the peer in order. A request needs a turn to run; there is one, or as many as
// Config.Concurrency says, and requests that have none wait in a queue. A handler that waits for the peer gives its
// turn up, so that what the peer asks in order to answer is served. Afterwards it takes the turn back, before any
// request that has not begun. Where threads are bound, each thread of the peer has a lane, with turns of its own.
type turns struct {
	perLane int              // turns in a lane
	single  lane             // that of all requests, unless threads are bound
	lanes   map[uint64]*lane // those with requests, by the peer's thread; nil if threads are not bound
	queued  int              // requests in the queues of all lanes
	bytes   int64            // the length of these
	came    int              // references to objects of the peer, brought by requests that have not been answered
	running int              // handlers that have begun and not returned, with a turn or without
	waiting int              // handlers that wait for the peer
	opening *incoming        // stands for the root object's OnConnect, while that runs (opening.go)

	looking bool                // lookForStuck will be called (stuck.go)
	lent    map[*call]*incoming // whose turn was given away because of a call

	// Used while this side shuts down (shutdown.go).
	accepted int // requests from before that are not answered yet
	late     int // requests begun since then for handlers that wait

	parked chan<- task // takes a task for the parked goroutine; nil if there is none
}

// lane has the requests that run in order, one for each turn at a time.
type lane struct {
	thread    uint64 // of the peer
	requests  int    // that run or are queued
	freeTurns int
	current   *incoming       // the request that got a turn last; nil if all turns are free
	suspect   suspect         // why its turn may have to be given away
	queue     fifo[*incoming] // requests that have not begun
	resuming  fifo[*incoming] // handlers that want their turn back
}

func (t *turns) init(perLane int) { t.perLane, t.single.freeTurns = perLane, perLane }

// parallel reports whether requests may run at the same time.
func (t *turns) parallel() bool { return t.perLane > 1 || t.lanes != nil }

func (t *turns) idle() bool { return t.running == 0 && t.queued == 0 }

// free reports whether a request is sure to get a turn at once.
func (t *turns) free() bool { return t.lanes == nil && t.single.freeTurns > 0 && !t.held() }

// laneOf finds or makes the lane of a request.
func (t *turns) laneOf(in *incoming) *lane {
	if t.lanes == nil {
		return &t.single
	}
	n := t.lanes[in.thread]
	if n == nil {
		n = &lane{thread: in.thread, freeTurns: t.perLane}
		t.lanes[in.thread] = n
	}
	return n
}

// admit gives a request a turn, or queues it. It reports true if the request has a turn and the caller is to run it,
// which it does only if callerRuns is set; otherwise another goroutine runs it when it has a turn.
func (l locked) admit(in *incoming, callerRuns bool) bool {
	if l.broken {
		return false // nobody waits for its answer
	}
	t := &l.turns
	in.late = l.draining
	in.lane = t.laneOf(in)
	in.lane.requests++
	if in.lane.freeTurns == 0 || t.held() {
		in.lane.queue.push(in)
		t.queued++
		t.bytes += int64(len(in.buf.Payload))
		if t.crowded() {
			l.c.crowded.Store(true)
		}
		if len(l.pending) > 0 {
			l.lookForStuck()
		}
		return false
	}
	in.lane.freeTurns--
	l.begin(in)
	if !callerRuns {
		l.run(in)
	}
	return callerRuns
}

// run gives in, or if it is nil the job of reading, to the parked goroutine, or starts a new one for it.
func (l locked) run(in *incoming) {
	if w := l.turns.parked; w != nil {
		l.turns.parked = nil
		w <- task{in: in}
		return
	}
	go l.c.serve(in)
}

// begin notes that a request has got its turn and begins. If too many have begun it is to be refused.
func (l locked) begin(in *incoming) {
	t := &l.turns
	t.running++
	in.lane.current = in
	in.hasTurn = true
	in.firstSeq = l.c.seq.Load()
	in.excess = t.running > l.c.cfg.Limits.Running || !l.coverRunning(t.running)
}

// crowded reports whether so much is queued that the reader has to consider whether to read on.
func (t *turns) crowded() bool { return t.queued > crowd || t.bytes > crowdBytes }

const (
	crowd      = 1024     // requests
	crowdBytes = 64 << 20 // of theirs
)

// pass hands a turn of the lane to a handler that wants it back, or else to the next queued request, which it returns
// for the caller to run; otherwise the turn is free.
func (l locked) pass(n *lane) *incoming {
	for in, ok := n.resuming.pop(); ok; in, ok = n.resuming.pop() {
		in.goOn()
		if !in.finished && in.waits == 0 { // otherwise the last of its goroutines to go on takes the turn back
			in.hasTurn = true
			n.current = in
			return nil
		}
	}
	if in := l.beginNext(n); in != nil {
		return in
	}
	n.freeTurns++
	n.current = nil
	return nil
}

// beginNext gives a turn of the lane to the next queued request and returns that; nil if there is none that may begin.
func (l locked) beginNext(n *lane) *incoming {
	t := &l.turns
	if t.held() {
		return nil
	}
	in, ok := n.queue.pop()
	if !ok {
		return nil
	}
	in.followed = n.queue.len() > 0
	t.queued--
	t.bytes -= int64(len(in.buf.Payload))
	l.begin(in)
	l.c.readOn.Signal()
	return in
}

// finished notes that a handler has returned. A lane without requests is not kept, since a peer may have any number of
// threads.
func (t *turns) finished(in *incoming) {
	t.running--
	t.came -= int(in.came)
	if in.waits > 0 { // for a goroutine that outlives its handler
		t.waiting--
	}
	if !in.late && t.accepted > 0 {
		t.accepted--
	}
	if in.lane.requests--; in.lane.requests == 0 && in.lane != &t.single {
		delete(t.lanes, in.lane.thread)
	}
}

// end is for a connection that has ended: requests that have not begun are dropped, and handlers that want their turn
// back go on without, since there is no order to keep any more.
func (t *turns) end() {
	t.single.end()
	for _, n := range t.lanes {
		n.end()
	}
	t.queued, t.bytes = 0, 0
	if t.parked != nil {
		t.parked <- task{stop: true}
		t.parked = nil
	}
}

func (n *lane) end() {
	for in, ok := n.queue.pop(); ok; in, ok = n.queue.pop() {
		in.buf.Release()
		n.requests--
	}
	for in, ok := n.resuming.pop(); ok; in, ok = n.resuming.pop() {
		in.goOn()
	}
}

// yield gives the turn and the worker of a handler up until resume, because one of its goroutines, which waiterOf has
// counted, is about to wait for the peer. Several may wait at the same time: the first to wait gives the turn up, and
// the last to go on takes it back. sent is passRole's.
func (c *Conn) yield(in *incoming, sent bool) {
	l := c.lock()
	l.giveUp(in)
	l.unlock()
	c.passRole(sent)
}

// giveUp gives the turn and the worker of a handler that waits to others.
func (l locked) giveUp(in *incoming) {
	if w := l.c.cfg.Workers; w != nil {
		w.giveUp(in)
	}
	if !in.hasTurn {
		return
	}
	in.hasTurn = false
	if next := l.pass(in.lane); next != nil {
		l.run(next)
	}
	if in == l.turns.opening {
		l.beginHeld()
	}
}

// resume takes the turn and a worker back. It waits until there are some.
func (c *Conn) resume(in *incoming) {
	c.retakeTurn(in)
	if w := c.cfg.Workers; w != nil {
		w.retake(in)
	}
}

func (c *Conn) retakeTurn(in *incoming) {
	l := c.lock()
	in.waits--
	if in.waits == 0 && !in.finished {
		l.turns.waiting--
	}
	if in.waits > 0 || in.hasTurn || in.finished || l.broken {
		l.unlock()
		return
	}
	if in.lane.freeTurns > 0 {
		in.lane.freeTurns--
		in.lane.current = in
		in.hasTurn = true
		l.unlock()
		return
	}
	if in.back == nil { // not in the queue yet for another of its goroutines
		in.back = make(chan struct{})
		in.lane.resuming.push(in)
	}
	back := in.back
	l.unlock()
	<-back
}

// goOn wakes the handler's goroutines that wait for its turn.
func (in *incoming) goOn() {
	close(in.back)
	in.back = nil
}

// fifo is a first-in, first-out queue that gives memory back as it empties.
type fifo[T any] struct {
	items []T
	head  int
}

func (q *fifo[T]) len() int { return len(q.items) - q.head }

func (q *fifo[T]) push(v T) { q.items = append(q.items, v) }

func (q *fifo[T]) pop() (v T, ok bool) {
	if q.head == len(q.items) {
		return v, false
	}
	v = q.items[q.head]
	var zero T
	q.items[q.head] = zero
	q.head++
	switch {
	case q.head == len(q.items):
		q.items, q.head = q.items[:0], 0
		if cap(q.items) > 1024 {
			q.items = nil
		}
	case q.head > 1024 && q.head > len(q.items)/2:
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	return v, true
}

// Queued returns the number of requests of the peer that have not begun.
func (c *Conn) Queued() int {
	l := c.lock()
	defer l.unlock()
	return l.turns.queued
}
