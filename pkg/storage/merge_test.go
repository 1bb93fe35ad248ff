package storage

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

type fakeChunk struct {
	meta chunk.Meta
	list int
}

func (c fakeChunk) Meta() chunk.Meta                           { return c.meta }
func (c fakeChunk) Open(context.Context) (chunk.Reader, error) { return chunk.NewSliceReader(nil), nil }

// Merging gives every stream once, in order, with all its chunks by Order; equal orders stay in the order of the lists.
func TestMergeStreams(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 0))
		want := map[string][]fakeChunk{}
		var lists [][]Stream
		for list := range r.IntN(6) {
			var streams []Stream
			for id := range r.IntN(8) {
				if r.IntN(2) == 0 {
					continue
				}
				s := Stream{Labels: labels.FromStrings("id", fmt.Sprint(id))}
				order := uint64(0)
				for range 1 + r.IntN(4) {
					order += uint64(r.IntN(3))
					c := fakeChunk{chunk.Meta{Order: order}, list}
					s.Chunks = append(s.Chunks, c)
					want[s.Labels.String()] = append(want[s.Labels.String()], c)
				}
				streams = append(streams, s)
			}
			lists = append(lists, streams)
		}
		got := MergeStreams(lists...)
		require.Len(t, got, len(want))
		require.True(t, slices.IsSortedFunc(got, func(a, b Stream) int { return labels.Compare(a.Labels, b.Labels) }))
		for _, s := range got {
			w := want[s.Labels.String()]
			slices.SortStableFunc(w, func(a, b fakeChunk) int { return int(a.meta.Order) - int(b.meta.Order) })
			require.Len(t, s.Chunks, len(w))
			for i := range w {
				require.Equal(t, w[i], s.Chunks[i])
			}
		}
	}
}

func TestMergeStrings(t *testing.T) {
	require.Equal(t, []string{"a", "b", "c"}, MergeStrings([]string{"a", "c"}, nil, []string{"b", "c"}))
	require.Empty(t, MergeStrings(nil, nil))
}
