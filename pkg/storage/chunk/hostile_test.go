package chunk

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/internal/race"
)

// damaged changes some bytes.
func damaged(r *rand.Rand, b []byte) []byte {
	b = bytes.Clone(b)
	for range 1 + r.IntN(3) {
		at := r.IntN(len(b))
		switch r.IntN(5) {
		case 0:
			b[at] = byte(r.Uint32())
		case 1:
			b[r.IntN(min(len(b), 40))] = byte(r.Uint32())
		case 2:
			b[at] ^= 1 << r.IntN(8)
		case 3:
			b = slices.Insert(b, at, 0xff, 0xff, 0x7f)
		default:
			copy(b[at:], b[r.IntN(len(b)):])
		}
	}
	return b
}

// Columns that nobody wrote, under checksums that are right, give errors or rows, whatever is asked of them first.
func TestHostileColumns(t *testing.T) {
	refused, unsound := 0, 0
	for seed := range race.Cases(uint64(300)) {
		r := rand.New(rand.NewPCG(seed, 99))
		var entries []Entry
		for i := range 1 + r.IntN(60) {
			line := [...]string{
				fmt.Sprintf(`{"a":%d,"b":"%x","c":"%s","t":"12:%02d:%02d"}`, r.IntN(1000), r.Uint64(), []string{"x", "yy"}[r.IntN(2)], r.IntN(60), r.IntN(60)),
				fmt.Sprintf("level=info id=%08x-0000-4000-8000-%012x n=%03d", r.Uint32(), r.Uint64()>>16, r.IntN(1000)),
				fmt.Sprintf("took %d.%d ms", r.IntN(100), r.IntN(9)),
				string(randomEntries(r, 1)[0].Line),
				fmt.Sprintf("hex %032x word%d same same", r.Uint64(), r.IntN(3)),
			}[r.IntN(5)]
			entries = append(entries, Entry{Timestamp: int64(i) * 1e9, Line: []byte(line), Metadata: randomEntries(r, 1)[0].Metadata})
		}
		data, meta, err := Encode(nil, EncodingColumnar, entries, 0)
		require.NoError(t, err)
		parts, err := splitParts(data)
		require.NoError(t, err)
		for range 40 {
			bad := slices.Clone(parts)
			for i := range bad {
				if r.IntN(2) == 0 {
					bad[i] = rawPart(bad[i].kind, damaged(r, bad[i].stored))
				}
			}
			m := meta
			m.Rows += r.IntN(4) / 3 * r.IntN(500)
			payload := appendParts(nil, bad)
			m.StoredBytes = int64(len(payload))
			reader, err := Open(payload, m)
			if err != nil {
				refused++
				continue
			}
			readColumns(r, reader)
			if err := Fault(reader); err != nil {
				require.ErrorIs(t, err, ErrCorrupt)
				unsound++
			}
			reader.Close()
		}
	}
	require.Positive(t, refused)
	require.Positive(t, unsound)
}

// readColumns asks a columnar chunk for everything that it can be asked for, in some order.
func readColumns(r *rand.Rand, reader Reader) {
	for range 40 {
		row := r.IntN(reader.Len())
		switch r.IntN(8) {
		case 6:
			layout, ok := reader.(Layouter).Layout([]func(string) bool{nil, func(name string) bool { return name < "m" }}[r.IntN(2)])
			if ok {
				shape, at := layout.Shape(row)
				layout.Shapes[shape].Pieces()
				_ = layout.Metadata[layout.Set(row)]
				for slot := range layout.Shapes[shape].Pieces()[1:] {
					if codes, distinct := layout.Shapes[shape].Codes(slot); codes != nil {
						_ = make([]bool, distinct)[codes[at]]
					}
				}
			}
		case 7:
			_ = reader.(Layouter).Timestamps()[row]
		case 0:
			reader.(Searcher).Search([]byte([]string{"1", "00-40", "same"}[r.IntN(3)]), NewRows(reader.Len()))
		case 1:
			reader.Timestamp(row)
		case 2:
			reader.Metadata(row, nil)
		case 3:
			Templates(reader)
		case 4:
			reader.Line(row, nil)
		default:
			shape, at := reader.(Shaper).Shape(row)
			if shape == nil {
				continue
			}
			for slot := range shape.Pieces()[1:] {
				shape.Numeric(slot)
				shape.Distinct(slot)
				shape.Codes(slot)
				shape.Only(slot, func(byte) bool { return true })
				if number := shape.Numbers(slot); number != nil {
					number(at)
				}
				shape.Append(nil, slot, at)
			}
		}
	}
}

// Several readers may ask one chunk for anything at once.
func TestAskedByMany(t *testing.T) {
	for seed := range race.Cases(uint64(40)) {
		r := rand.New(rand.NewPCG(seed, 98))
		entries := randomMetadata(r, 1+r.IntN(400))
		for i := range entries {
			entries[i].Line = []byte([]string{fmt.Sprintf(`{"a":%d,"t":"12:%02d:%02d"}`, r.IntN(1000), r.IntN(60), i%60), fmt.Sprintf("took %d ms", i), "word" + fmt.Sprint(i%3)}[r.IntN(1+int(seed%3))])
		}
		data, meta, err := Encode(nil, EncodingColumnar, entries, 0)
		require.NoError(t, err)
		reader, err := Open(data, meta)
		require.NoError(t, err)
		var all sync.WaitGroup
		for g := range uint64(4) {
			all.Go(func() {
				r := rand.New(rand.NewPCG(seed, g))
				for range 4 {
					readColumns(r, reader)
					row := r.IntN(len(entries))
					assert.Equal(t, string(entries[row].Line), string(reader.Line(row, nil)))
					assert.True(t, slices.Equal(entries[row].Metadata, reader.Metadata(row, nil)))
				}
			})
		}
		all.Wait()
		require.NoError(t, Fault(reader))
		reader.Close()
	}
}
