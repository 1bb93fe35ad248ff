package engine

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/deletes"
	"github.com/cambium-logs/cambium/pkg/storage/head"
)

// Event is the entries of one stream from one push, in order of arrival. It is shared between subscribers: nobody may change it.
// An entry that was pushed twice may come twice.
type Event struct {
	// Sequence ascends within a tenant and is equal for the streams of one push. It is 0 for what other processes on the bucket accepted.
	Sequence uint64
	Labels   labels.Labels
	Entries  []chunk.Entry
}

// defaultRing is how many entries wait for a subscriber that does not say.
const defaultRing = 10_000

// Subscription receives what is accepted after it began. A subscriber that does not keep up loses entries and is told how many.
type Subscription struct {
	engine   *Engine
	tenant   string
	matchers []*labels.Matcher
	limit    int
	stop     func()
	start    uint64

	wanted map[uint64]bool // by series; only used under the tenant's lock of the head

	mu       sync.Mutex // guards what follows
	events   []Event
	entries  int
	dropped  int64
	closing  bool
	closed   bool
	follower *follower     // of other processes' segments; nil = none
	ready    chan struct{} // holds one token while there is something to get
}

// ErrUnsubscribed is what a closed subscription gives once it is drained.
var ErrUnsubscribed = errors.New("subscription is closed")

// Subscribe begins a subscription to a tenant's streams that all matchers match, as far as they are pushed to this process. At most ring
// entries wait; 0 = 10,000. The caller closes it.
func (e *Engine) Subscribe(tenant string, ring int, matchers ...*labels.Matcher) *Subscription {
	s, snap := e.listen(tenant, ring, matchers)
	snap.Close()
	return s
}

// SnapshotAndSubscribe takes a snapshot and begins a subscription at the same instant: every accepted entry is in one of them, and a push
// that is in the snapshot is not in the subscription. With WALInBucket that holds for what other processes on the bucket accept, too; it comes
// about a second later.
func (e *Engine) SnapshotAndSubscribe(ctx context.Context, tenant string, mint, maxt int64, ring int, matchers ...*labels.Matcher) (storage.Snapshot, *Subscription, error) {
	var sub *Subscription
	var others *follower
	if e.opts.WALLocation == WALInBucket {
		var err error
		if others, err = e.newFollower(ctx, tenant); err != nil {
			return nil, nil, err
		}
	}
	snap, pinned, err := e.snapshot(ctx, tenant, mint, maxt, func() *head.Snapshot {
		if sub != nil {
			sub.Close()
		}
		var hs *head.Snapshot
		sub, hs = e.listen(tenant, ring, matchers)
		return hs
	})
	if err != nil {
		if sub != nil {
			sub.Close()
		}
		return nil, nil, err
	}
	if others != nil {
		if err := others.start(ctx, sub, pinned); err != nil {
			sub.Close()
			snap.Close()
			return nil, nil, err
		}
	}
	return snap, sub, nil
}

func (e *Engine) listen(tenant string, ring int, matchers []*labels.Matcher) (*Subscription, *head.Snapshot) {
	if ring <= 0 {
		ring = defaultRing
	}
	s := &Subscription{engine: e, tenant: tenant, matchers: matchers, limit: ring, wanted: map[uint64]bool{}, ready: make(chan struct{}, 1)}
	snap, stop := e.head.Listen(tenant, s)
	s.stop, s.start = stop, snap.Order()
	e.subsMu.Lock()
	defer e.subsMu.Unlock()
	if e.subs == nil {
		e.subs = map[*Subscription]struct{}{}
	}
	e.subs[s] = struct{}{}
	return s, snap
}

// endSubscriptions closes all subscriptions: nothing will be accepted any more.
func (e *Engine) endSubscriptions() {
	e.subsMu.Lock()
	subs := make([]*Subscription, 0, len(e.subs))
	for s := range e.subs {
		subs = append(subs, s)
	}
	e.subsMu.Unlock()
	for _, s := range subs {
		s.Close()
	}
}

// Start is the sequence number of the last push before the subscription.
func (s *Subscription) Start() uint64 { return s.start }

// Wants implements head.Listener.
func (s *Subscription) Wants(series *head.Series) bool {
	want, known := s.wanted[series.Ref()]
	if !known {
		ls := series.Labels()
		want = !slices.ContainsFunc(s.matchers, func(m *labels.Matcher) bool { return !m.Matches(ls.Get(m.Name)) })
		s.wanted[series.Ref()] = want
	}
	return want
}

// Applied implements head.Listener.
func (s *Subscription) Applied(sequence uint64, batches []head.Batch) {
	events := make([]Event, len(batches))
	for i, b := range batches {
		events[i] = Event{Sequence: sequence, Labels: b.Series.Labels(), Entries: b.Entries}
	}
	s.offer(events)
}

// offer queues events, and drops those for which there is no room.
func (s *Subscription) offer(events []Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, event := range events {
		n := len(event.Entries)
		if s.closed || s.entries+n > s.limit && s.entries > 0 {
			s.dropped += int64(n)
			s.engine.metrics.droppedEvents.Add(float64(n))
			continue
		}
		s.entries += n
		s.events = append(s.events, event)
	}
	s.signal()
}

func (s *Subscription) signal() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// Next waits for events and returns all that are there, with the number of entries lost since the last call. What a request that has not ended
// yet is to delete is not shown. The error is the context's, ErrUnsubscribed, or that of reading the requests. It is for one goroutine.
func (s *Subscription) Next(ctx context.Context) (events []Event, dropped int64, err error) {
	for {
		s.mu.Lock()
		events, dropped = s.events, s.dropped
		closed := s.closed
		s.events, s.entries, s.dropped = nil, 0, 0
		s.mu.Unlock()
		if len(events) > 0 {
			if events, err = s.hide(ctx, events); err != nil {
				return nil, dropped, err
			}
			if len(events) == 0 && dropped == 0 {
				continue
			}
		}
		switch {
		case len(events) > 0 || dropped > 0:
			return events, dropped, nil
		case closed:
			return nil, 0, ErrUnsubscribed
		}
		select {
		case <-s.ready:
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
}

// hide gives the events without what requests are to delete: late entries may lie in the range of one.
func (s *Subscription) hide(ctx context.Context, events []Event) ([]Event, error) {
	mint, maxt := int64(math.MaxInt64), int64(math.MinInt64)
	for _, event := range events {
		for i := range event.Entries {
			ts := event.Entries[i].Timestamp
			mint, maxt = min(mint, ts), max(maxt, ts)
		}
	}
	requests, err := s.engine.deletes.Active(ctx, s.tenant, mint, maxt)
	if err != nil || len(requests) == 0 {
		return events, err
	}
	shown := make([]Event, 0, len(events))
	for _, event := range events {
		if event.Entries = deletes.KeepEntries(event.Labels, event.Entries, requests); len(event.Entries) > 0 {
			shown = append(shown, event)
		}
	}
	return shown, nil
}

// follow makes the subscription the owner of a follower, which then may run; false when it is closed.
func (s *Subscription) follow(f *follower) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.follower = f
	return true
}

// Close ends the subscription. It may be called more than once.
func (s *Subscription) Close() {
	s.stop()
	s.mu.Lock()
	s.closing = true
	others := s.follower
	s.mu.Unlock()
	if others != nil {
		others.stop()
	}
	s.engine.subsMu.Lock()
	delete(s.engine.subs, s)
	s.engine.subsMu.Unlock()
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.signal()
}
