package query

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
)

// The values of many parts take little more room together than they are accounted for, and cells shifted or not are those of one part.
func TestValuesOfManyParts(t *testing.T) {
	m := newMemory(1<<40, nil)
	r := rand.New(rand.NewPCG(3, 3))
	ls := labels.FromStrings("a", "b")
	all, one := newValueColumns(0.5, m, 0, false), newValueColumns(0.5, m, 0, false)
	same := one.series(ls)
	samples := 0
	for range 2000 {
		own := newValueColumns(0.5, m, 0, false)
		s := own.series(ls)
		n := 1 + r.IntN(3)
		if r.IntN(500) == 0 {
			n = 2 * smallRun
		}
		samples += n
		for range n {
			cell, v := r.Int64N(60), float64(r.IntN(1000))
			own.add(s, cell, 0, v)
			one.add(same, cell, 0, v)
		}
		if r.IntN(2) == 0 {
			all.absorb(own)
			continue
		}
		shift := r.Int64N(100)
		kept, _ := own.keep(-shift)
		own.release()
		all.absorbKept(kept, shift)
	}
	room := int64(0)
	c := &all.columns[0]
	for _, run := range append(c.others[:len(c.others):len(c.others)], c.valueRun) {
		room += int64(cap(run.cells)+cap(run.values)) * 8
	}
	require.Less(t, room, int64(2*samples*valueBytes))
	g := newGrid(0, 10, 60, 30, 0)
	want, err := one.finish(context.Background(), g)
	require.NoError(t, err)
	got, err := all.finish(context.Background(), g)
	require.NoError(t, err)
	require.Equal(t, want, got)
}
