package verify

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
	"github.com/cambium-logs/cambium/pkg/tools/cli"
	"github.com/cespare/xxhash/v2"
)

const (
	// chunksPerPass bounds the chunks that are held in mind at a time, 40 bytes each; a day with more is gone through several times.
	chunksPerPass = 1 << 20
	// maxPairs bounds the pairs of chunks that are compared for one day.
	maxPairs = 20_000
	// openChunks is how many decoded chunks are kept for the next comparison.
	openChunks = 8
	// openSegments is how many indexes are kept for the next comparison.
	openSegments = 4
)

// span is where one chunk of a stream lies in time.
type span struct {
	stream     uint64 // hash of the labels
	minT, maxT int64
	segment    int32 // position in the list of segments
	ordinal    int32
}

// pair is two segments by their positions, ascending.
type pair struct{ a, b int32 }

// duplicates tells which segments hold equal entries. Readers show them once; they cost space and time.
func (dc *dayCheck) duplicates(ctx context.Context) error {
	if len(dc.sound) < 2 {
		return nil
	}
	total := 0
	for _, n := range dc.sound {
		total += dc.footers[n.ID].Chunks
	}
	passes := uint64(total/chunksPerPass + 1)
	counts := map[pair]int64{}
	comparer := &comparer{dc: dc, left: maxPairs}
	for pass := range passes {
		spans, err := dc.spans(ctx, pass, passes)
		if err == nil {
			err = comparer.compare(ctx, spans, counts)
		}
		if err != nil {
			if ctx.Err() == nil && dc.isNotFound(err) {
				return nil // a compaction replaced segments meanwhile
			}
			return err
		}
	}
	pairs := make([]pair, 0, len(counts))
	for p := range counts {
		pairs = append(pairs, p)
	}
	slices.SortFunc(pairs, func(x, y pair) int { return cmp.Or(cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b)) })
	for _, p := range pairs {
		dc.notice(dc.sound[p.a].Path(), fmt.Sprintf("%s with %s in common; queries show them once", cli.Plural(counts[p], "row"), dc.sound[p.b].ID))
	}
	if comparer.left < 0 {
		dc.notice(segment.DayDir(dc.day.Tenant, dc.day.Day), "so many chunks overlap that not all were searched for equal entries; compaction merges them")
	}
	return nil
}

// spans lists the chunks of every passes-th stream.
func (dc *dayCheck) spans(ctx context.Context, pass, passes uint64) ([]span, error) {
	var out []span
	for i, n := range dc.sound {
		r, err := segment.Open(ctx, dc.store.Bucket, n, 0)
		if err != nil {
			return nil, err
		}
		err = r.Streams(ctx, func(s segment.Stream) error {
			h := s.Labels.Hash()
			if h%passes != pass {
				return nil
			}
			for _, c := range s.Chunks {
				m := c.Meta()
				out = append(out, span{h, m.MinT, m.MaxT, int32(i), int32(c.Ordinal())})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.stream, b.stream), cmp.Compare(a.minT, b.minT), cmp.Compare(a.segment, b.segment), cmp.Compare(a.ordinal, b.ordinal))
	})
	return out, nil
}

// comparer counts the equal entries of overlapping chunks.
type comparer struct {
	dc      *dayCheck
	left    int // pairs
	opened  []opened
	readers []*segment.Reader
}

// opened is a chunk that was read lately.
type opened struct {
	span    span
	entries []chunk.Entry
}

func (c *comparer) compare(ctx context.Context, spans []span, counts map[pair]int64) error {
	var active []span
	for i, s := range spans {
		if i > 0 && spans[i-1].stream != s.stream {
			active = active[:0]
		}
		active = slices.DeleteFunc(active, func(a span) bool { return a.maxT < s.minT })
		for _, a := range active {
			if a.segment == s.segment {
				continue
			}
			if c.left--; c.left < 0 {
				return nil
			}
			n, err := c.common(ctx, a, s)
			if err != nil {
				return err
			}
			if n > 0 {
				counts[pair{min(a.segment, s.segment), max(a.segment, s.segment)}] += n
			}
		}
		active = append(active, s)
	}
	c.opened = nil
	return nil
}

// common counts the entries that two chunks have in common.
func (c *comparer) common(ctx context.Context, a, b span) (int64, error) {
	x, err := c.open(ctx, a)
	if err != nil {
		return 0, err
	}
	y, err := c.open(ctx, b)
	if err != nil {
		return 0, err
	}
	n := int64(0)
	i, k := 0, 0
	for i < len(x) && k < len(y) {
		t := x[i].Timestamp
		switch u := y[k].Timestamp; {
		case t < u:
			i++
		case t > u:
			k++
		default:
			iEnd, kEnd := runEnd(x, i), runEnd(y, k)
			n += equal(x[i:iEnd], y[k:kEnd])
			i, k = iEnd, kEnd
		}
	}
	return n, nil
}

// runEnd is the end of the run of equal timestamps that begins at i.
func runEnd(entries []chunk.Entry, i int) int {
	end := i + 1
	for end < len(entries) && entries[end].Timestamp == entries[i].Timestamp {
		end++
	}
	return end
}

// equal counts the entries that are in both lists, which have one timestamp and no two equal entries each.
func equal(x, y []chunk.Entry) int64 {
	if len(x)*len(y) <= 16 {
		n := int64(0)
		for i := range x {
			for k := range y {
				if x[i].Equal(&y[k]) {
					n++
				}
			}
		}
		return n
	}
	seen := make(map[uint64][]int, len(x))
	for i := range x {
		h := xxhash.Sum64(x[i].Line)
		seen[h] = append(seen[h], i)
	}
	n := int64(0)
	for k := range y {
		for _, i := range seen[xxhash.Sum64(y[k].Line)] {
			if bytes.Equal(x[i].Line, y[k].Line) && x[i].Equal(&y[k]) {
				n++
			}
		}
	}
	return n
}

// open reads a chunk, or gives one that was read lately.
func (c *comparer) open(ctx context.Context, s span) ([]chunk.Entry, error) {
	for i := range c.opened {
		if c.opened[i].span == s {
			return c.opened[i].entries, nil
		}
	}
	r, err := c.reader(ctx, c.dc.sound[s.segment])
	if err != nil {
		return nil, err
	}
	ref, err := r.Chunk(int(s.ordinal))
	if err != nil {
		return nil, err
	}
	reader, err := ref.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	made := opened{s, chunk.ReadAll(nil, reader)}
	if err := chunk.Fault(reader); err != nil {
		return nil, err
	}
	if len(c.opened) >= openChunks {
		c.opened = slices.Delete(c.opened, 0, 1)
	}
	c.opened = append(c.opened, made)
	return made.entries, nil
}

// reader opens a segment, or gives one that was opened lately.
func (c *comparer) reader(ctx context.Context, name segment.Name) (*segment.Reader, error) {
	for _, r := range c.readers {
		if r.Name() == name {
			return r, nil
		}
	}
	r, err := segment.Open(ctx, c.dc.store.Bucket, name, 0)
	if err != nil {
		return nil, err
	}
	if len(c.readers) >= openSegments {
		c.readers = slices.Delete(c.readers, 0, 1)
	}
	c.readers = append(c.readers, r)
	return r, nil
}
