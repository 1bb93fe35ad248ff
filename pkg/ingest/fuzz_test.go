package ingest

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/golang/snappy"
	"github.com/grafana/loki/pkg/push"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
)

// FuzzProtobuf holds the decoder against the reference types: both take or both refuse a message, and they see the same in it.
func FuzzProtobuf(f *testing.F) {
	message, err := hex.DecodeString(worked)
	require.NoError(f, err)
	f.Add(message)
	for _, seed := range [][]byte{nil, {0x0a, 0}, {0x0a, 2, 0x12, 0}, {0x12, 1, 'x'}, {0x0b, 0x0c}, {0x80}, {0x0a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1}} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var want push.PushRequest
		wantErr := want.Unmarshal(bytes.Clone(body))
		b := NewBatch(Bounds{})
		defer b.Release()
		err := DecodeProtobuf(body, b)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("we say %v, the reference says %v", err, wantErr)
		}
		if err != nil {
			return
		}
		if got, want := show(b), showPush(&want); got != want {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	})
}

func showPush(r *push.PushRequest) string {
	var out strings.Builder
	for _, s := range r.Streams {
		fmt.Fprintf(&out, "%s", s.Labels)
		for _, e := range s.Entries {
			var pairs []labels.Label
			for _, l := range e.StructuredMetadata {
				pairs = append(pairs, labels.Label{Name: l.Name, Value: l.Value})
			}
			fmt.Fprintf(&out, " [%d %q %s]", nanosOf(e.Timestamp), e.Line, showPairs(pairs))
		}
		out.WriteByte('\n')
	}
	return out.String()
}

// nanosOf is a time in nanoseconds, or the nearest that can be told.
func nanosOf(t time.Time) int64 {
	switch {
	case t.IsZero() || t.Unix() < math.MinInt64/1_000_000_000+1:
		return math.MinInt64
	case t.Unix() > math.MaxInt64/1_000_000_000-1:
		return math.MaxInt64
	}
	return t.UnixNano()
}

// FuzzJSON holds the decoder against encoding/json where that understands the body.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`{"streams":[{"stream":{"app":"web"},"values":[["1","x",{"k":"v"}],["2","é\u00e9\ud83d\ude00"]]}]}`, `{}`, `null`, `[`, `{"streams":[{}]}`,
		`{"streams":[{"stream":{"a":"\\\"\n"},"values":[null,["-5","\u0000"]]}],"x":[[{}]]}`, `{"a":1e5,"streams":[{"values":[["1","x"]],"stream":{}}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		b := NewBatch(Bounds{})
		defer b.Release()
		err := DecodeJSON(body, b)
		if err != nil {
			if !utf8.ValidString(err.Error()) && utf8.Valid(body) {
				t.Fatalf("message is no text: %q", err)
			}
			return
		}
		if !json.Valid(body) {
			return // more is taken than is valid, such as text behind the object
		}
		var want struct {
			Streams []struct {
				Values []json.RawMessage `json:"values"`
			} `json:"streams"`
		}
		if json.Unmarshal(body, &want) != nil || len(want.Streams) != len(b.Streams) {
			return // names that differ in case, or repeated ones
		}
		for i, s := range want.Streams {
			entries := 0
			for _, v := range s.Values {
				if string(v) != "null" {
					entries++
				}
			}
			if entries != len(b.Streams[i].Entries) && strings.Count(string(body), `"values"`) == len(want.Streams) {
				t.Fatalf("stream %d has %d entries, want %d", i, len(b.Streams[i].Entries), entries)
			}
		}
	})
}

// FuzzPush sends anything through all decoders and the receiver, and bounds what it may allocate.
func FuzzPush(f *testing.F) {
	message, err := hex.DecodeString(worked)
	require.NoError(f, err)
	f.Add("application/x-protobuf", "", snappy.Encode(nil, message))
	f.Add("application/x-protobuf", "gzip", gzipped(snappy.Encode(nil, message)))
	f.Add("application/json", "deflate", deflated([]byte(`{"streams":[{"stream":{"app":"web"},"values":[["1","level=info"]]}]}`)))
	f.Add("application/json", "zstd", zstded([]byte(`{"streams":[{"stream":{"app":"web"},"values":[["1","{\"level\":\"info\"}"]]}]}`)))
	f.Add("application/json", "lz4", []byte{4, 0x22, 0x4d, 0x18})
	f.Add("", "br", []byte{0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, contentType, encoding string, body []byte) {
		const decompressed = 1 << 20
		bounds := Bounds{MaxDecompressed: decompressed, MaxItems: 10_000}
		h := newHarness(t, nil)
		b := NewBatch(bounds)
		defer b.Release()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := DecodePush(contentType, encoding, len(body)%2 == 0, body, bounds, b)
		runtime.ReadMemStats(&after)
		// A decoder of zstd or gzip has windows and tables of a few megabytes, whatever the body.
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 40<<20 {
			t.Fatalf("%d bytes of body made the decoder allocate %d", len(body), allocated)
		}
		if err == nil {
			_ = h.receiver.Receive(t.Context(), "t1", b)
		}
	})
}

// FuzzOTLP sends anything as OTLP.
func FuzzOTLP(f *testing.F) {
	f.Add("application/json", []byte(otlpExample))
	f.Add("application/x-protobuf", otlpProtobuf(f, otlpExample))
	f.Add("application/x-protobuf", bytes.Repeat([]byte{0x0a, 2}, 1000))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		h := newHarness(t, nil)
		bounds := Bounds{MaxDecompressed: 1 << 20, MaxItems: 10_000}
		b := NewBatch(bounds)
		defer b.Release()
		if h.receiver.DecodeOTLP("t1", contentType, "", body, bounds, b) == nil {
			_ = h.receiver.Receive(t.Context(), "t1", b)
		}
	})
}

// FuzzRaw holds raw lines against splitting at newlines.
func FuzzRaw(f *testing.F) {
	f.Add([]byte("a\r\n\nb"))
	f.Fuzz(func(t *testing.T, body []byte) {
		b := NewBatch(Bounds{})
		defer b.Release()
		require.NoError(t, DecodeRaw(bytes.Clone(body), []labels.Label{{Name: "job", Value: "raw"}}, now, b))
		var want []string
		for line := range strings.SplitSeq(string(body), "\n") {
			if line = strings.TrimRight(line, "\r"); line != "" {
				want = append(want, line)
			}
		}
		require.Len(t, b.Streams[0].Entries, len(want))
		for i, e := range b.Streams[0].Entries {
			require.Equal(t, want[i], string(e.Line))
		}
	})
}

// FuzzLabels: what the plain parser takes, the Prometheus parser takes in the same way.
func FuzzLabels(f *testing.F) {
	for _, seed := range []string{`{app="x",}`, `{ app = "x" }`, `{a="b", c="d"}`, `{a="b" , a="c"}`, `{}`, `{a=""}`, "{a=\"\xff\"}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		fast, ok := parsePlainLabels(text, nil)
		if !ok {
			return
		}
		slow, err := labelParser.ParseMetric(text)
		if err != nil {
			t.Fatalf("%q: plain parser takes what Prometheus refuses: %v", text, err)
		}
		if want := labels.New(fast...); !labels.Equal(want, slow) && len(fast) == slow.Len() {
			t.Fatalf("%q: %s and %s", text, want, slow)
		}
	})
}

// FuzzLevel: detection ends, and gives a known level or what the sender said.
func FuzzLevel(f *testing.F) {
	for _, seed := range []string{`{"level":"info"}`, `level="a\"b" x`, `[ERROR] x`, `{"a":{"level":`, `"=`, `level=`} {
		f.Add([]byte(seed))
	}
	detector := newLevelDetector(newHarness(&testing.T{}, nil).limits)
	f.Fuzz(func(t *testing.T, line []byte) {
		if level := detector.ofLine(line); levelMetadata[level] == nil {
			t.Fatalf("%q has the level %q", line, level)
		}
	})
}
