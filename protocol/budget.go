package protocol

import (
	"sync/atomic"

	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Budget bounds what the peers of all connections that share it (Config.Budget) can make this process hold together, in
// addition to the Limits of each. It is counted in portions, and what a single connection needs for ordinary use is not
// counted at all: see the fields of [BudgetLimits]. Exceeding it fails the call, and ends a connection only if its peer
// does not read. A servers.Server has one for its connections. A Budget is safe for concurrent use.
type Budget struct {
	exports, queuedBytes, decoded, running, unread pool
	containers                                     *exposed.Budget
}

// BudgetLimits are the limits of a [Budget], or what is used of it. Zero fields mean the default.
type BudgetLimits struct {
	// Exports is the number of objects of ours that peers hold, beyond the first 256 of each connection; 0 means
	// 4,194,304.
	Exports int64
	// QueuedBytes is the length in bytes of the requests received and not begun, beyond the first 64 KiB of each
	// connection; 0 means 1 GiB. A request for which there is no room is answered with a MemoryError.
	QueuedBytes int64
	// Decoded is how many bytes of memory the values of the requests under way take, as Limits.Decoded estimates it, of
	// those that come in more than 64 KiB; 0 means 1 GiB.
	Decoded int64
	// Running is the number of requests begun and not answered, beyond the first 16 of each connection; 0 means
	// 100,000.
	Running int64
	// Containers is how many bytes of memory the containers take that peers have made, as Limits.Containers counts it; 0
	// means 1 GiB.
	Containers int64
	// Unread is the length in bytes of the messages of ours that are queued until peers read, beyond the first 64 KiB of
	// each connection, and of answers that are tuples while they are put together; 0 means 1 GiB. A connection ends whose
	// peer lets more wait of what no handler waits for, such as the answers to PING.
	Unread int64
}

// NewBudget makes a budget. Nothing is used of it yet.
func NewBudget(l BudgetLimits) *Budget {
	limit := func(n, or int64) pool {
		setDefault(&n, or)
		return pool{limit: n}
	}
	b := &Budget{}
	b.exports, b.queuedBytes = limit(l.Exports, 4<<20), limit(l.QueuedBytes, 1<<30)
	b.decoded, b.running, b.unread = limit(l.Decoded, 1<<30), limit(l.Running, 100_000), limit(l.Unread, 1<<30)
	setDefault(&l.Containers, 1<<30)
	b.containers = exposed.NewBudget(l.Containers)
	return b
}

// Used is what is used of the budget at the moment. It is counted in portions of 256 objects, 64 KiB and 16 requests.
func (b *Budget) Used() BudgetLimits {
	return BudgetLimits{
		Exports: b.exports.used.Load(), QueuedBytes: b.queuedBytes.used.Load(),
		Decoded: b.decoded.used.Load(), Running: b.running.used.Load(),
		Containers: b.containers.Used(), Unread: b.unread.used.Load(),
	}
}

// The portions in which connections take from a budget. The first one is free.
const (
	exportsPortion = 256
	bytesPortion   = 64 << 10
	runningPortion = 16
)

// pool is one resource of a budget.
type pool struct {
	used  atomic.Int64
	limit int64
}

// take takes n; false if there is not as much.
func (p *pool) take(n int64) bool {
	if p.used.Add(n) <= p.limit {
		return true
	}
	p.used.Add(-n)
	return false
}

func (p *pool) give(n int64) { p.used.Add(-n) }

// lease is what a connection has taken of a pool. It is guarded by the connection's lock, that of the outbox by the
// outbox's.
type lease struct{ held int64 }

// cover sees to it that the lease is enough for n in all; false if the pool has not as much. Beyond the portion that is
// free it is kept a little larger than needed, so that the pool is rarely asked.
func (s *lease) cover(p *pool, n, portion int64) bool {
	if n <= portion && s.held == 0 { // as nearly always
		return true
	}
	need := max(0, (n-1)/portion*portion)
	switch {
	case need > s.held:
		if !p.take(need - s.held) {
			return false
		}
		s.held = need
	case need == 0 && s.held > 0, need+2*portion <= s.held:
		p.give(s.held - need)
		s.held = need
	}
	return true
}

// leases are all that a connection has taken of its budget.
type leases struct {
	exports, queuedBytes, running lease
	decoded                       int64
}

// coverExports sees to it that the budget has room for n exported objects.
func (l locked) coverExports(n int) error {
	b := l.c.cfg.Budget
	if b != nil && !l.broken && !l.leases.exports.cover(&b.exports, int64(n), exportsPortion) {
		return &LimitError{What: "objects held by all peers", Got: b.exports.limit + 1, Limit: b.exports.limit}
	}
	return nil
}

// coverQueued sees to it that the budget has room for n queued bytes.
func (l locked) coverQueued(n int64) bool {
	b := l.c.cfg.Budget
	return b == nil || l.broken || l.leases.queuedBytes.cover(&b.queuedBytes, n, bytesPortion)
}

// coverRunning sees to it that the budget has room for n requests under way.
func (l locked) coverRunning(n int) bool {
	b := l.c.cfg.Budget
	return b == nil || l.broken || l.leases.running.cover(&b.running, int64(n), runningPortion)
}

// takeDecoded takes what a request's values weigh until giveDecoded.
func (c *Conn) takeDecoded(weight int64) bool {
	if weight == 0 || c.cfg.Budget == nil {
		return true
	}
	if !c.cfg.Budget.decoded.take(weight) {
		return false
	}
	l := c.lock()
	l.leases.decoded += weight
	l.unlock()
	return true
}

// giveDecoded gives back what a request has taken.
func (l locked) giveDecoded(in *incoming) {
	if in.weight > 0 {
		l.leases.decoded -= in.weight
		l.c.cfg.Budget.decoded.give(in.weight)
		in.weight = 0
	}
}

// trimLeases gives back what is not needed any more when a request has been answered.
func (l locked) trimLeases(in *incoming) {
	if l.leases.queuedBytes.held > 0 {
		l.coverQueued(l.turns.bytes)
	}
	if l.leases.running.held > 0 {
		l.coverRunning(l.turns.running)
	}
	l.giveDecoded(in)
}

// endLeases gives everything back at the end of a connection.
func (l locked) endLeases() {
	b := l.c.cfg.Budget
	if b == nil {
		return
	}
	b.exports.give(l.leases.exports.held)
	b.queuedBytes.give(l.leases.queuedBytes.held)
	b.running.give(l.leases.running.held)
	b.decoded.give(l.leases.decoded)
	l.leases = leases{}
}

// containers is the budget for what the peer of a connection makes.
func (c *Config) containers() *exposed.Budget {
	b := exposed.NewBudget(c.Limits.Containers)
	if c.Budget != nil {
		b.Within(c.Budget.containers)
	}
	return b
}

// overBudget is the answer to a request that would have to be queued, and for which there is no room.
func overBudget() error { return vinegar.MemoryError.New("too much is queued on this server") }
