package columnar

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// encoder is reused, as it is where chunks are written: nothing may be left over from one column to the next.
var encoder = NewEncoder()

// sliceTimes are timestamps in memory.
type sliceTimes []int64

func (s sliceTimes) All() []int64     { return s }
func (s sliceTimes) At(row int) int64 { return s[row] }

func timesOf(ts []int64) Times {
	if ts == nil {
		return nil
	}
	return sliceTimes(ts)
}

// roundTrip encodes, decodes and compares.
func roundTrip(t testing.TB, values [][]byte, ts []int64) {
	t.Helper()
	total := 0
	for _, v := range values {
		total += len(v)
	}
	out := encoder.Column([]byte("x"), values, ts)
	col, rest, err := Decode(append(out, "rest"...)[1:], len(values), timesOf(ts), total)
	require.NoError(t, err)
	require.Equal(t, "rest", string(rest))
	defer func() { require.NoError(t, col.Err()) }()
	var buf []byte
	for i, v := range values {
		buf = col.Append(buf[:0], i)
		if !bytes.Equal(buf, v) {
			t.Fatalf("row %d of %d: %q became %q", i, len(values), v, buf)
		}
	}
}

func TestColumnShapes(t *testing.T) {
	repeat := func(n int, f func(i int) string) (out [][]byte) {
		for i := range n {
			out = append(out, []byte(f(i)))
		}
		return out
	}
	for name, values := range map[string][][]byte{
		"one empty":       {nil},
		"empties":         {nil, {}, nil},
		"constant":        repeat(9, func(int) string { return "same" }),
		"zero to zeros":   {[]byte("0"), []byte("00"), []byte("000")},
		"twenty digits":   {[]byte("18446744073709551616"), []byte("18446744073709551615")},
		"nineteen digits": {[]byte("9999999999999999999"), []byte("0000000000000000000")},
		"negative zero":   {[]byte("-0.0"), []byte("0.0")},
		"decimals":        {[]byte("-12.50"), []byte("0.05"), []byte("-0.01"), []byte("123456.78")},
		"odd hex":         {[]byte("abc"), []byte("def"), []byte("0a1")},
		"hex with zero":   {[]byte("0a"), []byte("a"), []byte("b")},
		"upper hex":       {[]byte("AB12"), []byte("FF00"), []byte("CD99")},
		"mixed case hex":  {[]byte("Ab12"), []byte("fF00"), []byte("CD99")},
		"long hex":        repeat(9, func(i int) string { return fmt.Sprintf("%032x", i*i+1) }),
		"clock":           repeat(50, func(i int) string { return fmt.Sprintf("at %02d:%02d:%02d.%03d ok", i%24, i%60, 59-i, i) }),
		"leap second":     repeat(50, func(i int) string { return fmt.Sprintf("at 23:59:%02d", 30+i%31) }),
		"clock of 24":     repeat(50, func(i int) string { return fmt.Sprintf("at %02d:00:00", i) }),
		"json": repeat(50, func(i int) string {
			return fmt.Sprintf(`{"a":%d,"b":{"c":"x%d"},"d":[1,%d,"q\"%d"],"e":null}`, i, i, i, i)
		}),
		"broken json":       repeat(50, func(i int) string { return fmt.Sprintf(`{"a":%d,"b":{"c":"x%d"`, i, i) }),
		"logfmt":            repeat(50, func(i int) string { return fmt.Sprintf(`level=info n=%d msg="got %d \" it" empty=`, i, i) }),
		"repeated":          repeat(50, func(i int) string { return fmt.Sprintf("user %d logged out as %d", i*7, i*7) }),
		"addresses":         repeat(50, func(i int) string { return fmt.Sprintf("from 10.0.%d.%d:80 to 1.2.3.4.%d", i, i*3, i) }),
		"uuids":             repeat(50, func(i int) string { return fmt.Sprintf("id %08x-1234-5678-9abc-def0%08x!", i*77777, i) }),
		"rare skeletons":    repeat(50, func(i int) string { return string(bytes.Repeat([]byte("w "), i)) + fmt.Sprint(i, " ", i*i) }),
		"many numbers":      {bytes.Repeat([]byte("1 "), 1000), bytes.Repeat([]byte("2 "), 1000), []byte("3"), []byte("4 5")},
		"not UTF-8":         repeat(20, func(i int) string { return fmt.Sprintf("\xff\x00 %d \r\n", i) }),
		"a line of 1 MiB":   {bytes.Repeat([]byte("ab1 "), 1<<18), []byte("x")},
		"huge jumps":        {[]byte("0"), []byte("9999999999999999999"), []byte("1"), []byte("9999999999999999998")},
		"epoch nanoseconds": repeat(20, func(i int) string { return fmt.Sprint(1_700_000_000_000_000_000 + i*1000) }),
	} {
		t.Run(name, func(t *testing.T) {
			roundTrip(t, values, nil)
			ts := make([]int64, len(values))
			for i := range ts {
				ts[i] = 1_700_000_000_000_000_000 + int64(i)*999_999_937
			}
			roundTrip(t, values, ts)
			for i := range ts {
				ts[i] = -ts[i]
			}
			roundTrip(t, values, ts)
		})
	}
}

// randomLines makes lines out of a few skeletons and many kinds of variables.
func randomLines(r *rand.Rand, n int) [][]byte {
	variables := []func() string{
		func() string { return fmt.Sprint(r.IntN(1000)) },
		func() string { return fmt.Sprintf("%08x", r.Uint32()) },
		func() string { return fmt.Sprintf("%016X", r.Uint64()) },
		func() string { return fmt.Sprintf("%x", r.Uint64()) },
		func() string { return fmt.Sprintf("%.3f", r.NormFloat64()*100) },
		func() string {
			return fmt.Sprintf("%02d:%02d:%02d,%03d", r.IntN(25), r.IntN(60), r.IntN(61), r.IntN(1000))
		},
		func() string { return []string{"GET", "POST", "", "x y", "naïve", "\xfe"}[r.IntN(6)] },
		func() string { return fmt.Sprintf("%d.%d.%d.%d", r.IntN(300), r.IntN(256), r.IntN(256), r.IntN(10)) },
		func() string { return fmt.Sprintf("k%dv%d", r.IntN(9), r.IntN(9)) },
		func() string { return fmt.Sprintf("%03d", r.IntN(2000)) },
		func() string { return fmt.Sprint(1_700_000_000_000 + r.IntN(1_000_000)) },
	}
	glue := []string{" ", ": ", "=", ",", `","`, `{"a":"`, `"}`, "[", "] ", "/", "-", "\t", `\"`, "word ", "ms "}
	skeletons := make([][]int, 1+r.IntN(6))
	for i := range skeletons {
		skeletons[i] = make([]int, r.IntN(12))
		for k := range skeletons[i] {
			skeletons[i][k] = r.IntN(len(variables) + len(glue))
		}
	}
	out := make([][]byte, n)
	for i := range out {
		for _, k := range skeletons[r.IntN(len(skeletons))] {
			if k < len(variables) {
				out[i] = append(out[i], variables[k]()...)
			} else {
				out[i] = append(out[i], glue[k-len(variables)]...)
			}
		}
	}
	return out
}

func TestRandomLines(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		n := 1 + r.IntN(400)
		ts := make([]int64, n)
		for i := range ts {
			ts[i] = int64(i)*1e9 + r.Int64N(1e9)
		}
		if seed%3 == 0 {
			ts = nil
		}
		roundTrip(t, randomLines(r, n), ts)
	}
}

// Every row that holds a needle is found, whatever the needle: cut from the lines themselves, cut across values, or made up.
func TestSearchMissesNothing(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 5))
		lines := randomLines(r, 1+r.IntN(300))
		total := 0
		for _, l := range lines {
			total += len(l)
		}
		out := encoder.Column(nil, lines, nil)
		col, _, err := Decode(out, len(lines), nil, total)
		require.NoError(t, err)
		for range 30 {
			var needle []byte
			if l := lines[r.IntN(len(lines))]; len(l) > 0 && r.IntN(5) > 0 {
				from := r.IntN(len(l))
				needle = l[from:min(len(l), from+1+r.IntN(20))]
			} else {
				needle = []byte([]string{"zebra", "0", "a", `","`, " ", "99999", "\xff\xfe"}[r.IntN(7)])
			}
			requireFound(t, col, lines, needle)
		}
	}
}

// requireFound fails when Search leaves out a row that holds the needle.
func requireFound(t testing.TB, col *Values, lines [][]byte, needle []byte) {
	t.Helper()
	rows := NewRows(len(lines))
	col.Search(needle, rows, len(lines))
	for i, l := range lines {
		if bytes.Contains(l, needle) && !rows.Has(i) {
			t.Fatalf("row %d %q holds %q and was not found", i, l, needle)
		}
	}
}

// Words that no line holds are told from the templates and dictionaries alone.
func TestSearchRulesOut(t *testing.T) {
	var lines [][]byte
	for i := range 1000 {
		lines = append(lines, fmt.Appendf(nil, `{"ts":"2026-11-01T00:%02d:%02d.%03dZ","level":"info","n":%d,"trace":"%016x"}`, i/60%60, i%60, i, i, i*77777))
	}
	out := encoder.Column(nil, lines, nil)
	col, _, err := Decode(out, len(lines), nil, 1<<20)
	require.NoError(t, err)
	for _, needle := range []string{"quarkdump", "level=info", `"error"`, "x"} {
		rows := NewRows(len(lines))
		col.Search([]byte(needle), rows, len(lines))
		require.True(t, rows.Empty(), needle)
	}
	rows := NewRows(len(lines))
	col.Search([]byte(`"n":77,"`), rows, len(lines))
	require.True(t, rows.Has(77))
}

func TestInts(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 2))
		v := make([]uint64, 1+r.IntN(300))
		shift, step := r.IntN(65), r.Uint64()>>r.IntN(64)
		for i := range v {
			v[i] = r.Uint64()>>shift + uint64(i)*step
		}
		out := NewEncoder().Ints(nil, v)
		got, rest, err := ReadInts[uint64](out, len(v))
		require.NoError(t, err)
		require.Empty(t, rest)
		require.Equal(t, v, got)
		requireSums(t, out, v)
	}
}

// requireSums compares single sums with adding everything up.
func requireSums(t *testing.T, stored []byte, v []uint64) {
	t.Helper()
	steps, err := OpenSteps(stored, len(v))
	require.NoError(t, err)
	if steps == nil {
		return
	}
	sum := uint64(0)
	for row, x := range v {
		sum += x
		require.Equal(t, sum, steps.Sum(row))
	}
}

func TestSumBytes(t *testing.T) {
	for _, n := range []int{0, 1, 7, 8, 1023, 1024, 1025, 5000} {
		require.Equal(t, uint64(n)*0xff, sumBytes(bytes.Repeat([]byte{0xff}, n)))
	}
}

func FuzzColumn(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 3))
	for range 20 {
		f.Add(bytes.Join(randomLines(r, 30), []byte("\n")), int64(r.Uint64()))
	}
	f.Fuzz(func(t *testing.T, data []byte, start int64) {
		values := bytes.Split(data, []byte("\n"))
		roundTrip(t, values, nil)
		col, _, err := Decode(encoder.Column(nil, values, nil), len(values), nil, len(data))
		require.NoError(t, err)
		for i := 0; i+3 < len(data); i += 1 + len(data)/20 {
			requireFound(t, col, values, data[i:i+3])
		}
		ts := make([]int64, len(values))
		for i := range ts {
			ts[i] = start + int64(i)*1_234_567
		}
		roundTrip(t, values, ts)
	})
}

// FuzzDecode gives the decoder bytes that nobody wrote: it must answer with an error or with values, and not allocate without bound.
func FuzzDecode(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 4))
	for range 20 {
		lines := randomLines(r, 40)
		f.Add(NewEncoder().Column(nil, lines, nil), len(lines))
	}
	f.Fuzz(func(t *testing.T, data []byte, n int) {
		if n < 0 || n > 1000 {
			return
		}
		col, _, err := Decode(data, n, nil, 1<<16)
		if err != nil {
			require.ErrorIs(t, err, ErrMalformed)
			return
		}
		for i := range n {
			col.Append(nil, i)
		}
		if err := col.Err(); err != nil {
			require.ErrorIs(t, err, ErrMalformed)
		}
	})
}

// What a few bytes claim is refused before room is made for it.
func TestClaimsAreBounded(t *testing.T) {
	const rows = 1 << 20
	wide := binary.AppendUvarint([]byte{kindHex, 0}, 1<<16)
	_, _, err := Decode(append(wide, codecNone, 0), rows, nil, 1<<10)
	require.ErrorIs(t, err, ErrMalformed)
}
