package etcdstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// enqueue has h written. s.mu is held.
func (s *Store) enqueue(h *held) {
	h.generation++
	s.push(h)
}

// push puts h in the queue unless it is there or a writer has it, who will look again.
func (s *Store) push(h *held) {
	if h.queued || h.busy {
		return
	}
	h.queued = true
	s.todo = append(s.todo, h)
	s.wake()
}

func (s *Store) wake() {
	select {
	case s.queue <- struct{}{}:
	default: // as many tokens as writers are enough
	}
}

// write is a goroutine that writes what is queued.
func (s *Store) write() {
	for {
		select {
		case <-s.queue:
		case <-s.ctx.Done():
			return
		}
		for attempt := 0; s.ctx.Err() == nil; {
			h := s.take()
			if h == nil {
				break
			}
			generation, err := s.put(h)
			nothing := errors.Is(err, errNothing)
			if nothing {
				err = nil
			}
			s.wrote(h, generation, err)
			if nothing {
				continue
			}
			if err != nil {
				s.failed(putting, err)
				pauseAfter(s.ctx, attempt)
				attempt++
				continue
			}
			s.worked(putting)
			attempt = 0
		}
	}
}

// take gets the next one to write, nil if there is none.
func (s *Store) take() *held {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.todo) == 0 {
		return nil
	}
	h := s.todo[0]
	s.todo[0] = nil
	s.todo = s.todo[1:]
	if len(s.todo) > 0 {
		s.wake()
	}
	h.queued, h.busy = false, true
	s.writing++
	return h
}

// wrote notes how writing h has ended.
func (s *Store) wrote(h *held, generation int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h.busy = false
	s.writing--
	if err != nil || h.generation != generation {
		s.push(h) // something was heard meanwhile, or it has to be tried again
	} else {
		s.forget(h)
	}
	s.checkDrained()
}

// forget drops what nothing is known of, and nothing is going to be told of by the watch.
func (s *Store) forget(h *held) {
	if h.modified == 0 && h.applied <= s.revision && !h.busy && !h.queued && len(h.own) == 0 {
		delete(s.known, h.endpoint)
	}
}

// checkDrained tells who waits for it that everything is written.
func (s *Store) checkDrained() {
	if s.drained != nil && len(s.todo)+s.writing == 0 {
		close(s.drained)
		s.drained = nil
	}
}

var (
	errBusy = errors.New("others write the same key all the time")
	// errNothing says that nothing had to be written, so that nothing is known of how etcd is.
	errNothing = errors.New("nothing to be written")
)

// put makes etcd have what is wanted of h, and returns which generation that was.
func (s *Store) put(h *held) (generation int, err error) {
	ctx, cancel := context.WithTimeout(s.ctx, s.options.WriteTimeout)
	defer cancel()
	for range 8 {
		done, generation, err := s.try(ctx, h)
		if err != nil || done {
			return generation, err
		}
	}
	return 0, errBusy
}

// try is one attempt. It is not done if another registry has written in between; what that one wrote is known then.
func (s *Store) try(ctx context.Context, h *held) (done bool, generation int, err error) {
	key := keyOf(s.options.Prefix, h.endpoint)
	s.mu.Lock()
	now := time.Now()
	names := h.wanted(now, s.options.Timeout)
	for name, at := range h.own {
		if now.Sub(at) > s.options.Timeout {
			delete(h.own, name)
		}
	}
	generation, wipes, gone := h.generation, h.wipes, h.gone
	modified, lease, before := h.modified, h.lease, s.revision
	if len(names) == 0 && modified == 0 {
		// Nothing is wanted and nothing is there. What could not be written in time goes from the copy, too.
		s.memory.Set(h.endpoint, nil, expired)
		h.gone = false
		s.mu.Unlock()
		return true, generation, errNothing
	}
	s.mu.Unlock()
	if len(names) == 0 && !gone {
		return true, generation, errNothing // too late to be renewed: its lease ends it
	}

	value, err := encode(h.endpoint, names)
	if err != nil {
		return false, generation, fmt.Errorf("%s: %w", key, err)
	}
	if lease, err = s.lease(ctx, lease); err != nil {
		return false, generation, err
	}
	resp, err := s.client.Txn(ctx).If(clientv3.Compare(clientv3.ModRevision(key), "=", modified)).
		Then(clientv3.OpPut(key, value, clientv3.WithLease(lease))).Else(clientv3.OpGet(key)).Commit()
	if errors.Is(err, rpctypes.ErrLeaseNotFound) {
		s.mu.Lock()
		h.lease = 0 // it has ended between the renewal and this
		s.mu.Unlock()
		return false, generation, nil
	}
	if err != nil {
		s.mu.Lock()
		h.lease = lease // for the next attempt
		s.mu.Unlock()
		return false, generation, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if resp.Header.Revision < before {
		s.startAnew(before)
	}
	if !resp.Succeeded {
		if kvs := resp.Responses[0].GetResponseRange().Kvs; len(kvs) > 0 {
			s.learn(h, kvs[0])
		} else {
			h.names, h.modified, h.lease = nil, 0, lease
			h.applied = resp.Header.Revision
		}
		return false, generation, nil
	}
	h.names, h.lease, h.modified, h.applied, h.renewed = names, lease, resp.Header.Revision, resp.Header.Revision, now
	if h.wipes != wipes {
		h.wiped = h.modified
	}
	if gone && len(names) == 0 {
		return s.erase(ctx, h, key, generation)
	}
	return true, generation, nil
}

// erase removes a key that says that the endpoint has gone, unless somebody has written it since. s.mu is held, but not
// while it waits. If it does not work the lease ends the key.
func (s *Store) erase(ctx context.Context, h *held, key string, generation int) (bool, int, error) {
	modified := h.modified
	s.mu.Unlock()
	resp, err := s.client.Txn(ctx).If(clientv3.Compare(clientv3.ModRevision(key), "=", modified)).Then(
		clientv3.OpDelete(key)).Commit()
	s.mu.Lock()
	if err != nil {
		s.log.Debug("key left to its lease", "key", key, "error", err)
	} else if h.modified == modified && resp.Succeeded {
		h.modified, h.lease, h.names, h.applied = 0, 0, nil, resp.Header.Revision
	}
	if h.generation == generation {
		h.gone = false
	}
	return true, generation, nil
}

// lease renews a lease, or gets a new one if there is none or it has been lost.
func (s *Store) lease(ctx context.Context, lease clientv3.LeaseID) (clientv3.LeaseID, error) {
	if lease != 0 {
		_, err := s.client.KeepAliveOnce(ctx, lease)
		if err == nil {
			return lease, nil
		}
		if !errors.Is(err, rpctypes.ErrLeaseNotFound) {
			return 0, err
		}
	}
	granted, err := s.client.Grant(ctx, s.ttl)
	if err != nil {
		return 0, err
	}
	return granted.ID, nil
}

// learn notes what a key says, as far as it is news about h.
func (s *Store) learn(h *held, kv *mvccpb.KeyValue) {
	_, names, err := decode(s.options.Prefix, string(kv.Key), kv.Value)
	if err != nil {
		names = nil // it will be overwritten
	}
	h.names, h.modified, h.applied, h.lease = names, kv.ModRevision, kv.ModRevision, clientv3.LeaseID(kv.Lease)
}
