package query

import (
	"context"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage"
)

// Selection is what the metadata calls are about: streams with entries in [Start, End], both inclusive.
type Selection struct {
	Tenant     string
	Start, End int64
	Matchers   []*labels.Matcher // none = all streams
	Limits     Limits
	Now        int64 // 0 = the clock
}

// with runs f on a snapshot of the selection's range, after the limits on its length and lookback. f is not called when the range is empty.
func (e *Engine) with(ctx context.Context, s Selection, f func(ctx context.Context, s Selection, snap storage.Snapshot) error) error {
	if s.End < s.Start {
		return badRequest("end timestamp must not be before or equal to start time")
	}
	if err := s.Limits.checkLength(time.Duration(Span(s.Start, s.End))); err != nil {
		return err
	}
	if err := s.Limits.checkMatchers([][]*labels.Matcher{s.Matchers}); err != nil {
		return err
	}
	q := planned{params: Params{Limits: s.Limits, Now: s.Now}}
	var empty bool
	if s.Start, empty = q.lookback(s.Start, s.End); empty {
		return nil
	}
	return e.admit(ctx, s.Tenant, &s.Limits, func(ctx context.Context) error {
		snap, err := e.source.Snapshot(ctx, s.Tenant, s.Start, s.End)
		if err != nil {
			return err
		}
		defer snap.Close()
		return f(ctx, s, snap)
	})
}

// Labels gives the sorted names of stream labels.
func (e *Engine) Labels(ctx context.Context, s Selection) (names []string, err error) {
	err = e.with(ctx, s, func(ctx context.Context, s Selection, snap storage.Snapshot) (err error) {
		names, err = snap.LabelNames(ctx, s.Start, s.End, s.Matchers...)
		return err
	})
	return names, err
}

// LabelValues gives the sorted values of a stream label.
func (e *Engine) LabelValues(ctx context.Context, s Selection, name string) (values []string, err error) {
	err = e.with(ctx, s, func(ctx context.Context, s Selection, snap storage.Snapshot) (err error) {
		values, err = snap.LabelValues(ctx, name, s.Start, s.End, s.Matchers...)
		return err
	})
	return values, err
}

// Series gives the label sets of the streams that any of the selectors selects, sorted, each once. No selectors select every stream.
func (e *Engine) Series(ctx context.Context, s Selection, selectors [][]*labels.Matcher) (sets []labels.Labels, err error) {
	if len(selectors) == 0 {
		selectors = [][]*labels.Matcher{nil}
	}
	if err := s.Limits.checkMatchers(selectors); err != nil {
		return nil, err
	}
	err = e.with(ctx, s, func(ctx context.Context, s Selection, snap storage.Snapshot) error {
		for _, matchers := range selectors {
			streams, err := snap.Select(ctx, s.Start, s.End, matchers...)
			if err != nil {
				return err
			}
			for _, st := range streams {
				sets = append(sets, st.Labels)
			}
		}
		return nil
	})
	slices.SortFunc(sets, labels.Compare)
	return slices.CompactFunc(sets, labels.Equal), err
}

// IndexStats counts what a selection holds, from the chunk directory: chunks that reach over the ends count in proportion.
type IndexStats struct {
	Streams int64
	Chunks  int64
	Bytes   int64 // uncompressed, lines and structured metadata
	Entries int64
}

// IndexStats gives the size of a selection.
func (e *Engine) IndexStats(ctx context.Context, s Selection) (stats IndexStats, err error) {
	err = e.with(ctx, s, func(ctx context.Context, s Selection, snap storage.Snapshot) error {
		streams, err := snap.Select(ctx, s.Start, s.End, s.Matchers...)
		if err != nil {
			return err
		}
		for _, st := range streams {
			stats.Streams++
			for _, c := range st.Chunks {
				m := c.Meta()
				share := overlap(m.MinT, m.MaxT, s.Start, s.End)
				stats.Chunks++
				stats.Bytes += int64(share*float64(m.RawBytes) + 0.5)
				stats.Entries += int64(share*float64(m.Rows) + 0.5)
			}
		}
		return nil
	})
	return stats, err
}

// overlap is the share of [minT, maxT] that lies in [from, to].
func overlap(minT, maxT, from, to int64) float64 {
	lo, hi := max(minT, from), min(maxT, to)
	switch {
	case hi < lo:
		return 0
	case maxT == minT:
		return 1
	}
	return float64(hi-lo+1) / float64(maxT-minT+1)
}
