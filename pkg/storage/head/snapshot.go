package head

import (
	"context"
	"fmt"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	promstorage "github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/index"

	"github.com/cambium-logs/cambium/pkg/storage"
)

// Snapshot is what had been applied of one tenant's pushes at one instant. It implements storage.Snapshot.
type Snapshot struct {
	tenant *tenant // nil = a tenant without entries
	order  uint64
	data   []*tenantData
}

// Snapshot takes a snapshot of a tenant.
func (h *Head) Snapshot(tenantID string) *Snapshot {
	t := h.known(tenantID)
	if t == nil {
		return &Snapshot{}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.forgotten {
		return &Snapshot{}
	}
	return t.snapshot()
}

// Listen registers a listener and takes a snapshot at the same instant: every application is in exactly one of them. stop ends it.
func (h *Head) Listen(tenantID string, l Listener) (snap *Snapshot, stop func()) {
	for {
		t := h.tenant(tenantID)
		if snap = t.listen(l); snap != nil {
			return snap, func() { t.unlisten(l) }
		}
	}
}

// listen is nil when the tenant is forgotten.
func (t *tenant) listen(l Listener) *Snapshot {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.forgotten {
		return nil
	}
	t.listeners = append(slices.Clone(t.listeners), l)
	return t.snapshot()
}

func (t *tenant) unlisten(l Listener) {
	t.mu.Lock()
	t.listeners = slices.DeleteFunc(slices.Clone(t.listeners), func(x Listener) bool { return x == l })
	t.mu.Unlock()
	t.head.forgetUnused(t)
}

// snapshot takes one under the lock.
func (t *tenant) snapshot() *Snapshot {
	s := &Snapshot{tenant: t, order: t.applied, data: slices.Clone(t.data)}
	t.snapshots[s] = struct{}{}
	return s
}

// Order is the order of the last application in the snapshot; 0 = none.
func (s *Snapshot) Order() uint64 { return s.order }

// Close releases what is kept in memory for the snapshot. Chunks that were selected stay readable.
func (s *Snapshot) Close() {
	t := s.tenant
	if t == nil {
		return
	}
	defer t.head.forgetUnused(t)
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.snapshots, s)
	t.pinned = slices.DeleteFunc(t.pinned, func(sl *sealed) bool {
		if t.splits(sl) {
			return false
		}
		sl.buf = nil
		return true
	})
}

// Select implements storage.Snapshot.
func (s *Snapshot) Select(ctx context.Context, mint, maxt int64, matchers ...*labels.Matcher) ([]storage.Stream, error) {
	var out []storage.Stream
	err := s.each(ctx, matchers, func(series *Series) {
		if chunks := s.chunks(series, mint, maxt); len(chunks) > 0 {
			out = append(out, storage.Stream{Labels: series.Labels(), Chunks: chunks})
		}
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(out, func(a, b storage.Stream) int { return labels.Compare(a.Labels, b.Labels) })
	return out, nil
}

// LabelNames implements storage.Snapshot.
func (s *Snapshot) LabelNames(ctx context.Context, mint, maxt int64, matchers ...*labels.Matcher) ([]string, error) {
	names := map[string]struct{}{}
	err := s.each(ctx, matchers, func(series *Series) {
		all := true
		series.Labels().Range(func(l labels.Label) {
			_, known := names[l.Name]
			all = all && known
		})
		if !all && s.overlaps(series, mint, maxt) {
			series.Labels().Range(func(l labels.Label) { names[l.Name] = struct{}{} })
		}
	})
	return sortedKeys(names), err
}

// LabelValues implements storage.Snapshot.
func (s *Snapshot) LabelValues(ctx context.Context, name string, mint, maxt int64, matchers ...*labels.Matcher) ([]string, error) {
	values := map[string]struct{}{}
	err := s.each(ctx, matchers, func(series *Series) {
		v := series.Labels().Get(name)
		if _, known := values[v]; v != "" && !known && s.overlaps(series, mint, maxt) {
			values[v] = struct{}{}
		}
	})
	return sortedKeys(values), err
}

func sortedKeys(set map[string]struct{}) []string {
	out := make([]string, 0, len(set))
	for k := range set {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// postingsReader shows the postings as the part of tsdb.IndexReader that tsdb.PostingsForMatchers uses.
type postingsReader struct {
	tsdb.IndexReader
	p *index.MemPostings
}

func (r postingsReader) Postings(ctx context.Context, name string, values ...string) (index.Postings, error) {
	return r.p.Postings(ctx, name, values...), nil
}

func (r postingsReader) PostingsForLabelMatching(ctx context.Context, name string, match func(string) bool) index.Postings {
	return r.p.PostingsForLabelMatching(ctx, name, match)
}

func (r postingsReader) PostingsForAllLabelValues(ctx context.Context, name string) index.Postings {
	return r.p.PostingsForAllLabelValues(ctx, name)
}

func (t *tenant) matching(ctx context.Context, matchers []*labels.Matcher) ([]promstorage.SeriesRef, error) {
	t.mu.RLock()
	postings := t.postings
	t.mu.RUnlock()
	if postings == nil {
		return nil, nil
	}
	p := postings.All()
	if len(matchers) > 0 {
		var err error
		if p, err = tsdb.PostingsForMatchers(ctx, postingsReader{p: postings}, matchers...); err != nil {
			return nil, fmt.Errorf("match streams of the head: %w", err)
		}
	}
	refs, err := index.ExpandPostings(p)
	if err != nil {
		return nil, fmt.Errorf("match streams of the head: %w", err)
	}
	return refs, nil
}

// each calls f under the tenant's read lock for the series that match, which it gives up now and then so that pushes go on.
func (s *Snapshot) each(ctx context.Context, matchers []*labels.Matcher, f func(*Series)) error {
	t := s.tenant
	if t == nil || len(s.data) == 0 {
		return nil
	}
	refs, err := t.matching(ctx, matchers)
	if err != nil {
		return err
	}
	const batch = 256
	for batched := range slices.Chunk(refs, batch) {
		if err := ctx.Err(); err != nil {
			return err
		}
		t.mu.RLock()
		for _, ref := range batched {
			if series := t.byRef[ref]; series != nil {
				f(series)
			}
		}
		t.mu.RUnlock()
	}
	return nil
}

// chunks returns the stream's chunks with entries of the snapshot in the range, in ascending order. The lock is held.
func (s *Snapshot) chunks(series *Series, mint, maxt int64) []storage.Chunk {
	var out []storage.Chunk
	add := func(c storage.Chunk) {
		if m := c.Meta(); m.MinT <= maxt && m.MaxT >= mint {
			out = append(out, c)
		}
	}
	for _, d := range s.data {
		st := d.streams[series]
		if st == nil {
			continue
		}
		for _, sl := range st.sealed {
			switch {
			case sl.first > s.order:
			case sl.last <= s.order && sl.chunks != nil:
				for _, c := range sl.chunks {
					add(c)
				}
			default:
				s.addView(sl.buf, mint, maxt, add)
			}
		}
		if st.open != nil {
			s.addView(st.open, mint, maxt, add)
		}
	}
	return out
}

// addView adds the part of a buffer that belongs to the snapshot.
func (s *Snapshot) addView(b *buffer, mint, maxt int64, add func(storage.Chunk)) {
	if b.minT > maxt || b.maxT < mint {
		return
	}
	if n := b.prefix(s.order); n > 0 {
		add(b.makeView(n))
	}
}

// overlaps reports whether the stream has a chunk in the range. The lock is held.
func (s *Snapshot) overlaps(series *Series, mint, maxt int64) bool {
	for _, d := range s.data {
		st := d.streams[series]
		if st == nil {
			continue
		}
		if b := st.open; b != nil && b.lastOrder() <= s.order && b.minT <= maxt && b.maxT >= mint {
			return true
		}
	}
	return len(s.chunks(series, mint, maxt)) > 0
}
