package head

import (
	"sync"

	"github.com/prometheus/prometheus/model/labels"
	promstorage "github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/index"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// tenant is one tenant's part of the head.
type tenant struct {
	head *Head
	id   string

	mu           sync.RWMutex // guards what follows and everything that says so
	series       map[uint64]*Series
	byRef        map[promstorage.SeriesRef]*Series
	data         []*tenantData // the living generations' data, oldest first; empty ones are left out
	applied      uint64        // order of the last application
	lastReceived int64         // Unix nanoseconds
	snapshots    map[*Snapshot]struct{}
	pinned       []*sealed // encoded chunks whose buffers are kept for a snapshot
	listeners    []Listener
	forgotten    bool               // the head has another one under this id, or none
	postings     *index.MemPostings // has its own lock; nil = there are no series
}

// unused reports whether nothing was ever pushed and nobody looks. The lock is held.
func (t *tenant) unused() bool {
	return t.applied == 0 && !t.forgotten && len(t.series)+len(t.snapshots)+len(t.listeners) == 0
}

// tenantData is what one generation holds of one tenant. The tenant's lock guards it.
type tenantData struct {
	generation *Generation
	tenant     *tenant
	streams    map[*Series]*stream
	stats      Stats
	memory     int64
	dropped    bool // written to segments, and no longer counted
}

// stream is what one generation holds of one series.
type stream struct {
	sealed []*sealed // oldest first
	open   *buffer   // nil or not empty
}

// Stats describes entries in memory. Duplicates that have not been looked for yet are counted.
type Stats struct {
	Entries    int64
	RawBytes   int64 // lines and structured metadata
	MinT, MaxT int64 // nanoseconds; meaningless without entries
}

func (s *Stats) add(o Stats) {
	if o.Entries == 0 {
		return
	}
	if s.Entries == 0 {
		s.MinT, s.MaxT = o.MinT, o.MaxT
	}
	s.MinT, s.MaxT = min(s.MinT, o.MinT), max(s.MaxT, o.MaxT)
	s.Entries += o.Entries
	s.RawBytes += o.RawBytes
}

func newTenant(h *Head, id string) *tenant {
	return &tenant{head: h, id: id, series: map[uint64]*Series{}, byRef: map[promstorage.SeriesRef]*Series{}, snapshots: map[*Snapshot]struct{}{}}
}

// Batch is some entries of one series, in order of arrival.
type Batch struct {
	Series  *Series
	Entries []chunk.Entry
}

// Listener is told of every application while it happens, in order, under the tenant's lock: it must be quick and must not call the head.
// The entries share the head's memory: they never change, and the listener may keep them. The slices are the listener's too.
type Listener interface {
	// Wants says whether entries of this series are to be copied out for Applied.
	Wants(s *Series) bool
	Applied(order uint64, batches []Batch)
}

// resolve finds or makes the series of label sets; false when the tenant is forgotten.
func (t *tenant) resolve(now int64, sets []labels.Labels, hash func(labels.Labels) uint64, out []*Series) ([]*Series, bool) {
	hashes := make([]uint64, len(sets))
	for i, ls := range sets {
		hashes[i] = hash(ls)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.forgotten {
		return nil, false
	}
	for i, ls := range sets {
		s := t.find(hashes[i], ls)
		if s == nil {
			s = t.create(hashes[i], ls)
		}
		s.lastAppend = now
		out = append(out, s)
	}
	return out, true
}

// dataOf returns the data of a generation, made if need be. The lock is held.
func (t *tenant) dataOf(g *Generation) *tenantData {
	if n := len(t.data); n > 0 && t.data[n-1].generation == g {
		return t.data[n-1]
	}
	d := &tenantData{generation: g, tenant: t, streams: map[*Series]*stream{}}
	t.data = append(t.data, d)
	g.add(d)
	return d
}

// streamOf returns a series' stream in a generation, made if need be. The lock is held.
func (d *tenantData) streamOf(s *Series) *stream {
	if s.generation == d {
		return s.current
	}
	st := d.streams[s]
	if st == nil {
		st = &stream{}
		d.streams[s] = st
	}
	s.current, s.generation = st, d
	return st
}

// apply adds a push's entries to the generation. It returns the memory that this took.
func (t *tenant) apply(g *Generation, now int64, batches []Batch) int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	order := t.head.nextOrder()
	d := t.dataOf(g)
	var memory, raw int64
	var duplicates int
	for i := range batches {
		m, r, dup := t.applyStream(d, batches[i], order)
		memory, raw, duplicates = memory+m, raw+r, duplicates+dup
	}
	t.applied = order
	t.lastReceived = now
	d.memory += memory
	g.count(raw, memory)
	g.since.CompareAndSwap(0, now)
	t.head.metrics.duplicates.Add(float64(duplicates))
	t.notify(order, batches)
	return memory
}

func (t *tenant) applyStream(d *tenantData, batch Batch, order uint64) (memory, raw int64, duplicates int) {
	st := d.streamOf(batch.Series)
	expect := 0
	for i := range batch.Entries {
		expect += len(batch.Entries[i].Line) + 16*len(batch.Entries[i].Metadata)
	}
	for i := range batch.Entries {
		e := &batch.Entries[i]
		b := st.open
		var before, beforeRaw int64
		if b == nil {
			b = newBuffer(t.head.nextOrder())
			st.open = b
		} else {
			before, beforeRaw = b.memory, b.rawBytes
		}
		if !b.append(e, order, expect, len(batch.Entries)-i) {
			duplicates++
		} else {
			d.stats.add(Stats{Entries: 1, RawBytes: b.rawBytes - beforeRaw, MinT: e.Timestamp, MaxT: e.Timestamp})
			raw += b.rawBytes - beforeRaw
		}
		expect -= len(e.Line) + 16*len(e.Metadata)
		memory += b.memory - before
		if b.rawBytes >= t.head.opts.ChunkBytes || len(b.entries) >= t.head.opts.ChunkRows {
			t.head.encoder.enqueue(encodeJob{d, st.cut()})
		}
	}
	return memory, raw, duplicates
}

// cut seals the open buffer, which must be there.
func (st *stream) cut() *sealed {
	s := &sealed{buf: st.open, first: st.open.firstOrder(), last: st.open.lastOrder()}
	st.sealed = append(st.sealed, s)
	st.open = nil
	return s
}

// notify shows the entries just applied to the listeners. The lock is held.
func (t *tenant) notify(order uint64, batches []Batch) {
	for _, l := range t.listeners {
		var wanted []Batch
		for _, b := range batches {
			if l.Wants(b.Series) {
				wanted = append(wanted, Batch{Series: b.Series, Entries: cloneEntries(b.Entries)})
			}
		}
		if len(wanted) > 0 {
			l.Applied(order, wanted)
		}
	}
}

// cloneEntries copies entries with their bytes, which belong to the push.
func cloneEntries(entries []chunk.Entry) []chunk.Entry {
	var size int
	for i := range entries {
		_, n := metadataSize(entries[i].Metadata)
		size += len(entries[i].Line) + n
	}
	blk := make([]byte, 0, size)
	out := make([]chunk.Entry, len(entries))
	for i := range entries {
		e := &entries[i]
		start := len(blk)
		blk = append(blk, e.Line...)
		out[i] = chunk.Entry{Timestamp: e.Timestamp, Line: blk[start:len(blk):len(blk)]}
		if len(e.Metadata) > 0 {
			start = len(blk)
			blk = appendMetadata(blk, e.Metadata)
			out[i].Metadata = readMetadata(blk[start:], make([]labels.Label, 0, len(e.Metadata)))
		}
	}
	return out
}

// finishEncoding puts the chunks of a sealed buffer into place and frees the buffer, unless a snapshot sees only a part of it.
func (t *tenant) finishEncoding(d *tenantData, s *sealed, chunks []*encodedChunk) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s.chunks = chunks
	var change int64
	for _, c := range chunks {
		change += c.memory
	}
	change -= s.buf.memory
	if t.splits(s) {
		t.pinned = append(t.pinned, s)
	} else {
		s.buf = nil
	}
	if !d.dropped {
		d.memory += change
		d.generation.count(0, change)
		t.head.memory.Add(change)
	}
}

// splits reports whether some snapshot was taken in the middle of a sealed chunk. The lock is held.
func (t *tenant) splits(s *sealed) bool {
	for snap := range t.snapshots {
		if s.first <= snap.order && snap.order < s.last {
			return true
		}
	}
	return false
}
