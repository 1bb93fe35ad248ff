package query

import (
	"container/heap"
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/cambium-logs/cambium/pkg/logql/pipeline"
	"github.com/cambium-logs/cambium/pkg/storage"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// runLog executes a log query: runs of chunks are read nearest to the wanted end first, each until its entries can no longer be among the
// limit nearest ones.
func (x *execution) runLog(ctx context.Context) (*Result, error) {
	compiled, err := pipeline.Compile(x.log.Stages, pipeline.Options{})
	if err != nil {
		return nil, err
	}
	result := &Result{Type: ResultStreams}
	p := &x.params
	if x.empty || p.Start >= p.End {
		return result, nil
	}
	mint, maxt := p.Start, p.End-1
	snap, err := x.snapshot(ctx, mint, maxt)
	if err != nil {
		return nil, err
	}
	streams, err := snap.Select(ctx, mint, maxt, x.log.Matchers...)
	if err != nil {
		return nil, err
	}
	runs, err := x.runsOf(streams)
	if err != nil {
		return nil, err
	}
	backward := p.Direction == Backward
	slices.SortStableFunc(runs, func(a, b run) int {
		if backward {
			return compare(b.maxT, a.maxT)
		}
		return compare(a.minT, b.minT)
	})
	texts := textsOf(x.log.Stages)
	found := newNearest(p.Limit, backward, x.memory)
	_, err = x.eachRun(ctx, runs, func(ctx context.Context, r *run) error {
		return x.readRun(ctx, r, compiled, texts, mint, maxt, found)
	})
	if err != nil {
		return nil, err
	}
	result.Entries = thin(found.entries(), p.Interval)
	return result, nil
}

// runsOf gives the runs of all streams, and holds their size against the byte limits.
func (x *execution) runsOf(streams []storage.Stream) ([]run, error) {
	var runs []run
	var bytes int64
	for i, st := range streams {
		x.counters.streams.Add(1)
		x.counters.chunksTotal.Add(int64(len(st.Chunks)))
		for _, r := range streamRuns(i, st) {
			bytes += r.rawBytes
			runs = append(runs, r)
		}
	}
	return runs, x.params.Limits.checkBytes(bytes)
}

// eachRun calls read for every run on the query's workers, starting them in order.
func (x *execution) eachRun(ctx context.Context, runs []run, read func(context.Context, *run) error) (int, error) {
	err := ordered(ctx, x.workers(), len(runs), func(ctx context.Context, i int) (struct{}, error) {
		x.counters.tasks.Add(1)
		return struct{}{}, read(ctx, &runs[i])
	}, func(int, struct{}) error { return nil })
	return len(runs), err
}

func (x *execution) readRun(ctx context.Context, r *run, compiled *pipeline.Pipeline, texts *texts, mint, maxt int64, found *nearest) error {
	backward := found.backward
	best := r.minT
	if backward {
		best = r.maxT
	}
	if !found.wants(best) {
		x.counters.chunksSkipped.Add(int64(len(r.chunks)))
		return nil
	}
	w := newLogWalk(r, compiled, found)
	cur := newCursor(ctx, r, mint, maxt, backward, texts, x.counters, x.memory)
	if w.filter != nil {
		cur.choose = w.choose
	}
	matched := int64(0)
	more, failure := true, error(nil)
	for more && failure == nil && cur.next() {
		if cur.ts != w.ts {
			if more, failure = w.flush(); !more || failure != nil || !found.wants(cur.ts) {
				break
			}
			w.ts = cur.ts
		}
		if w.filter != nil && !filterRow(cur, w.filter, &w.columns) {
			continue
		}
		if line, labels, keep := w.stream.Process(cur.ts, cur.line(), cur.metadata()); keep {
			matched++
			w.collect(line, labels)
		}
	}
	if failure == nil {
		_, failure = w.flush()
	}
	x.counters.matched.Add(matched)
	if err := cur.close(); err != nil {
		return err
	}
	return failure
}

// logWalk is a walk over a run for a log query. The entries of one timestamp are collected before they are offered, because entries that
// the pipeline has made equal are shown once: in the place of the one that arrived first.
type logWalk struct {
	run    *run
	stream *pipeline.StreamPipeline
	// filter drops entries by their columns before their lines are rebuilt; nil when the pipeline has none that could.
	filter  *pipeline.StreamFilter
	columns shapes
	lanes   lanes
	found   *nearest
	shown   map[*pipeline.LabelsResult]*EntryLabels
	byHash  map[uint64]*EntryLabels // of Merged; so that equal labels are one pointer, whichever results they came from

	ts    int64
	group []candidate
	seq   int64
}

func newLogWalk(r *run, compiled *pipeline.Pipeline, found *nearest) *logWalk {
	w := &logWalk{
		run: r, stream: compiled.ForStream(r.labels), found: found,
		shown: map[*pipeline.LabelsResult]*EntryLabels{}, byHash: map[uint64]*EntryLabels{},
	}
	if w.filter = compiled.Filter(r.labels); w.filter != nil {
		w.columns.of, w.lanes.reads = w.filter.Shape, w.filter.MetadataRead()
	}
	return w
}

// choose gives the rows of a chunk that the filter may keep.
func (w *logWalk) choose(s *source, from, end int) chunk.Rows {
	return w.lanes.keptRows(s, w.filter, &w.columns, from, end)
}

func (w *logWalk) collect(line []byte, labels *pipeline.LabelsResult) {
	ls := w.shown[labels]
	if ls == nil {
		ls = entryLabels(labels)
		if known := w.byHash[labels.Hash]; known == nil {
			w.byHash[labels.Hash] = ls
		} else if known.equal(ls) {
			ls = known
		}
		w.shown[labels] = ls
	}
	w.group = append(w.group, candidate{Entry: Entry{Timestamp: w.ts, Line: string(line), Labels: ls}, stream: w.run.stream, seq: w.seq})
	w.seq++
}

// flush offers the collected entries. more is false when no later entry of the walk can be among the nearest.
func (w *logWalk) flush() (more bool, err error) {
	if len(w.group) > 1 {
		w.distinct()
	}
	more = true
	for _, c := range w.group {
		if more, err = w.found.add(c); !more || err != nil {
			break
		}
	}
	w.group = w.group[:0]
	return more, err
}

func (w *logWalk) distinct() {
	if w.found.backward {
		slices.Reverse(w.group)
	}
	type shown struct {
		labels *EntryLabels
		line   string
	}
	seen := make(map[shown]bool, len(w.group))
	w.group = slices.DeleteFunc(w.group, func(c candidate) bool {
		k := shown{c.Labels, c.Line}
		repeated := seen[k]
		seen[k] = true
		return repeated
	})
	if w.found.backward {
		slices.Reverse(w.group)
	}
}

// candidate is an entry with what orders it among entries of equal timestamp: its stream, and its place in the walk over the stream.
type candidate struct {
	Entry
	stream int
	seq    int64
}

// nearest keeps the limit entries that come first in the query's direction. Entries of equal timestamp are ordered by stream (reversed
// backward) and by the walk, so the outcome does not depend on the order in which they are added.
type nearest struct {
	limit    int // 0 = all
	backward bool
	memory   *memory

	mu    sync.Mutex
	heap  []candidate // the last in the query's direction on top
	full  atomic.Bool
	bound atomic.Int64 // when full: the timestamp of the last one
}

func newNearest(limit int, backward bool, m *memory) *nearest {
	return &nearest{limit: limit, backward: backward, memory: m}
}

// wants reports whether an entry at ts may be among the nearest.
func (n *nearest) wants(ts int64) bool {
	if !n.full.Load() {
		return true
	}
	if n.backward {
		return ts >= n.bound.Load()
	}
	return ts <= n.bound.Load()
}

func (n *nearest) precedes(a, b *candidate) bool {
	switch {
	case a.Timestamp != b.Timestamp:
		return (a.Timestamp < b.Timestamp) != n.backward
	case a.stream != b.stream:
		return (a.stream < b.stream) != n.backward
	}
	return a.seq < b.seq
}

const entryOverhead = 96

// add offers an entry. more is false when no later entry of the same walk can be among the nearest.
func (n *nearest) add(c candidate) (more bool, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.limit > 0 && len(n.heap) == n.limit {
		if !n.precedes(&c, &n.heap[0]) {
			return false, nil
		}
		err = n.memory.take(int64(len(c.Line) - len(n.heap[0].Line)))
		n.heap[0] = c
		heap.Fix((*candidateHeap)(n), 0)
	} else {
		err = n.memory.take(int64(len(c.Line)) + entryOverhead)
		heap.Push((*candidateHeap)(n), c)
	}
	if n.limit > 0 && len(n.heap) == n.limit {
		n.bound.Store(n.heap[0].Timestamp)
		n.full.Store(true)
	}
	return true, err
}

// entries gives what was kept, in the query's direction.
func (n *nearest) entries() []Entry {
	slices.SortFunc(n.heap, func(a, b candidate) int {
		if n.precedes(&a, &b) {
			return -1
		}
		return 1
	})
	out := make([]Entry, len(n.heap))
	for i := range n.heap {
		out[i] = n.heap[i].Entry
	}
	return out
}

type candidateHeap nearest

func (h *candidateHeap) Len() int           { return len(h.heap) }
func (h *candidateHeap) Less(i, j int) bool { return (*nearest)(h).precedes(&h.heap[j], &h.heap[i]) }
func (h *candidateHeap) Swap(i, j int)      { h.heap[i], h.heap[j] = h.heap[j], h.heap[i] }
func (h *candidateHeap) Push(v any)         { h.heap = append(h.heap, v.(candidate)) }

func (h *candidateHeap) Pop() any {
	last := h.heap[len(h.heap)-1]
	h.heap = h.heap[:len(h.heap)-1]
	return last
}

// thin keeps an entry, then the next one that is at least interval away from it, and so on.
func thin(entries []Entry, interval int64) []Entry {
	if interval <= 0 || len(entries) == 0 {
		return entries
	}
	kept := entries[:1]
	for _, e := range entries[1:] {
		if d := e.Timestamp - kept[len(kept)-1].Timestamp; d >= interval || -d >= interval {
			kept = append(kept, e)
		}
	}
	return kept
}
