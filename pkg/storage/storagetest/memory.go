// Package storagetest has an in-memory store behind the storage interfaces, for tests of what reads them.
package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"sync"
	"sync/atomic"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// Memory keeps one tenant's entries in chunks of ChunkRows arrivals. Chunks of a stream overlap when entries arrive out of order.
// Add may run concurrently with Snapshot.
type Memory struct {
	ChunkRows int            // arrivals per chunk; 0 = 100
	Encoding  chunk.Encoding // of the chunks; EncodingHead keeps them as they are

	mu      sync.Mutex
	streams map[string]*memoryStream

	opened, closed atomic.Int64
	// OpenErr, when set, is what opening a chunk gives.
	OpenErr error
}

type memoryStream struct {
	labels labels.Labels
	chunks []*memoryChunk
	open   []chunk.Entry // arrivals of the chunk that is being filled
}

// Add appends entries in order of arrival.
func (m *Memory) Add(ls labels.Labels, entries ...chunk.Entry) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.streams == nil {
		m.streams = map[string]*memoryStream{}
	}
	s := m.streams[ls.String()]
	if s == nil {
		s = &memoryStream{labels: ls}
		m.streams[ls.String()] = s
	}
	for _, e := range entries {
		s.open = append(s.open, e)
		if len(s.open) >= m.rows() {
			s.cut(m)
		}
	}
}

// Cut closes the chunks that are being filled, so that later entries go to new ones.
func (m *Memory) Cut() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.streams {
		s.cut(m)
	}
}

// Opened counts the chunks opened so far, and OpenNow those that nobody closed.
func (m *Memory) Opened() int64  { return m.opened.Load() }
func (m *Memory) OpenNow() int64 { return m.opened.Load() - m.closed.Load() }

func (m *Memory) rows() int {
	if m.ChunkRows > 0 {
		return m.ChunkRows
	}
	return 100
}

func (s *memoryStream) cut(m *Memory) {
	if len(s.open) == 0 {
		return
	}
	c := newChunk(m, s.open, uint64(len(s.chunks)+1))
	c.id = fmt.Sprintf("%p %s %d", m, s.labels, len(s.chunks))
	s.chunks = append(s.chunks, c)
	s.open = nil
}

func newChunk(m *Memory, arrivals []chunk.Entry, order uint64) *memoryChunk {
	if m.Encoding != chunk.EncodingHead {
		data, meta, err := chunk.Encode(nil, m.Encoding, chunk.Normalize(slices.Clone(arrivals)), order)
		if err != nil {
			panic(err)
		}
		return &memoryChunk{owner: m, meta: meta, data: data}
	}
	rows := slices.Clone(arrivals)
	sort.SliceStable(rows, func(i, j int) bool { return rows[i].Timestamp < rows[j].Timestamp })
	kept := rows[:0]
	for _, e := range rows {
		duplicate := false
		for i := len(kept) - 1; i >= 0 && kept[i].Timestamp == e.Timestamp; i-- {
			if bytes.Equal(kept[i].Line, e.Line) && slices.Equal(kept[i].Metadata, e.Metadata) {
				duplicate = true
				break
			}
		}
		if !duplicate {
			kept = append(kept, e)
		}
	}
	c := &memoryChunk{owner: m, rows: kept}
	c.meta = chunk.Meta{MinT: kept[0].Timestamp, MaxT: kept[len(kept)-1].Timestamp, Rows: len(kept), Encoding: chunk.EncodingHead, Order: order}
	for _, e := range kept {
		c.meta.LineBytes += int64(len(e.Line))
		c.meta.RawBytes += int64(len(e.Line))
		for _, l := range e.Metadata {
			c.meta.RawBytes += int64(len(l.Name) + len(l.Value))
		}
	}
	return c
}

// Snapshot gives what was added so far. The tenant is ignored.
func (m *Memory) Snapshot(_ context.Context, _ string, _, _ int64) (storage.Snapshot, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	snap := &memorySnapshot{}
	for _, s := range m.streams {
		st := storage.Stream{Labels: s.labels}
		for _, c := range s.chunks {
			st.Chunks = append(st.Chunks, c)
		}
		if len(s.open) > 0 {
			st.Chunks = append(st.Chunks, newChunk(m, s.open, uint64(len(s.chunks)+1)))
		}
		snap.streams = append(snap.streams, st)
	}
	slices.SortFunc(snap.streams, func(a, b storage.Stream) int { return labels.Compare(a.Labels, b.Labels) })
	return snap, nil
}

type memorySnapshot struct{ streams []storage.Stream }

func (s *memorySnapshot) Select(ctx context.Context, mint, maxt int64, matchers ...*labels.Matcher) ([]storage.Stream, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var out []storage.Stream
	for _, st := range s.streams {
		if !matches(st.Labels, matchers) {
			continue
		}
		var chunks []storage.Chunk
		for _, c := range st.Chunks {
			if meta := c.Meta(); meta.MinT <= maxt && meta.MaxT >= mint {
				chunks = append(chunks, c)
			}
		}
		if len(chunks) > 0 {
			out = append(out, storage.Stream{Labels: st.Labels, Chunks: chunks})
		}
	}
	return out, nil
}

func matches(ls labels.Labels, matchers []*labels.Matcher) bool {
	for _, m := range matchers {
		if !m.Matches(ls.Get(m.Name)) {
			return false
		}
	}
	return true
}

func (s *memorySnapshot) LabelNames(ctx context.Context, mint, maxt int64, matchers ...*labels.Matcher) ([]string, error) {
	return s.collect(ctx, mint, maxt, matchers, func(l labels.Label, add func(string)) { add(l.Name) })
}

func (s *memorySnapshot) LabelValues(ctx context.Context, name string, mint, maxt int64, matchers ...*labels.Matcher) ([]string, error) {
	return s.collect(ctx, mint, maxt, matchers, func(l labels.Label, add func(string)) {
		if l.Name == name {
			add(l.Value)
		}
	})
}

func (s *memorySnapshot) collect(ctx context.Context, mint, maxt int64, matchers []*labels.Matcher, each func(labels.Label, func(string))) ([]string, error) {
	streams, err := s.Select(ctx, mint, maxt, matchers...)
	if err != nil {
		return nil, err
	}
	seen := map[string]struct{}{}
	for _, st := range streams {
		st.Labels.Range(func(l labels.Label) { each(l, func(v string) { seen[v] = struct{}{} }) })
	}
	out := make([]string, 0, len(seen))
	for v := range seen {
		out = append(out, v)
	}
	slices.Sort(out)
	return out, nil
}

func (s *memorySnapshot) Close() {}

type memoryChunk struct {
	owner *Memory
	id    string // empty while the chunk is being filled
	meta  chunk.Meta
	rows  []chunk.Entry
	data  []byte // encoded; nil when rows are kept
}

func (c *memoryChunk) Meta() chunk.Meta { return c.meta }

// ID implements storage.Identified.
func (c *memoryChunk) ID() string { return c.id }

// Outline implements storage.Outlined.
func (c *memoryChunk) Outline(ctx context.Context, lengths bool) (*chunk.Outline, error) {
	if c.data != nil {
		return chunk.ReadOutline(c.meta, lengths, func(offset, length int64) ([]byte, error) { return c.data[offset : offset+length], ctx.Err() })
	}
	o := &chunk.Outline{}
	end := uint32(0)
	for _, e := range c.rows {
		end += uint32(len(e.Line))
		o.Times, o.Ends = append(o.Times, e.Timestamp), append(o.Ends, end)
	}
	return o, ctx.Err()
}

func (c *memoryChunk) Open(ctx context.Context) (chunk.Reader, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if c.owner.OpenErr != nil {
		return nil, c.owner.OpenErr
	}
	c.owner.opened.Add(1)
	if c.data != nil {
		lent := bytes.Clone(c.data)
		// Whoever keeps what a closed chunk gave gets to know it.
		r, err := chunk.OpenLent(lent, c.meta, func() {
			for i := range lent {
				lent[i] = '~'
			}
		})
		if err != nil {
			c.owner.closed.Add(1)
			return nil, err
		}
		return withColumns(&encodedReader{Reader: r, owner: c.owner}), nil
	}
	return &memoryReader{chunk: c}, nil
}

// encodedReader counts the closing of an encoded chunk.
type encodedReader struct {
	chunk.Reader
	owner *Memory
}

func (r *encodedReader) Close() {
	r.Reader.Close()
	r.owner.closed.Add(1)
}

// Err passes on what the encoding found wrong.
func (r *encodedReader) Err() error {
	return chunk.Fault(r.Reader)
}

// columnReader is an encodedReader whose encoding can search and knows skeletons and layouts.
type columnReader struct {
	*encodedReader
	chunk.Searcher
	chunk.Shaper
	chunk.Layouter
}

func withColumns(r *encodedReader) chunk.Reader {
	s, ok := r.Reader.(chunk.Searcher)
	h, ok2 := r.Reader.(chunk.Shaper)
	l, ok3 := r.Reader.(chunk.Layouter)
	if ok && ok2 && ok3 {
		return columnReader{r, s, h, l}
	}
	return r
}

type memoryReader struct {
	chunk  *memoryChunk
	closed atomic.Bool
}

// ErrClosed is what a use of a closed Reader panics with.
var ErrClosed = errors.New("chunk reader used after Close")

func (r *memoryReader) check() {
	if r.closed.Load() {
		panic(ErrClosed)
	}
}

func (r *memoryReader) Len() int { r.check(); return len(r.chunk.rows) }

func (r *memoryReader) Timestamp(row int) int64 { r.check(); return r.chunk.rows[row].Timestamp }

func (r *memoryReader) Line(row int, buf []byte) []byte {
	r.check()
	return append(buf[:0], r.chunk.rows[row].Line...)
}

func (r *memoryReader) Metadata(row int, buf []labels.Label) []labels.Label {
	r.check()
	return append(buf[:0], r.chunk.rows[row].Metadata...)
}

func (r *memoryReader) Close() {
	if r.closed.Swap(true) {
		panic("chunk reader closed twice")
	}
	r.chunk.owner.closed.Add(1)
}
