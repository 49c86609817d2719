package registry

import (
	"sync/atomic"
	"time"
)

// Stats says what a server has done and holds.
type Stats struct {
	Store StoreStats
	// Started is when the server was first used.
	Started time.Time
	// Requests counts what was answered.
	Requests []RequestCount
	// Rejects counts what was not, by reason: see [Server.Stats].
	Rejects map[string]uint64
	// Truncated counts answers that did not have room for all endpoints or names.
	Truncated uint64
}

// RequestCount is a number of requests.
type RequestCount struct {
	Transport string // "udp", "tcp"
	Command   string // "query", "register", "unregister", "list"
	Count     uint64
}

// reject says why there was no answer.
type reject int

const (
	badMessage reject = iota
	badMagic
	badCommand
	badArguments
	badSignature
	overRate
	overLimit
	overConns
	storeFailed
	eventLost
	rejectCount
)

var rejectNames = [rejectCount]string{
	badMessage: "malformed", badMagic: "magic", badCommand: "command", badArguments: "arguments",
	badSignature: "signature", overRate: "rate",
	overLimit: "limit", overConns: "connections", storeFailed: "store", eventLost: "event",
}

type transport int

const (
	udp transport = iota
	tcp
	transportCount
)

var transportNames = [transportCount]string{"udp", "tcp"}

var commands = [...]command{query, register, unregister, listing}

// counters are counted by whoever serves.
type counters struct {
	requests  [transportCount][len(commands)]atomic.Uint64
	rejects   [rejectCount]atomic.Uint64
	truncated atomic.Uint64
}

func (c *counters) count(t transport, cmd command) {
	for i := range commands {
		if commands[i] == cmd {
			c.requests[t][i].Add(1)
		}
	}
}

// Stats returns the server's figures. The reasons of Rejects are "malformed" (no message at all), "magic", "command",
// "arguments" (of the wrong kind or number), "rate", "limit" (see [Limits]), "connections" (too many), "store" (the
// store failed), and "event" (a coming or going that hooks were not told of, because they were too slow).
func (s *Server) Stats() Stats {
	s.start()
	st := Stats{Store: s.store.Stats(), Started: s.started, Rejects: make(map[string]uint64),
		Truncated: s.truncated.Load()}
	for t := range s.requests {
		for i, name := range []string{"query", "register", "unregister", "list"} {
			st.Requests = append(st.Requests, RequestCount{transportNames[t], name, s.requests[t][i].Load()})
		}
	}
	for i, name := range rejectNames {
		st.Rejects[name] = s.rejects[i].Load()
	}
	return st
}

// warnings keeps floods out of the log: one line of a kind per second.
type warnings [rejectCount]atomic.Int64

func (w *warnings) due(why reject, now time.Duration) bool {
	last := w[why].Load()
	return now.Nanoseconds()-last >= int64(time.Second) && w[why].CompareAndSwap(last, now.Nanoseconds()) ||
		last == 0 && w[why].CompareAndSwap(0, max(1, now.Nanoseconds()))
}
