// Package balance decides which of several servers a call goes to, and which of them is to be left alone for a while.
// It knows neither connections nor clocks.
package balance

import "time"

// Server is one of those that calls are spread over. The caller sets the exported fields, and guards all of it.
type Server struct {
	// Weight is the server's share in comparison with the others, at least 1.
	Weight int
	// Priority is the server's rank; one with a higher number is used only if none with a lower one can be.
	Priority int
	// Zone is where the server is.
	Zone string
	// Ready says that it can be called.
	Ready bool
	// Load is how many calls are under way.
	Load int
	// Asked says that a call is under way that will tell whether the server is well. One on trial gets no second.
	Asked bool

	credit   int64 // of the smooth weighted round robin: who has the most is next
	failures int   // in a row
	rounds   int   // how often it was ejected without a success since
	out      bool  // ejected
	trial    bool  // readmitted, and no call has ended since
}

// Pick returns the server for the next call, nil if none is ready. From those in question it takes the one with the
// fewest calls under way in proportion to its weight, and goes round, in proportion to the weights, among several that
// have equally few.
//
// In question are, of those that are ready, the ones that are neither ejected, nor on trial and asked, nor to be
// avoided; if there are none, those not ejected; if there are none, all. Of these, the ones with the lowest priority;
// and of these, those of the zone as long as at least half of the zone's servers, by weight, are among them.
func Pick(servers []*Server, zone string, avoid *Server) *Server {
	ready := filter(servers, func(s *Server) bool { return s.Ready })
	candidates := filter(ready, func(s *Server) bool { return !s.out && s != avoid && !(s.trial && s.Asked) })
	if len(candidates) == 0 {
		candidates = filter(ready, func(s *Server) bool { return !s.out })
	}
	if len(candidates) == 0 {
		candidates = filter(ready, func(s *Server) bool { return s != avoid })
	}
	if len(candidates) == 0 {
		candidates = ready
	}
	if len(candidates) == 0 {
		return nil
	}
	first := candidates[0].Priority
	for _, s := range candidates {
		first = min(first, s.Priority)
	}
	candidates = filter(candidates, func(s *Server) bool { return s.Priority == first })
	if near := nearby(servers, candidates, zone, first); near != nil {
		candidates = near
	}
	return next(leastLoaded(candidates))
}

// nearby returns the candidates of the zone if they are enough to be used alone, otherwise nil.
func nearby(all, candidates []*Server, zone string, priority int) []*Server {
	if zone == "" {
		return nil
	}
	inZone := func(s *Server) bool { return s.Zone == zone && s.Priority == priority }
	near := filter(candidates, inZone)
	if len(near) == 0 || 2*weight(near) < weight(filter(all, inZone)) {
		return nil
	}
	return near
}

// leastLoaded returns the servers with the fewest calls in proportion to their weights. Proportions are compared in
// whole calls of the lightest server, so that a heavy one takes several calls before it counts as more loaded.
func leastLoaded(servers []*Server) []*Server {
	lightest := servers[0].Weight
	for _, s := range servers {
		lightest = min(lightest, s.Weight)
	}
	level := func(s *Server) int64 { return int64(s.Load) * int64(lightest) / int64(s.Weight) }
	least := level(servers[0])
	for _, s := range servers {
		least = min(least, level(s))
	}
	return filter(servers, func(s *Server) bool { return level(s) == least })
}

// next is one step of a smooth weighted round robin.
func next(servers []*Server) *Server {
	var best *Server
	for _, s := range servers {
		s.credit += int64(s.Weight)
		if best == nil || s.credit > best.credit {
			best = s
		}
	}
	best.credit -= weight(servers)
	return best
}

func weight(servers []*Server) (sum int64) {
	for _, s := range servers {
		sum += int64(s.Weight)
	}
	return sum
}

func filter(servers []*Server, keep func(*Server) bool) []*Server {
	kept := make([]*Server, 0, len(servers))
	for _, s := range servers {
		if keep(s) {
			kept = append(kept, s)
		}
	}
	return kept
}

// Ejected reports whether the server is to be left alone.
func (s *Server) Ejected() bool { return s.out }

// Succeeded notes a call that was answered. Ejections before it are forgotten.
func (s *Server) Succeeded() {
	if !s.out {
		s.failures, s.rounds, s.trial = 0, 0, false
	}
}

// Failed notes a call that was not answered. It reports whether that ejects the server, as limit failures in a row do.
func (s *Server) Failed(limit int) bool {
	if s.out {
		return false
	}
	s.failures++
	if s.failures < limit {
		return false
	}
	s.out, s.trial = true, false
	s.rounds++
	return true
}

// StillOut notes that the server has not proved to be well when it was asked.
func (s *Server) StillOut() { s.rounds++ }

// Pause is how long the server is to be left alone before it is asked: shortest, twice as long each time it was
// ejected again, and at most longest.
func (s *Server) Pause(shortest, longest time.Duration) time.Duration {
	pause := shortest
	for n := 1; n < s.rounds && pause < longest; n++ {
		pause *= 2
	}
	return min(pause, longest)
}

// Readmit ends an ejection on trial: the server gets one call at a time until one succeeds, and a failure ejects it
// again.
func (s *Server) Readmit(limit int) {
	s.out, s.trial = false, true
	s.failures = limit - 1
}

// Reset forgets what was noted of the server, which has begun anew.
func (s *Server) Reset() {
	s.out, s.trial, s.failures, s.rounds, s.credit = false, false, 0, 0, 0
}
