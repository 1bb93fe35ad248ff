package storage

import (
	"cmp"
	"container/heap"
	"context"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
)

// Merge shows several snapshots of one tenant as one. Closing it closes them all.
func Merge(snapshots ...Snapshot) Snapshot {
	if len(snapshots) == 1 {
		return snapshots[0]
	}
	return merged(snapshots)
}

type merged []Snapshot

func (m merged) Select(ctx context.Context, mint, maxt int64, matchers ...*labels.Matcher) ([]Stream, error) {
	lists := make([][]Stream, len(m))
	for i, s := range m {
		var err error
		if lists[i], err = s.Select(ctx, mint, maxt, matchers...); err != nil {
			return nil, err
		}
	}
	return MergeStreams(lists...), nil
}

func (m merged) LabelNames(ctx context.Context, mint, maxt int64, matchers ...*labels.Matcher) ([]string, error) {
	return m.strings(func(s Snapshot) ([]string, error) { return s.LabelNames(ctx, mint, maxt, matchers...) })
}

func (m merged) LabelValues(ctx context.Context, name string, mint, maxt int64, matchers ...*labels.Matcher) ([]string, error) {
	return m.strings(func(s Snapshot) ([]string, error) { return s.LabelValues(ctx, name, mint, maxt, matchers...) })
}

func (m merged) strings(get func(Snapshot) ([]string, error)) ([]string, error) {
	lists := make([][]string, len(m))
	for i, s := range m {
		var err error
		if lists[i], err = get(s); err != nil {
			return nil, err
		}
	}
	return MergeStrings(lists...), nil
}

func (m merged) Close() {
	for _, s := range m {
		s.Close()
	}
}

// MergeStreams merges lists that are each sorted by labels with each label set once. Chunks of one stream come together by ascending Order,
// those of equal Order in the order of the lists. It may reuse the lists' memory.
func MergeStreams(lists ...[]Stream) []Stream {
	lists = slices.DeleteFunc(slices.Clone(lists), func(l []Stream) bool { return len(l) == 0 })
	switch len(lists) {
	case 0:
		return nil
	case 1:
		return lists[0]
	}
	h := make(streamHeap, len(lists))
	most := 0
	for i, l := range lists {
		h[i] = streamCursor{l, i}
		most = max(most, len(l))
	}
	heap.Init(&h)
	out := make([]Stream, 0, most)
	combined := false // whether the last stream of out has chunks of several lists, in memory of its own
	finish := func() {
		if combined {
			slices.SortStableFunc(out[len(out)-1].Chunks, func(a, b Chunk) int { return cmp.Compare(a.Meta().Order, b.Meta().Order) })
		}
		combined = false
	}
	for len(h) > 0 {
		s := h[0].list[0]
		if h[0].list = h[0].list[1:]; len(h[0].list) == 0 {
			heap.Pop(&h)
		} else {
			heap.Fix(&h, 0)
		}
		if n := len(out); n > 0 && labels.Equal(out[n-1].Labels, s.Labels) {
			if !combined {
				out[n-1].Chunks = slices.Clone(out[n-1].Chunks)
				combined = true
			}
			out[n-1].Chunks = append(out[n-1].Chunks, s.Chunks...)
			continue
		}
		if len(out) > 0 {
			finish()
		}
		out = append(out, s)
	}
	finish()
	return out
}

type streamCursor struct {
	list   []Stream // not empty
	number int
}

type streamHeap []streamCursor

func (h streamHeap) Len() int { return len(h) }
func (h streamHeap) Less(i, j int) bool {
	if c := labels.Compare(h[i].list[0].Labels, h[j].list[0].Labels); c != 0 {
		return c < 0
	}
	return h[i].number < h[j].number
}
func (h streamHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *streamHeap) Push(x any)   { *h = append(*h, x.(streamCursor)) }
func (h *streamHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

// MergeStrings merges sorted lists of distinct strings into one.
func MergeStrings(lists ...[]string) []string {
	lists = slices.DeleteFunc(slices.Clone(lists), func(l []string) bool { return len(l) == 0 })
	if len(lists) == 0 {
		return nil
	}
	if len(lists) == 1 {
		return lists[0]
	}
	n := 0
	for _, l := range lists {
		n += len(l)
	}
	all := make([]string, 0, n)
	for _, l := range lists {
		all = append(all, l...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
