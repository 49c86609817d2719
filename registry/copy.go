package registry

import "time"

// Set makes the table say of ep what regs say, with their times and nothing else, and puts ep last in the order of
// answers. What is not among regs goes for the reason why. Only Name, Since and Seen of regs count; names must be in
// upper case.
//
// It is for a [Store] that keeps a copy of what is decided elsewhere in a Memory of its own: [Limits] are not regarded,
// since what comes has been admitted already, and calls are expected in the order in which registrations were renewed.
func (m *Memory) Set(ep Endpoint, regs []Registration, why Reason) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Since(m.start)
	kept := make(map[string]struct{}, len(regs))
	for i, r := range regs {
		kept[r.Name] = struct{}{}
		e := m.find(r.Name, ep, i)
		fresh := e == nil
		if fresh {
			e = m.add(r.Name, ep)
		} else {
			e.service.entries.remove(e, ofService)
			m.bySeen.remove(e, ofAll)
		}
		e.since, e.seen = r.Since.Sub(m.start), r.Seen.Sub(m.start)
		e.service.entries.append(e, ofService)
		m.bySeen.append(e, ofAll)
		e.service.listing.Store(nil)
		if fresh {
			m.tell(e, now, Registered)
		}
	}
	if known := m.endpoints[ep]; known != nil && len(known.entries) > len(kept) {
		for i := len(known.entries) - 1; i >= 0; i-- {
			if _, ok := kept[known.entries[i].service.name]; !ok {
				m.remove(known.entries[i], now, why)
			}
		}
	}
	m.changes.Add(1)
	m.arm()
}
