package etcdstore

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/gorpyc/gorpyc/registry"
)

const (
	pageSize = 1000

	expired      = registry.Expired
	unregistered = registry.Unregistered
)

var errWatchEnded = errors.New("the watch has ended")

// follow is the goroutine that keeps the copy.
func (s *Store) follow() {
	for attempt := 0; s.ctx.Err() == nil; attempt++ {
		if attempt > 0 {
			pauseAfter(s.ctx, attempt)
		}
		s.mu.Lock()
		from := s.revision
		s.mu.Unlock()
		if from == 0 {
			if err := s.load(); err != nil {
				s.failed(watching, err)
				continue
			}
			close1(s.synced)
		}
		heard, err := s.watch()
		if heard {
			attempt = 0
		}
		if s.ctx.Err() != nil {
			return
		}
		if errors.Is(err, context.Canceled) { // startAnew
			continue
		}
		if errors.Is(err, rpctypes.ErrCompacted) {
			s.mu.Lock()
			s.revision = 0
			s.mu.Unlock()
			continue
		}
		s.failed(watching, err)
	}
}

func close1(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

// startAnew has the copy read again: etcd is at an earlier revision than the copy, so it is not the etcd that it was.
// s.mu is held.
func (s *Store) startAnew(before int64) {
	if s.revision == 0 || s.revision < before {
		return // known already
	}
	s.log.Warn("etcd has forgotten what it had, telling it what is known here", "revision", s.revision)
	s.revision = 0
	for _, h := range s.known {
		h.applied, h.modified, h.wiped = 0, 0, 0
	}
	if s.rewatch != nil {
		s.rewatch()
	}
}

// load makes the copy. Without a leader it takes what a node has; the watch will tell the rest.
func (s *Store) load() error {
	kvs, revision, err := s.read()
	if err != nil {
		s.failed(watching, err)
		if kvs, revision, err = s.read(clientv3.WithSerializable()); err != nil {
			return err
		}
	}
	// In the order of the renewals, as the watch would tell.
	slices.SortFunc(kvs, func(a, b *mvccpb.KeyValue) int { return int(a.ModRevision - b.ModRevision) })
	there := make(map[registry.Endpoint]struct{}, len(kvs))
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, kv := range kvs {
		if ep, ok := s.changed(kv); ok {
			there[ep] = struct{}{}
		}
	}
	for ep, h := range s.known {
		if _, ok := there[ep]; !ok && h.modified != 0 && h.modified <= revision || !ok && h.applied == 0 {
			s.removed(h, revision)
		}
	}
	s.revision = revision
	return nil
}

// read gets all keys as of one revision.
func (s *Store) read(how ...clientv3.OpOption) (kvs []*mvccpb.KeyValue, revision int64, err error) {
	prefix := s.options.Prefix
	end := clientv3.GetPrefixRangeEnd(prefix)
	for from := prefix; ; {
		ctx, cancel := context.WithTimeout(s.ctx, s.options.WriteTimeout)
		opts := append([]clientv3.OpOption{clientv3.WithRange(end), clientv3.WithLimit(pageSize), clientv3.WithRev(revision)},
			how...)
		resp, err := s.client.Get(ctx, from, opts...)
		cancel()
		if err != nil {
			return nil, 0, err
		}
		kvs = append(kvs, resp.Kvs...)
		if revision == 0 {
			revision = resp.Header.Revision
		}
		if !resp.More || len(resp.Kvs) == 0 {
			return kvs, revision, nil
		}
		from = string(resp.Kvs[len(resp.Kvs)-1].Key) + "\x00"
	}
}

// watch follows the changes until it fails.
func (s *Store) watch() (heard bool, err error) {
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(s.ctx))
	defer cancel()
	s.mu.Lock()
	from := s.revision + 1
	s.rewatch = cancel
	s.mu.Unlock()
	changes := s.client.Watch(ctx, s.options.Prefix, clientv3.WithPrefix(), clientv3.WithRev(from),
		clientv3.WithCreatedNotify(), clientv3.WithProgressNotify())
	for resp := range changes {
		if err := resp.Err(); err != nil {
			return heard, err
		}
		heard = true
		s.worked(watching)
		s.mu.Lock()
		if ctx.Err() != nil {
			s.mu.Unlock()
			return heard, ctx.Err()
		}
		for _, ev := range resp.Events {
			s.revision = max(s.revision, ev.Kv.ModRevision)
			if ev.Type == clientv3.EventTypePut {
				s.changed(ev.Kv)
			} else if h := s.byKey(string(ev.Kv.Key)); h != nil {
				s.removed(h, ev.Kv.ModRevision)
			}
		}
		// What says that the watch has begun may come from a node that is behind.
		if resp.IsProgressNotify() {
			s.revision = max(s.revision, resp.Header.Revision)
		}
		s.mu.Unlock()
	}
	if ctx.Err() != nil {
		return heard, ctx.Err()
	}
	return heard, errWatchEnded
}

// byKey finds what is known of the endpoint of a key.
func (s *Store) byKey(key string) *held {
	ep, ok := endpointOf(s.options.Prefix, key)
	if !ok {
		return nil
	}
	return s.known[ep]
}

// changed takes what a key says. s.mu is held, as in removed.
func (s *Store) changed(kv *mvccpb.KeyValue) (ep registry.Endpoint, ok bool) {
	ep, names, err := decode(s.options.Prefix, string(kv.Key), kv.Value)
	if err != nil {
		s.log.Debug("key not understood", "key", string(kv.Key), "error", err)
		return ep, false
	}
	h := s.hold(ep)
	if kv.ModRevision < max(h.applied, h.modified) {
		return ep, true // a writer knows better
	}
	now := time.Now()
	h.names, h.modified, h.applied, h.lease, h.renewed = names, kv.ModRevision, kv.ModRevision, clientv3.LeaseID(kv.Lease),
		now
	if len(names) == 0 && !h.queued && !h.busy {
		clear(h.own) // another registry was told that it goes
	}
	why := expired
	if len(names) == 0 {
		why = unregistered
	}
	s.show(h, now, why)
	return ep, true
}

// removed takes that there is no key any more, as of a revision.
func (s *Store) removed(h *held, revision int64) {
	if revision < max(h.applied, h.modified) {
		return
	}
	h.names, h.modified, h.applied, h.lease = nil, 0, revision, 0
	now := time.Now()
	if len(h.wanted(now, s.options.Timeout*7/8)) > 0 && !h.gone {
		// It has been heard of here in time, so the lease was lost, or etcd. Not all of the time counts, because what was
		// heard need not have been written: see fresh.
		s.enqueue(h)
	} else {
		clear(h.own)
	}
	s.show(h, now, expired)
	s.forget(h)
}

// show makes the copy say what is known of h; what goes does for the reason why.
func (s *Store) show(h *held, now time.Time, why registry.Reason) {
	names := h.theirs()
	if h.queued || h.busy {
		names = h.wanted(now, s.options.Timeout)
	}
	s.memory.Set(h.endpoint, registrations(h.endpoint, names, now), why)
}

// endpointOf reads a key.
func endpointOf(prefix, key string) (ep registry.Endpoint, ok bool) {
	host, port, found := strings.Cut(strings.TrimPrefix(key, prefix), "/")
	if !found {
		return ep, false
	}
	return parseEndpoint(host, port)
}
