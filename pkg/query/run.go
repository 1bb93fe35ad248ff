package query

import (
	"slices"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage"
)

// run is a set of chunks of one stream that no other chunk of the stream overlaps in time, so that runs can be read apart from each other:
// equal entries and equal timestamps of a stream always lie in the same run.
type run struct {
	stream     int // position of the stream in the selection; orders entries of different streams with equal timestamps
	labels     labels.Labels
	chunks     []storage.Chunk // ascending Order
	minT, maxT int64
	rawBytes   int64
	rows       int
}

// streamRuns splits a stream's chunks into runs in ascending time.
func streamRuns(index int, st storage.Stream) []run {
	if len(st.Chunks) == 0 {
		return nil
	}
	type span struct {
		c          storage.Chunk
		minT, maxT int64
	}
	spans := make([]span, len(st.Chunks))
	for i, c := range st.Chunks {
		m := c.Meta()
		spans[i] = span{c: c, minT: m.MinT, maxT: m.MaxT}
	}
	slices.SortStableFunc(spans, func(a, b span) int {
		switch {
		case a.minT < b.minT:
			return -1
		case a.minT > b.minT:
			return 1
		}
		return 0
	})
	var runs []run
	for _, s := range spans {
		if n := len(runs); n == 0 || s.minT > runs[n-1].maxT {
			runs = append(runs, run{stream: index, labels: st.Labels, minT: s.minT, maxT: s.maxT})
		}
		r := &runs[len(runs)-1]
		m := s.c.Meta()
		r.chunks = append(r.chunks, s.c)
		r.maxT = max(r.maxT, s.maxT)
		r.rawBytes += m.RawBytes
		r.rows += m.Rows
	}
	for i := range runs {
		slices.SortStableFunc(runs[i].chunks, func(a, b storage.Chunk) int {
			x, y := a.Meta().Order, b.Meta().Order
			switch {
			case x < y:
				return -1
			case x > y:
				return 1
			}
			return 0
		})
	}
	return runs
}
