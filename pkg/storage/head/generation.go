package head

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

// Generation is the entries between two flushes. A sealed one does not change, except that its chunks get encoded.
type Generation struct {
	head *Head

	mu   sync.Mutex // guards data
	data []*tenantData

	memory, raw atomic.Int64
	since       atomic.Int64 // Unix nanoseconds of the first application; 0 = none
}

func newGeneration(h *Head) *Generation { return &Generation{head: h} }

func (g *Generation) add(d *tenantData) {
	g.mu.Lock()
	g.data = append(g.data, d)
	g.mu.Unlock()
}

// count adds to the generation's totals, and raw bytes to the head's.
func (g *Generation) count(raw, memory int64) {
	g.memory.Add(memory)
	if raw != 0 {
		g.raw.Add(raw)
		g.head.raw.Add(raw)
	}
}

// Since is when the generation's first entries came; zero: none did.
func (g *Generation) Since() time.Time {
	ns := g.since.Load()
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns)
}

// Empty reports whether the generation holds nothing.
func (g *Generation) Empty() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.data) == 0
}

// Tenants returns the tenants of which the generation still holds entries, sorted. The generation must be sealed.
func (g *Generation) Tenants() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := make([]string, 0, len(g.data))
	for _, d := range g.data {
		out = append(out, d.tenant.id)
	}
	slices.Sort(out)
	return out
}

func (g *Generation) of(tenantID string) *tenantData {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, d := range g.data {
		if d.tenant.id == tenantID {
			return d
		}
	}
	return nil
}

// DayChunks are a tenant's chunks of one UTC day, in the order in which a segment stores them.
type DayChunks struct {
	Day    segment.Day
	Chunks []StreamChunk
}

// StreamChunk is an encoded chunk and its stream.
type StreamChunk struct {
	Labels labels.Labels
	Chunk  segment.EncodedChunk
}

// Encode encodes what is not encoded yet of a tenant and returns its chunks by day. The generation must be sealed.
func (g *Generation) Encode(ctx context.Context, tenantID string) ([]DayChunks, error) {
	d := g.of(tenantID)
	if d == nil {
		return nil, nil
	}
	type sortable struct {
		series *Series
		stream *stream
	}
	t := d.tenant
	t.mu.Lock()
	streams := make([]sortable, 0, len(d.streams))
	var jobs []encodeJob
	for s, st := range d.streams {
		if st.open != nil {
			st.cut()
		}
		streams = append(streams, sortable{s, st})
		for _, sl := range st.sealed {
			if sl.chunks == nil {
				jobs = append(jobs, encodeJob{d, sl})
			}
		}
	}
	t.mu.Unlock()
	if err := encodeAll(ctx, jobs, g.head.opts.Encoders); err != nil {
		return nil, err
	}
	slices.SortFunc(streams, func(a, b sortable) int { return labels.Compare(a.series.Labels(), b.series.Labels()) })
	days := map[segment.Day]*DayChunks{}
	for _, s := range streams {
		var chunks []*encodedChunk
		for _, sl := range s.stream.sealed {
			chunks = append(chunks, sl.chunks...)
		}
		slices.SortStableFunc(chunks, func(a, b *encodedChunk) int {
			return cmp.Or(cmp.Compare(a.meta.MinT, b.meta.MinT), cmp.Compare(a.meta.Order, b.meta.Order))
		})
		for _, c := range chunks {
			day := segment.DayOf(c.meta.MinT)
			dc := days[day]
			if dc == nil {
				dc = &DayChunks{Day: day}
				days[day] = dc
			}
			dc.Chunks = append(dc.Chunks, StreamChunk{s.series.Labels(), segment.EncodedChunk{Meta: c.meta, Data: c.data, Packed: &c.filter}})
		}
	}
	out := make([]DayChunks, 0, len(days))
	for _, dc := range days {
		out = append(out, *dc)
	}
	slices.SortFunc(out, func(a, b DayChunks) int { return cmp.Compare(a.Day, b.Day) })
	return out, nil
}

// Drop lets go of a tenant's entries, which are in segments now. Snapshots taken before keep them.
func (g *Generation) Drop(tenantID string) {
	d := g.of(tenantID)
	if d == nil {
		return
	}
	g.mu.Lock()
	g.data = slices.DeleteFunc(g.data, func(x *tenantData) bool { return x == d })
	g.mu.Unlock()
	t := d.tenant
	t.mu.Lock()
	t.data = slices.DeleteFunc(slices.Clone(t.data), func(x *tenantData) bool { return x == d })
	d.dropped = true
	memory, raw := d.memory, d.stats.RawBytes
	for s := range d.streams {
		if s.generation == d {
			s.current, s.generation = nil, nil
		}
	}
	t.mu.Unlock()
	g.memory.Add(-memory)
	g.raw.Add(-raw)
	g.head.memory.Add(-memory)
	g.head.raw.Add(-raw)
}
