package httpapi

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"testing"
	"unicode/utf8"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/query"
)

// FuzzString holds the writer of strings against encoding/json: what is written reads back as the text, invalid bytes replaced.
func FuzzString(f *testing.F) {
	for _, seed := range []string{"", "a", "\"\\\n\r\t\b\x00\x7f", "<script>&", "é\u2028\u2029😀", "\xff\xfe a \xc3", "\ufffd"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out := appendString(nil, s, `\ufffd`)
		var back string
		if err := json.Unmarshal(out, &back); err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		want := ""
		for i := 0; i < len(s); {
			r, size := utf8.DecodeRuneInString(s[i:])
			want += string(r)
			i += size
		}
		if back != want {
			t.Fatalf("%q reads back as %q", s, back)
		}
		for _, c := range out {
			if c == '<' || c == '>' || c == '&' || c < 0x20 {
				t.Fatalf("%q is not safe", out)
			}
		}
	})
}

func TestNumbers(t *testing.T) {
	j := newJSONWriter(io.Discard)
	for _, ns := range []int64{1795214520e9, 1795214520500e6, 1795215599999e6, 0, -1500e6, 1795214520000000001} {
		j.seconds(ns)
		j.raw(" ")
	}
	for _, v := range []float64{1, 0.1, math.NaN(), math.Inf(1), math.Inf(-1), 1e21, -0.5} {
		j.sample(v)
		j.raw(" ")
	}
	require.Equal(t, `1795214520 1795214520.5 1795215599.999 0 -1.5 1795214520 "1" "0.1" "NaN" "+Inf" "-Inf" "1000000000000000000000" "-0.5" `, string(j.buf))
}

func benchResult() *query.Result {
	r := &query.Result{Type: query.ResultStreams}
	for s := range 20 {
		ls := &query.EntryLabels{Stream: labels.FromStrings("app", "web", "instance", fmt.Sprint(s)), Metadata: labels.FromStrings("detected_level", "info")}
		for e := range 250 {
			r.Entries = append(r.Entries, query.Entry{
				Timestamp: testNow.UnixNano() + int64(e), Labels: ls,
				Line: fmt.Sprintf(`10.0.0.%d - - [20/Nov/2026:23:41:24 +0000] "GET /api/orders/%d HTTP/1.1" 200 %d "-" "Mozilla/5.0 (X11; Linux x86_64)"`, e%256, e*7919, e*31),
			})
		}
	}
	return r
}

// BenchmarkStreams writes 5000 lines; encoding/json writes the lines alone.
func BenchmarkStreams(b *testing.B) {
	r := benchResult()
	size := int64(0)
	lines := make([]string, len(r.Entries))
	for i := range r.Entries {
		lines[i] = r.Entries[i].Line
		size += int64(len(lines[i]))
	}
	b.Run("cambium", func(b *testing.B) {
		b.SetBytes(size)
		b.ReportAllocs()
		for b.Loop() {
			j := newJSONWriter(io.Discard)
			writeResult(j, r, nil)
			j.flush()
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.SetBytes(size)
		b.ReportAllocs()
		for b.Loop() {
			if err := json.NewEncoder(io.Discard).Encode(lines); err != nil {
				b.Fatal(err)
			}
		}
	})
}
