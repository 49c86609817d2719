package protocol

// turns gives the handlers of a connection their order: the requests of the peer wait in a queue, and as many of them
// run at the same time as there are turns, one unless Config.Concurrency says otherwise. A handler that waits for the
// peer gives its turn up, so that requests the peer makes meanwhile are served, and queues up for it afterwards, before
// any request that has not begun.
type turns struct {
	free    int // turns nobody has
	queue   fifo[*incoming]
	bytes   int64           // length of the requests in queue
	back    fifo[*incoming] // handlers that want their turn back
	running int             // handlers begun and not returned, with a turn or without
	current *incoming       // the handler that got a turn last

	// parked takes a task for a goroutine that has nothing to do; nil if there is none.
	parked chan<- task
}

func (t *turns) idle() bool { return t.running == 0 && t.queue.len() == 0 }

// admit takes in what has to run in turn. If it can run at once and the caller wants to do that itself, admit reports true
// and it has a turn; otherwise it is run by another goroutine, when it is its turn.
func (l locked) admit(in *incoming, mine bool) bool {
	t := &l.turns
	if t.free == 0 {
		t.queue.push(in)
		t.bytes += int64(len(in.buf.Payload))
		if t.crowded() {
			l.c.crowded.Store(true)
		}
		return false
	}
	t.free--
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
func (t *turns) crowded() bool { return t.queue.len() > crowd || t.bytes > crowdBytes }

const (
	crowd      = 1024     // requests
	crowdBytes = 64 << 20 // of theirs
)

// pass gives a turn on: to a handler that wants it back, or else to the next request. It returns that request, if any;
// the caller has to see to it that it runs.
func (l locked) pass() *incoming {
	t := &l.turns
	for in, ok := t.back.pop(); ok; in, ok = t.back.pop() {
		in.goOn()
		if !in.finished && in.waits == 0 { // otherwise whoever of it waits last takes the turn back
			in.turn = true
			t.current = in
			return nil
		}
	}
	if in, ok := t.queue.pop(); ok {
		t.bytes -= int64(len(in.buf.Payload))
		l.begin(in)
		l.c.room.Signal()
		return in
	}
	t.free++
	t.current = nil
	return nil
}

// wakeAll lets all handlers go on that want their turn back, for a connection that has ended: what order there was is of
// no use to them.
func (t *turns) wakeAll() {
	for in, ok := t.back.pop(); ok; in, ok = t.back.pop() {
		in.goOn()
	}
	if t.parked != nil {
		t.parked <- task{stop: true}
		t.parked = nil
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
		if next := l.pass(); next != nil {
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
	if l.turns.free > 0 {
		l.turns.free--
		l.turns.current = in
		in.turn = true
		l.unlock()
		return
	}
	if in.back == nil { // not in the queue yet for another of its goroutines
		in.back = make(chan struct{})
		l.turns.back.push(in)
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
