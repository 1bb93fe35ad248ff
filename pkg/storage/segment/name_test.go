package segment

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDay(t *testing.T) {
	for _, at := range []int64{math.MinInt64, -nanosPerDay, -nanosPerDay - 1, -1, 0, 1, nanosPerDay - 1, nanosPerDay, testDay, math.MaxInt64} {
		d := DayOf(at)
		require.LessOrEqual(t, d.Start(), at)
		require.GreaterOrEqual(t, d.End(), at)
		require.Equal(t, d, DayOf(d.Start()))
		require.Equal(t, d, DayOf(d.End()))
		require.Equal(t, time.Unix(0, at).UTC().Format("2006-01-02"), d.String())
		back, err := ParseDay(d.String())
		require.NoError(t, err)
		require.Equal(t, d, back)
	}
	for _, s := range []string{"", "2026-1-1", "0001-01-01", "9999-01-01", "2026-02-30"} {
		_, err := ParseDay(s)
		require.Error(t, err, s)
	}
}

func TestName(t *testing.T) {
	r := rand.New(rand.NewPCG(0, 0))
	for range 500 {
		day := DayOf(r.Int64() - r.Int64())
		id, err := NewID()
		require.NoError(t, err)
		span := day.End() - day.Start()
		a, b := day.Start()+r.Int64N(span+1), day.Start()+r.Int64N(span+1)
		n := Name{Tenant: "org-1.a_b", Day: day, Level: r.IntN(5), MinT: min(a, b), MaxT: max(a, b), ID: id}
		back, err := ParsePath(n.Path())
		require.NoError(t, err)
		require.Equal(t, n, back)
		gone, err := ParseGonePath(n.GonePath())
		require.NoError(t, err)
		require.Equal(t, id, gone)
	}
	for _, path := range []string{
		"", "t/2026-01-01", "t/2026-01-01/x.seg", "t/2026-01-01/1-2-3.seg",
		"t/1970-01-01/1-0-0-01K6F8QJ3N2V5W7X9YZABCDEFG.gone",
		"t/1970-01-02/1-0-0-01K6F8QJ3N2V5W7X9YZABCDEFG.seg",
		"t/1970-01-01/1-5-0-01K6F8QJ3N2V5W7X9YZABCDEFG.seg",
		"t/1970-01-01/01-0-5-01K6F8QJ3N2V5W7X9YZABCDEFG.seg",
		"t/1970-01-01/1-0-5-01k6f8qj3n2v5w7x9yzabcdefg.seg",
		"t/1970-01-01/-1-0-5-01K6F8QJ3N2V5W7X9YZABCDEFG.seg",
		"t/1970-01-01/1--01K6F8QJ3N2V5W7X9YZABCDEFG.seg",
		"../1970-01-01/1-0-5-01K6F8QJ3N2V5W7X9YZABCDEFG.seg",
	} {
		_, err := ParsePath(path)
		require.Error(t, err, path)
	}
	n, err := ParsePath("t/1970-01-01/1-0-5-01K6F8QJ3N2V5W7X9YZABCDEFG.seg")
	require.NoError(t, err)
	require.EqualValues(t, 5, n.MaxT)
}

func FuzzParsePath(f *testing.F) {
	f.Add("t/1969-12-31/1--5--3-01K6F8QJ3N2V5W7X9YZABCDEFG.seg")
	f.Fuzz(func(t *testing.T, path string) {
		if n, err := ParsePath(path); err == nil {
			require.Equal(t, path, n.Path())
		}
	})
}
