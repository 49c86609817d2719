package access

import "github.com/gorpyc/gorpyc/protocol"

// Waiting is how many requests of a peer wait for its limit.
func (e *Enforcer) Waiting(id *protocol.Identity) int {
	sub, err := e.current.Load().subjectOf(id)
	if err != nil || sub.all == nil {
		return 0
	}
	sub.all.mu.Lock()
	defer sub.all.mu.Unlock()
	return sub.all.waiting
}
