package columnar

import (
	"bytes"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Rows read in any order, few or all, by several readers at once, while others search and look at skeletons, are the rows that were written.
func TestAccessInAnyOrder(t *testing.T) {
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 6))
		lines := randomLines(r, 1+r.IntN(300))
		total := 0
		ts := make([]int64, len(lines))
		for i, l := range lines {
			total += len(l)
			ts[i] = int64(i)*1e9 + r.Int64N(1e9)
		}
		times := timesOf(ts)
		if seed%2 == 0 {
			ts, times = nil, nil
		}
		col, _, err := Decode(encoder.Column(nil, lines, ts), len(lines), times, total)
		require.NoError(t, err)
		readers := 1 + int(seed%3)
		var wg sync.WaitGroup
		wrong := make(chan int, readers)
		for reader := range readers {
			r := rand.New(rand.NewPCG(seed, uint64(reader)))
			wg.Add(1)
			go func() {
				defer wg.Done()
				var buf []byte
				for range 1 + r.IntN(40) {
					row := r.IntN(len(lines))
					switch r.IntN(4) {
					case 0:
						needle := []byte{"0aT."[r.IntN(4)]}
						rows := NewRows(len(lines))
						if col.Search(needle, rows, len(lines)); bytes.Contains(lines[row], needle) && !rows.Has(row) {
							wrong <- row
							return
						}
						continue
					case 1:
						shape, at := col.Shape(row)
						if shape == nil {
							continue
						}
						buf = append(buf[:0], shape.Pieces()[0]...)
						for slot, piece := range shape.Pieces()[1:] {
							buf = append(shape.Append(buf, slot, at), piece...)
						}
					default:
						buf = col.Append(buf[:0], row)
					}
					if !bytes.Equal(buf, lines[row]) {
						wrong <- row
						return
					}
				}
			}()
		}
		wg.Wait()
		close(wrong)
		for row := range wrong {
			t.Fatalf("seed %d: row %d is not %q", seed, row, lines[row])
		}
		require.NoError(t, col.Err())
	}
}

// Skipping a column takes the same bytes as opening it, tells of every byte that its values have, and refuses what opening refuses.
func TestSkip(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 8))
		lines := randomLines(r, 1+r.IntN(200))
		data := append(encoder.Column(nil, lines, nil), "rest"...)
		skipBoth(t, data, len(lines), lines)
		for range 20 {
			damaged := bytes.Clone(data)
			damaged[r.IntN(len(damaged))] ^= byte(1 + r.IntN(255))
			skipBoth(t, damaged[:r.IntN(len(damaged)+1)], len(lines), nil)
		}
	}
}

func skipBoth(t *testing.T, data []byte, n int, values [][]byte) {
	t.Helper()
	skipped := decoder{b: data, left: 1 << 20, fault: &fault{}}
	kinds, skipErr := skipped.skip(n, false, 0)
	opened := decoder{b: data, left: 1 << 20, fault: &fault{}}
	_, err := opened.column(n, nil, 0)
	require.Equal(t, err == nil, skipErr == nil, "%v, %v", err, skipErr)
	if err == nil {
		require.Len(t, opened.b, len(skipped.b))
	}
	for _, v := range values {
		require.True(t, kinds.spells(kindsOf(v)), "%q", v)
	}
}
