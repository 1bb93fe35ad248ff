package columnar

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// lineParts are what random lines are made of.
var lineParts = []string{"a", "f", "g", "F", "0", "9", "42", "deadbeef", "DEADBEEF", "abcdefab", "0x", "0xff1", "0x12", "blk_", "é", "\xff", " ", " ", ".", "-", ":", "=", `"`, `\`, `\"`, "{", "}", "[", "]", ",",
	"key=", " k=v", ` q="v 1"`, `{"k":"v"`, `,"n":17`, "10.20.30.40", "1.2.3", "1a2b3z", "123e4567-e89b-12d3-a456-426614174000", "abcdefab-e89b-12d3-a456-426614174000", "\x00", "\t", "_"}

func randomLine(r *rand.Rand, begin string) []byte {
	line := []byte(begin)
	for range r.IntN(12) {
		line = append(line, lineParts[r.IntN(len(lineParts))]...)
		if r.IntN(2) == 0 {
			line = append(line, ' ')
		}
	}
	return line
}

// randomPairs is a line of JSON or logfmt, or nearly.
func randomPairs(r *rand.Rand, json bool) (line []byte) {
	value := func() any {
		return []any{r.IntN(100), fmt.Sprintf("%q", randomLine(r, "")), `"v"`, "", "true"}[r.IntN(5)]
	}
	for i := range 1 + r.IntN(6) {
		if json {
			line = fmt.Appendf(line, `,"k%d":%v`, i, value())
		} else {
			line = fmt.Appendf(line, " k%d=%v", i, value())
		}
	}
	if json {
		line[0] = '{'
		return append(line, '}')
	}
	return line[1:]
}

// alike changes some bytes of a line to others that may stand in their place.
func alike(r *rand.Rand, line []byte) []byte {
	out := []byte{}
	for _, c := range line {
		switch change := r.IntN(4) == 0; {
		case change && c >= '0' && c <= '9':
			for range r.IntN(3) {
				out = append(out, byte('0'+r.IntN(10)))
			}
		case change && r.IntN(4) == 0:
			out = append(out, lineParts[r.IntN(len(lineParts))]...)
			continue
		}
		out = append(out, c)
	}
	return out
}

// requireFollowed checks that a line which follows the template of another is cut as it is by itself. It tells whether it does follow.
func requireFollowed(t *testing.T, first, second []byte) bool {
	followed := false
	for _, parts := range []bool{false, true} {
		tok := tokenizer{parts: parts}
		if !tok.line(first) {
			continue
		}
		of := &template{pieces: cut(nil, first, tok.spans), form: tok.form}
		tok.spans = tok.spans[:0]
		require.True(t, tok.follow(first, of) || tok.form == formText || tok.form == formOther, "%q does not follow itself", first)
		tok.spans = tok.spans[:0]
		if of.form == formOther {
			continue
		}
		if !tok.follow(second, of) {
			require.Empty(t, tok.spans)
			continue
		}
		got := slices.Clone(tok.spans)
		require.True(t, of.fits(second, got), "%q %q", first, second)
		tok.spans = tok.spans[:0]
		require.True(t, tok.line(second))
		require.Equal(t, tok.spans, got, "%q after %q", second, first)
		followed = true
	}
	return followed
}

func TestLinesAreCutAlikeWhatTheyFollow(t *testing.T) {
	followed := 0
	for seed := range uint64(60000) {
		r := rand.New(rand.NewPCG(seed, 12))
		var line []byte
		switch seed % 4 {
		case 0:
			line = randomPairs(r, true)
		case 1:
			line = randomPairs(r, false)
		default:
			line = randomLine(r, "")
		}
		if requireFollowed(t, line, alike(r, line)) {
			followed++
		}
	}
	require.Greater(t, followed, 10000)
}

func FuzzFollow(f *testing.F) {
	f.Add([]byte(`{"a":"b\\","c":[1,{"d":"\""}]}`), []byte(`{"a":"b\\","c":[2,{"d":""}]}`))
	f.Add([]byte(`a=b c="d \" e" f= g=10.0.0.1`), []byte(`a= c="" f=17 g=ten`))
	f.Add([]byte("00000000-0000-0000-0000-000000000000A"), []byte("00A"))
	f.Add([]byte("0\xae0.0.0.0A"), []byte("0\xae0.0.0.0"))
	f.Add([]byte("00x0"), []byte("0x0"))
	f.Add([]byte("1117838570 R02-M1 123e4567-e89b-12d3-a456-426614174000abcdefab blk_-17 0xfe"), []byte("1 R2-M1 123e4567-e89b-12d3-a456-42661417400012 blk_-1 0x12"))
	f.Fuzz(func(t *testing.T, first, second []byte) { requireFollowed(t, first, second) })
}

func BenchmarkGroup(b *testing.B) {
	for _, format := range []string{
		"- 1117838570 2005.06.03 R02-M1-N0-C:J12-U11 2005-06-03-15.42.50.%06d R02-M1-N0-C:J12-U11 RAS KERNEL INFO instruction cache parity error corrected",
		`{"time":"2026-01-02T03:04:05.%06dZ","level":"info","method":"GET","path":"/api/v1/items/17","status":200,"duration_ms":12.7,"client":"10.0.0.17"}`,
		`time=2026-01-02T03:04:05.%06dZ level=info method=GET path=/api/v1/items/17 status=200 duration=12.7ms client=10.0.0.17 msg="request was served"`,
	} {
		var values [][]byte
		size := 0
		for i := range 1000 {
			values = append(values, fmt.Appendf(nil, format, i*7919%1_000_000))
			size += len(values[i])
		}
		e := NewEncoder()
		b.Run(format[:4], func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				e.group(values, &e.cuts[0], false)
			}
		})
	}
}
