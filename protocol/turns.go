package protocol

// turns gives the handlers of a connection their order: the requests of the peer wait in a queue, and as many of them
// run at the same time as there are turns, one unless Config.Concurrency says otherwise. A handler that waits for the
// peer gives its turn up, so that requests the peer makes meanwhile are served, and queues up for it afterwards, before
// any request that has not begun. Where threads are bound, each of the peer's threads has an order of its own.
type turns struct {
	size    int              // turns in a lane
	one     lane             // of all requests, unless threads are bound
	lanes   map[uint64]*lane // of those whose requests run or wait, by thread; nil if threads are not bound
	queued  int              // requests in the lanes' queues
	bytes   int64            // length of these
	running int              // handlers begun and not returned, with a turn or without
	current *incoming        // the handler that got a turn last

	// parked takes a task for a goroutine that has nothing to do; nil if there is none.
	parked chan<- task
}

// lane is what has to happen in order.
type lane struct {
	thread   uint64
	handlers int // that run or are queued
	free     int // turns nobody has
	queue    fifo[*incoming]
	back     fifo[*incoming] // handlers that want their turn back
}

func (t *turns) init(size int) { t.size, t.one.free = size, size }

func (t *turns) idle() bool { return t.running == 0 && t.queued == 0 }

// lane finds the lane of a request.
func (t *turns) lane(in *incoming) *lane {
	if t.lanes == nil {
		return &t.one
	}
	n := t.lanes[in.from]
	if n == nil {
		n = &lane{thread: in.from, free: t.size}
		t.lanes[in.from] = n
	}
	return n
}

// admit takes in what has to run in turn. If it can run at once and the caller wants to do that itself, admit reports true
// and it has a turn; otherwise it is run by another goroutine, when it is its turn.
func (l locked) admit(in *incoming, mine bool) bool {
	t := &l.turns
	if l.broken {
		return false // nobody waits for it
	}
	in.lane = t.lane(in)
	in.lane.handlers++
	if in.lane.free == 0 {
		in.lane.queue.push(in)
		t.queued++
		t.bytes += int64(len(in.buf.Payload))
		if t.crowded() {
			l.c.crowded.Store(true)
		}
		return false
	}
	in.lane.free--
	l.begin(in)
	if !mine {
		l.run(in)
	}
	return mine
}

// run has a goroutine run a request that has a turn, or read if in is nil.
func (l locked) run(in *incoming) {
	if w := l.turns.parked; w != nil {
		l.turns.parked = nil
		w <- task{in: in}
		return
	}
	go l.c.serve(in)
}

// begin is where a request begins, unless too many have.
func (l locked) begin(in *incoming) {
	t := &l.turns
	t.running++
	t.current = in
	in.turn = true
	in.excess = t.running > l.c.cfg.Limits.Running
}

// crowded reports whether so much is queued that reading on is to be considered.
func (t *turns) crowded() bool { return t.queued > crowd || t.bytes > crowdBytes }

const (
	crowd      = 1024     // requests
	crowdBytes = 64 << 20 // of theirs
)

// pass gives a turn of a lane on: to a handler that wants it back, or else to the next request. It returns that request, if
// any; the caller has to see to it that it runs.
func (l locked) pass(n *lane) *incoming {
	t := &l.turns
	for in, ok := n.back.pop(); ok; in, ok = n.back.pop() {
		in.goOn()
		if !in.finished && in.waits == 0 { // otherwise whoever of it waits last takes the turn back
			in.turn = true
			t.current = in
			return nil
		}
	}
	if in, ok := n.queue.pop(); ok {
		in.more = n.queue.len() > 0
		t.queued--
		t.bytes -= int64(len(in.buf.Payload))
		l.begin(in)
		l.c.readOn.Signal()
		return in
	}
	n.free++
	t.current = nil
	return nil
}

// over is the end of a handler: a lane that nobody is in is not kept, since a peer may have any number of threads.
func (t *turns) over(in *incoming) {
	t.running--
	if in.lane.handlers--; in.lane.handlers == 0 && t.lanes != nil {
		delete(t.lanes, in.lane.thread)
	}
}

// end is for a connection that has ended: requests that have not begun are dropped, and handlers that want their turn back
// go on without, since there is no order to keep any more.
func (t *turns) end() {
	t.one.end()
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
		n.handlers--
	}
	for in, ok := n.back.pop(); ok; in, ok = n.back.pop() {
		in.goOn()
	}
}

// yield gives the handler's turn up until resume, because it is about to wait for the peer. A handler's goroutines may
// wait at the same time: the first gives up the turn and the last takes it back.
func (c *Conn) yield(in *incoming) {
	l := c.lock()
	in.waits++
	if w := c.cfg.Workers; w != nil {
		w.rest(in)
	}
	if in.turn {
		in.turn = false
		if next := l.pass(in.lane); next != nil {
			l.run(next)
		}
	}
	l.unlock()
	c.passRole()
}

// resume takes the turn back, and a worker.
func (c *Conn) resume(in *incoming) {
	c.retake(in)
	if w := c.cfg.Workers; w != nil {
		w.rejoin(in)
	}
}

func (c *Conn) retake(in *incoming) {
	l := c.lock()
	in.waits--
	if in.waits > 0 || in.turn || in.finished || l.broken {
		l.unlock()
		return
	}
	if in.lane.free > 0 {
		in.lane.free--
		l.turns.current = in
		in.turn = true
		l.unlock()
		return
	}
	if in.back == nil { // not in the queue yet for another of its goroutines
		in.back = make(chan struct{})
		in.lane.back.push(in)
	}
	back := in.back
	l.unlock()
	<-back
}

// goOn wakes the handler's goroutines that want its turn back.
func (in *incoming) goOn() {
	close(in.back)
	in.back = nil
}

// fifo is a queue that gives memory back as it empties.
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
