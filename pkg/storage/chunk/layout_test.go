package chunk

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
)

// A layout says of all rows what they say one by one.
func TestLayoutIsWhatRowsGive(t *testing.T) {
	laidOut, not := 0, 0
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 13))
		entries := randomMetadata(r, 1+r.IntN(400))
		for i := range entries {
			entries[i].Line = []byte([]string{fmt.Sprintf("took %d ms", r.IntN(1000)), fmt.Sprintf(`{"a":%d}`, r.IntN(9)), "same"}[r.IntN(1+int(seed%3))])
		}
		data, meta, err := Encode(nil, EncodingColumnar, entries, 0)
		require.NoError(t, err)
		reader, err := Open(data, meta)
		require.NoError(t, err)
		if r.IntN(2) == 0 { // some rows before
			for row := range r.IntN(len(entries)) {
				reader.Metadata(row, nil)
				reader.(Shaper).Shape(row)
			}
		}
		var wanted func(string) bool
		if seed%2 == 0 {
			wanted = func(name string) bool { return name != "name1" && name != "name2" }
		}
		layout, ok := reader.(Layouter).Layout(wanted)
		if !ok {
			not++
			continue
		}
		laidOut++
		times := reader.(Layouter).Timestamps()
		for row := range entries {
			require.Equal(t, entries[row].Timestamp, times[row])
			metadata := slices.Clone(entries[row].Metadata)
			if wanted != nil {
				metadata = slices.DeleteFunc(metadata, func(l labels.Label) bool { return !wanted(l.Name) })
			}
			require.True(t, slices.Equal(metadata, layout.Metadata[layout.Set(row)]))
			shape, at := reader.(Shaper).Shape(row)
			id, place := layout.Shape(row)
			require.Same(t, shape, &layout.Shapes[id])
			require.Equal(t, at, place)
		}
		require.NoError(t, Fault(reader))
		reader.Close()
	}
	require.Greater(t, laidOut, 30)
	require.Positive(t, not)
}
