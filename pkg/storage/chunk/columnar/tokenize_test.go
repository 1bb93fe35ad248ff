package columnar

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// byteTokenizer cuts lines as tokenizer does, byte by byte.
type byteTokenizer struct{ tokenizer }

func (t *byteTokenizer) line(line []byte) bool {
	t.forget()
	switch {
	case len(line) > 0 && line[0] == '{' && t.json(line):
		return !t.full
	case len(line) > 0 && line[0] != '{':
		if t.forget(); t.logfmt(line) {
			return !t.full
		}
	}
	t.forget()
	t.text(line, 0, len(line))
	return !t.full
}

func (t *byteTokenizer) text(line []byte, from, to int) {
	line = line[:to]
	for i := from; i < len(line); i++ {
		all := class[line[i]]
		if all == 0 {
			continue
		}
		start := i
		for i++; i < len(line); i++ {
			c := class[line[i]]
			if c == 0 {
				break
			}
			all |= c
		}
		if all&isDigit == 0 && (i-start != 8 || all&notLowerHex != 0) {
			continue
		}
		if !t.parts && i < len(line) {
			if end := composite(line, start, i, to); end > 0 {
				t.variable(start, end)
				i = end - 1
				continue
			}
		}
		switch {
		case all&isDigit == 0:
		case all&notLowerHex == 0, all&notUpperHex == 0:
			t.variable(start, i)
		case i-start > 2 && line[start] == '0' && line[start+1] == 'x':
			t.variable(start+2, i)
		case changes(line[start:i]) <= 2:
			t.split(line, start, i)
		default:
			t.variable(start, i)
		}
	}
}

func (t *byteTokenizer) json(line []byte) bool {
	var stack [16]byte // the closing bracket of each open one
	depth := 0
	i, n := 0, len(line)
	key := false // the next string is a key
	for i < n {
		c := line[i]
		switch c {
		case '{', '[':
			if depth == len(stack) {
				return false
			}
			stack[depth] = c + 2 // '{'+2 is '}', '['+2 is ']'
			depth++
			key = c == '{'
			i++
		case '}', ']':
			if depth == 0 || stack[depth-1] != c {
				return false
			}
			depth--
			i++
			if depth == 0 {
				return i == n
			}
			key = false
		case ',':
			if depth == 0 {
				return false
			}
			key = stack[depth-1] == '}'
			i++
		case ':', ' ', '\t':
			i++
		case '"':
			j := closingQuote(line, i+1)
			if j < 0 {
				return false
			}
			if !key {
				t.variable(i+1, j)
			}
			key = false
			i = j + 1
		default:
			start := i
			for i < n && line[i] != ',' && line[i] != '}' && line[i] != ']' && line[i] > ' ' && line[i] != '"' && line[i] != '{' && line[i] != '[' && line[i] != ':' {
				i++
			}
			if key || i == start {
				return false
			}
			t.variable(start, i)
		}
	}
	return false
}

func closingQuote(line []byte, i int) int {
	for ; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

func (t *byteTokenizer) logfmt(line []byte) bool {
	i, n, pairs := 0, len(line), 0
	for i < n {
		start := i
		for i < n && isKeyByte(line[i]) {
			i++
		}
		if i == start || i == n || line[i] != '=' {
			return false
		}
		i++
		if i < n && line[i] == '"' {
			j := closingQuote(line, i+1)
			if j < 0 || j+1 < n && line[j+1] != ' ' {
				return false
			}
			t.variable(i+1, j)
			i = j + 1
		} else {
			start = i
			for i < n && line[i] > ' ' {
				if line[i] == '"' || line[i] == '=' {
					return false
				}
				i++
			}
			t.variable(start, i)
		}
		pairs++
		if i < n {
			if line[i] != ' ' {
				return false
			}
			i++
		}
	}
	return pairs >= 2
}

// words are what random lines of TestMasksCutAsBytesDo are made of.
var lineParts = []string{"a", "f", "g", "F", "0", "9", "42", "deadbeef", "DEADBEEF", "abcdefab", "0x", "0xff1", "blk_", "é", "\xff", " ", " ", ".", "-", ":", "=", `"`, `\`, `\"`, "{", "}", "[", "]", ",",
	"key=", " k=v", ` q="v 1"`, `{"k":"v"`, `,"n":17`, "10.20.30.40", "1.2.3", "123e4567-e89b-12d3-a456-426614174000", "abcdefab-e89b-12d3-a456-426614174000", "\x00", "\t", "_", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}

func randomLine(r *rand.Rand, begin string) []byte {
	line := []byte(begin)
	for range r.IntN(60) {
		part := lineParts[r.IntN(len(lineParts))]
		line = append(line, part...)
		if r.IntN(4) == 0 {
			line = append(line, part[:r.IntN(len(part)+1)]...)
		}
	}
	return line
}

func requireCutAlike(t *testing.T, line []byte) {
	for _, parts := range []bool{false, true} {
		var fast tokenizer
		var slow byteTokenizer
		fast.parts, slow.parts = parts, parts
		ok := slow.line(line)
		require.Equal(t, ok, fast.line(line), "%q", line)
		if ok {
			require.Equal(t, slow.spans, fast.spans, "%q", line)
		}
	}
}

func TestMasksCutAsBytesDo(t *testing.T) {
	for seed := range uint64(20000) {
		r := rand.New(rand.NewPCG(seed, 12))
		requireCutAlike(t, randomLine(r, []string{"", `{"`, `{"k":"v",`, "k=v ", "1"}[seed%5]))
		pairs := []byte("{")
		for i := range r.IntN(20) {
			pairs = fmt.Appendf(pairs, `,"k%d":%q`, i, randomLine(r, ""))
		}
		requireCutAlike(t, append(bytes.Replace(pairs, []byte(","), nil, 1), '}'))
		pairs = pairs[:0]
		for i := range r.IntN(20) {
			pairs = fmt.Appendf(pairs, "k%d=%s ", i, []any{r.IntN(100), fmt.Sprintf("%q", randomLine(r, "")), "v", ""}[r.IntN(4)])
		}
		requireCutAlike(t, bytes.TrimSpace(pairs))
	}
}

func FuzzCut(f *testing.F) {
	f.Add([]byte(`{"a":"b\\","c":[1,{"d":"\""}]}`))
	f.Add([]byte(`a=b c="d \" e" f= g=10.0.0.1`))
	f.Add([]byte("1117838570 R02-M1 abcdefab 123e4567-e89b-12d3-a456-426614174000abcdefab blk_-17 0xfe"))
	f.Fuzz(func(t *testing.T, line []byte) { requireCutAlike(t, line) })
}

func BenchmarkCut(b *testing.B) {
	for _, line := range []string{
		"- 1117838570 2005.06.03 R02-M1-N0-C:J12-U11 2005-06-03-15.42.50.363779 R02-M1-N0-C:J12-U11 RAS KERNEL INFO instruction cache parity error corrected",
		`{"time":"2026-01-02T03:04:05.678Z","level":"info","method":"GET","path":"/api/v1/items/17","status":200,"duration_ms":12.7,"client":"10.0.0.17","trace":"4bf92f3577b34da6a3ce929d0e0e4736"}`,
		`time=2026-01-02T03:04:05.678Z level=info method=GET path=/api/v1/items/17 status=200 duration=12.7ms client=10.0.0.17 msg="request was served"`,
	} {
		text := []byte(line)
		b.Run(line[:4], func(b *testing.B) {
			var t tokenizer
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				t.spans = t.spans[:0]
				t.line(text)
			}
		})
		b.Run("old"+line[:4], func(b *testing.B) {
			var t byteTokenizer
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				t.spans = t.spans[:0]
				t.line(text)
			}
		})
	}
}
