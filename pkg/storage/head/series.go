package head

import (
	"github.com/cespare/xxhash/v2"
	"github.com/prometheus/prometheus/model/labels"
	promstorage "github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/index"

	"github.com/cambium-logs/cambium/pkg/storage/wal"
)

// Series is the identity of a stream: it outlives the generations that hold the stream's entries. The tenant's lock guards all but wal.
type Series struct {
	wal  wal.Series
	hash uint64
	next *Series // the next series with this hash

	current    *stream     // the stream in generation
	generation *tenantData // nil = none yet
	lastAppend int64       // Unix nanoseconds of the last push that named the series
}

// Labels returns the stream's label set.
func (s *Series) Labels() labels.Labels { return s.wal.Labels }

// WAL returns the series as the write-ahead log knows it.
func (s *Series) WAL() *wal.Series { return &s.wal }

// Ref identifies the series within the process.
func (s *Series) Ref() uint64 { return s.wal.Ref }

// HashLabels is the xxhash64 of the canonical form of a label set: name and value of each label in order of names, each ended by a byte
// that cannot occur in UTF-8.
func HashLabels(ls labels.Labels) uint64 {
	var array [512]byte
	b := array[:0]
	ls.Range(func(l labels.Label) {
		b = append(b, l.Name...)
		b = append(b, 0xff)
		b = append(b, l.Value...)
		b = append(b, 0xff)
	})
	return xxhash.Sum64(b)
}

// find returns the series with these labels, or nil. The lock is held.
func (t *tenant) find(hash uint64, ls labels.Labels) *Series {
	for s := t.series[hash]; s != nil; s = s.next {
		if labels.Equal(s.wal.Labels, ls) {
			return s
		}
	}
	return nil
}

// create adds a series. The lock is held.
func (t *tenant) create(hash uint64, ls labels.Labels) *Series {
	s := &Series{hash: hash, next: t.series[hash]}
	s.wal.Ref = t.head.lastRef.Add(1)
	s.wal.Labels = ls.Copy() // the caller's may lie in a request's buffer
	t.series[hash] = s
	t.byRef[promstorage.SeriesRef(s.wal.Ref)] = s
	if t.postings == nil {
		t.postings = index.NewMemPostings()
	}
	t.postings.Add(promstorage.SeriesRef(s.wal.Ref), s.wal.Labels)
	t.head.metrics.seriesCreated.Inc()
	return s
}

// forget removes series of which nothing is in memory and that no push has named since before. The lock is held.
func (t *tenant) forget(before int64) int {
	if len(t.snapshots) > 0 {
		return 0
	}
	gone := map[promstorage.SeriesRef]struct{}{}
	affected := map[labels.Label]struct{}{}
	for hash, s := range t.series {
		var kept *Series
		for s != nil {
			next := s.next
			if s.lastAppend < before && !t.holds(s) {
				gone[promstorage.SeriesRef(s.wal.Ref)] = struct{}{}
				s.wal.Labels.Range(func(l labels.Label) { affected[l] = struct{}{} })
				delete(t.byRef, promstorage.SeriesRef(s.wal.Ref))
			} else {
				s.next, kept = kept, s
			}
			s = next
		}
		if kept == nil {
			delete(t.series, hash)
		} else {
			t.series[hash] = kept
		}
	}
	if len(gone) > 0 {
		if t.postings.Delete(gone, affected); len(t.series) == 0 {
			t.postings = nil // they take much even when they are empty
		}
		t.head.metrics.seriesForgotten.Add(float64(len(gone)))
	}
	return len(gone)
}

// holds reports whether a living generation has entries of the series.
func (t *tenant) holds(s *Series) bool {
	for _, d := range t.data {
		if d.streams[s] != nil {
			return true
		}
	}
	return false
}
