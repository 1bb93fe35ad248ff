package segment

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/tsdb/index"

	"github.com/cambium-logs/cambium/pkg/storage"
)

// checkEvery is the number of series between two looks at the context.
const checkEvery = 1 << 10

// Select gives the streams that all matchers match and that have a chunk between mint and maxt (both inclusive), sorted by labels.
// The chunks are those that overlap the range, by ascending Order. Without matchers it gives all streams.
func (r *Reader) Select(ctx context.Context, mint, maxt int64, matchers ...*labels.Matcher) ([]storage.Stream, error) {
	var out []storage.Stream
	err := r.forEachStream(ctx, mint, maxt, matchers, func(ls func() labels.Labels, refs []int) {
		slices.SortStableFunc(refs, func(a, b int) int { return cmp.Compare(r.entries[a].order, r.entries[b].order) })
		s := storage.Stream{Labels: ls(), Chunks: make([]storage.Chunk, len(refs))}
		for i, ordinal := range refs {
			s.Chunks[i] = ChunkRef{r, ordinal}
		}
		out = append(out, s)
	})
	return out, err
}

// Stream is a stream of a segment with its chunks in segment order, which is mostly by MinT.
type Stream struct {
	Labels labels.Labels
	Chunks []ChunkRef
}

// All goes over the streams in the order of labels. After an error it ends.
func (r *Reader) All(ctx context.Context) iter.Seq2[Stream, error] {
	return func(yield func(Stream, error) bool) {
		stop := errors.New("stopped")
		err := r.Streams(ctx, func(s Stream) error {
			if !yield(s, nil) {
				return stop
			}
			return nil
		})
		if err != nil && !errors.Is(err, stop) {
			yield(Stream{}, err)
		}
	}
}

// Streams calls f with every stream in the order of labels until f gives an error.
func (r *Reader) Streams(ctx context.Context, f func(Stream) error) error {
	var failed error
	err := r.forEachStream(ctx, r.footer.MinT, r.footer.MaxT, nil, func(ls func() labels.Labels, refs []int) {
		if failed != nil {
			return
		}
		s := Stream{Labels: ls(), Chunks: make([]ChunkRef, len(refs))}
		for i, ordinal := range refs {
			s.Chunks[i] = ChunkRef{r, ordinal}
		}
		failed = f(s)
	})
	if failed != nil {
		return failed
	}
	return err
}

// LabelNames gives the sorted label names of the streams that Select would give.
func (r *Reader) LabelNames(ctx context.Context, mint, maxt int64, matchers ...*labels.Matcher) (names []string, err error) {
	if len(matchers) == 0 && r.covered(mint, maxt) {
		defer recoverCorrupt("index of segment "+r.path, &err)
		names, err = r.index.LabelNames(ctx)
		return cloneAll(names), r.wrapIndex(err)
	}
	set := map[string]struct{}{}
	err = r.forEachStream(ctx, mint, maxt, matchers, func(ls func() labels.Labels, _ []int) {
		ls().Range(func(l labels.Label) { set[l.Name] = struct{}{} })
	})
	return slices.Sorted(maps.Keys(set)), err
}

// LabelValues gives the sorted values of a label over the streams that Select would give.
func (r *Reader) LabelValues(ctx context.Context, name string, mint, maxt int64, matchers ...*labels.Matcher) (values []string, err error) {
	if len(matchers) == 0 && r.covered(mint, maxt) {
		defer recoverCorrupt("index of segment "+r.path, &err)
		values, err = r.index.SortedLabelValues(ctx, name, nil)
		return cloneAll(values), r.wrapIndex(err)
	}
	set := map[string]struct{}{}
	err = r.forEachStream(ctx, mint, maxt, matchers, func(ls func() labels.Labels, _ []int) {
		if v := ls().Get(name); v != "" {
			set[v] = struct{}{}
		}
	})
	return slices.Sorted(maps.Keys(set)), err
}

// covered reports whether every chunk lies within the range.
func (r *Reader) covered(mint, maxt int64) bool {
	return mint <= r.footer.MinT && maxt >= r.footer.MaxT
}

// forEachStream calls f with the labels of every selected stream and the ordinals of its chunks in the range. The slice is f's to keep or change until it returns.
func (r *Reader) forEachStream(ctx context.Context, mint, maxt int64, matchers []*labels.Matcher, f func(ls func() labels.Labels, refs []int)) (err error) {
	defer recoverCorrupt("index of segment "+r.path, &err)
	postings, err := r.postings(ctx, matchers)
	if err != nil {
		return r.wrapIndex(err)
	}
	var builder labels.ScratchBuilder
	var series []chunks.Meta
	var refs []int
	ls := func() labels.Labels { return builder.Labels() }
	for n := 0; postings.Next(); n++ {
		if n%checkEvery == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		if err := r.index.Series(postings.At(), &builder, &series); err != nil {
			return r.wrapIndex(fmt.Errorf("%w: %w", ErrCorrupt, err))
		}
		if refs, err = r.chunksOf(series, mint, maxt, refs[:0]); err != nil {
			return r.wrapIndex(err)
		}
		if len(refs) > 0 {
			f(ls, refs)
		}
	}
	if err := postings.Err(); err != nil {
		return r.wrapIndex(err)
	}
	return nil
}

func (r *Reader) postings(ctx context.Context, matchers []*labels.Matcher) (index.Postings, error) {
	if len(matchers) == 0 {
		name, value := index.AllPostingsKey()
		return r.index.Postings(ctx, name, value)
	}
	return tsdb.PostingsForMatchers(ctx, r.index, matchers...)
}

// chunksOf appends the ordinals of a series' chunks in the range.
func (r *Reader) chunksOf(series []chunks.Meta, mint, maxt int64, refs []int) ([]int, error) {
	if len(series) != 1 || uint64(series[0].Ref) >= uint64(len(r.entries)) || !r.entries[series[0].Ref].first {
		return refs, fmt.Errorf("%w: series does not refer to the first chunk of a stream", ErrCorrupt)
	}
	if series[0].MinTime > maxt || series[0].MaxTime < mint {
		return refs, nil
	}
	first := int(series[0].Ref)
	for i := first; i < len(r.entries) && (i == first || !r.entries[i].first); i++ {
		if r.entries[i].overlaps(mint, maxt) {
			refs = append(refs, i)
		}
	}
	return refs, nil
}

func (r *Reader) wrapIndex(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("read index of segment %s: %w", r.path, err)
}

// cloneAll detaches strings from the index's memory.
func cloneAll(in []string) []string {
	for i, s := range in {
		in[i] = strings.Clone(s)
	}
	return in
}

var _ tsdb.IndexReader = (*index.Reader)(nil)
