package chunk

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
)

// randomMetadata makes structured metadata of one manner: names that all rows or some of them have, values that are the same, few, many or all different.
func randomMetadata(r *rand.Rand, n int) []Entry {
	type name struct {
		text     string
		distinct int // 0: all differ
		share    int // of 4 rows have it
	}
	var names []name
	for i := range r.IntN(5) {
		names = append(names, name{fmt.Sprintf("name%d", i), []int{0, 1, 2, 5, 40, 300}[r.IntN(6)], []int{4, 4, 3, 1}[r.IntN(4)]})
	}
	entries := make([]Entry, n)
	for i := range entries {
		entries[i] = Entry{Timestamp: int64(i), Line: []byte("x")}
		for _, m := range names {
			if r.IntN(4) >= m.share {
				continue
			}
			v := i
			if m.distinct > 0 {
				v = r.IntN(m.distinct)
			}
			entries[i].Metadata = append(entries[i].Metadata, labels.Label{Name: m.text, Value: fmt.Sprintf("value %d", v)})
		}
	}
	return entries
}

// Structured metadata that is read in any order, of few rows or of all, by several readers at once, is what was written.
func TestMetadataInAnyOrder(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 12))
		entries := randomMetadata(r, 1+r.IntN(700))
		data, meta, err := Encode(nil, EncodingColumnar, entries, 0)
		require.NoError(t, err)
		reader, err := Open(data, meta)
		require.NoError(t, err)
		var wg sync.WaitGroup
		wrong := make(chan string, 3)
		reads := 1 + r.IntN(2*len(entries))
		for g := range 1 + int(seed%3) {
			r := rand.New(rand.NewPCG(seed, uint64(g)))
			wg.Add(1)
			go func() {
				defer wg.Done()
				buf := make([]labels.Label, 0, 2)
				for range reads {
					row := r.IntN(len(entries))
					if got := reader.Metadata(row, buf); !slices.Equal(entries[row].Metadata, got) {
						wrong <- fmt.Sprintf("row %d has %v instead of %v", row, got, entries[row].Metadata)
						return
					}
				}
			}()
		}
		wg.Wait()
		close(wrong)
		for w := range wrong {
			t.Fatal(seed, w)
		}
		require.NoError(t, Fault(reader))
		reader.Close()
	}
}

// What is read of one chunk does not change what another one gives, although the slices go round.
func TestMetadataIsNotSharedWithBuffers(t *testing.T) {
	entries := func(value string) []Entry {
		out := make([]Entry, 100)
		for i := range out {
			out[i] = Entry{Timestamp: int64(i), Line: []byte("x"), Metadata: []labels.Label{{Name: "name", Value: value}}}
		}
		return out
	}
	var readers []Reader
	for _, value := range []string{"a", "b"} {
		data, meta, err := Encode(nil, EncodingColumnar, entries(value), 0)
		require.NoError(t, err)
		reader, err := Open(data, meta)
		require.NoError(t, err)
		readers = append(readers, reader)
	}
	var buf []labels.Label
	for range 2 {
		for i, reader := range readers {
			for row := range reader.Len() {
				buf = reader.Metadata(row, buf)
				require.Equal(t, []string{"a", "b"}[i], buf[0].Value)
			}
		}
	}
}
