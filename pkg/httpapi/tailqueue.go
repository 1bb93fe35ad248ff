package httpapi

import (
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/query"
)

const (
	maxTailWaiting = 10 * tailFrame // entries that wait for a slow client
	maxTailDropped = 1000           // lost entries that a client is told of
)

// droppedEntry is one entry that a client did not get.
type droppedEntry struct {
	timestamp int64
	labels    labels.Labels
}

// tailQueue holds entries between the store, which never waits, and a client, who may be slow. What does not fit is lost and told.
type tailQueue struct {
	delay time.Duration

	mu      sync.Mutex // guards what follows
	waiting []waitingEntry
	dropped []droppedEntry
}

type waitingEntry struct {
	query.Entry
	arrived time.Time
}

func newTailQueue(delay time.Duration) *tailQueue { return &tailQueue{delay: delay} }

// put adds entries that arrived now; lost is how many others were lost before.
func (q *tailQueue) put(entries []query.Entry, lost int64, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for range min(lost, int64(maxTailDropped-len(q.dropped))) {
		q.dropped = append(q.dropped, droppedEntry{timestamp: now.UnixNano()})
	}
	for _, e := range entries {
		if len(q.waiting) >= maxTailWaiting {
			if len(q.dropped) < maxTailDropped {
				q.dropped = append(q.dropped, droppedEntry{e.Timestamp, e.Labels.Stream})
			}
			continue
		}
		q.waiting = append(q.waiting, waitingEntry{e, now})
	}
}

// take removes up to n entries that have waited for the delay, and all that was lost.
func (q *tailQueue) take(now time.Time, n int) ([]query.Entry, []droppedEntry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var out []query.Entry
	for len(out) < n && len(out) < len(q.waiting) && now.Sub(q.waiting[len(out)].arrived) >= q.delay {
		out = append(out, q.waiting[len(out)].Entry)
	}
	q.waiting = append(q.waiting[:0], q.waiting[len(out):]...)
	dropped := q.dropped
	q.dropped = nil
	return out, dropped
}

// tailFrames encodes the messages of a tail.
type tailFrames struct {
	legacy      bool
	categorized bool
	flags       []string
}

func (f *tailFrames) encode(entries []query.Entry, dropped []droppedEntry) []byte {
	j := &jsonWriter{}
	j.raw(`{"streams":[`)
	for i := range entries {
		if i > 0 {
			j.raw(",")
		}
		f.entry(j, &entries[i])
	}
	j.raw("]")
	switch {
	case len(dropped) > 0:
		j.raw(`,"dropped_entries":[`)
		for i, d := range dropped {
			if i > 0 {
				j.raw(",")
			}
			j.raw(`{"timestamp":`)
			j.time(d.timestamp)
			j.raw(`,"labels":`)
			j.labels(d.labels)
			j.raw("}")
		}
		j.raw("]")
	case f.legacy:
		j.raw(`,"dropped_entries":null`)
	}
	if len(f.flags) > 0 {
		j.raw(`,"encodingFlags":`)
		writeStrings(j, f.flags)
	}
	j.raw("}")
	return j.buf
}

func (f *tailFrames) entry(j *jsonWriter, e *query.Entry) {
	if f.legacy {
		j.raw(`{"labels":`)
		j.label(e.Labels.All().String())
		j.raw(`,"entries":[{"ts":"`)
		j.raw(rfc3339(e.Timestamp))
		j.raw(`","line":`)
		j.str(e.Line)
		j.raw("}]}")
		return
	}
	shown := e.Labels.Stream
	if !f.categorized {
		shown = e.Labels.All()
	}
	j.raw(`{"stream":`)
	j.labels(shown)
	j.raw(`,"values":[`)
	writeEntry(j, e, f.categorized)
	j.raw("]}")
}

// tailCounts counts the tails of each tenant.
type tailCounts struct {
	mu     sync.Mutex // guards what follows
	counts map[string]int
}

// enter counts one more tail, unless there are limit already; 0 is no limit.
func (t *tailCounts) enter(tenant string, limit int) (release func(), err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts == nil {
		t.counts = map[string]int{}
	}
	if n := t.counts[tenant] + 1; limit > 0 && n > limit {
		return nil, fmt.Errorf("max concurrent tail requests limit exceeded, count > limit (%d > %d)", n, limit)
	}
	t.counts[tenant]++
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.counts[tenant]--; t.counts[tenant] == 0 {
			delete(t.counts, tenant)
		}
	}, nil
}
