package ingest

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/grafana/loki/pkg/push"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/tenant"
)

// pushOf is a request of streams of entries each, with lines of about 120 bytes.
func pushOf(streams, entries int, metadata bool) *push.PushRequest {
	r := &push.PushRequest{}
	for s := range streams {
		stream := push.Stream{Labels: fmt.Sprintf(`{app="web", cluster="eu-1", env="prod", instance="web-%d", level="info"}`, s)}
		for e := range entries {
			entry := push.Entry{
				Timestamp: now.Add(time.Duration(e) * time.Millisecond),
				Line:      fmt.Sprintf(`10.0.%d.%d - - [20/Nov/2026:23:41:24 +0000] "GET /api/orders/%d HTTP/1.1" 200 %d "-" "Mozilla/5.0 (X11; Linux x86_64)"`, s, e%256, e*7919, e*31),
			}
			if metadata {
				entry.StructuredMetadata = push.LabelsAdapter{{Name: "pod", Value: "web-7d9f-c3"}, {Name: "trace_id", Value: fmt.Sprintf("%032x", e)}}
			}
			stream.Entries = append(stream.Entries, entry)
		}
		r.Streams = append(r.Streams, stream)
	}
	return r
}

func marshal(tb testing.TB, r *push.PushRequest) []byte {
	tb.Helper()
	body, err := r.Marshal()
	require.NoError(tb, err)
	return body
}

// BenchmarkDecodeProtobuf compares the decoder with the reference types, for which the labels are parsed too, as every receiver must.
func BenchmarkDecodeProtobuf(b *testing.B) {
	for _, shape := range []struct {
		name             string
		streams, entries int
		metadata         bool
	}{{"10x100", 10, 100, false}, {"10x100/metadata", 10, 100, true}, {"500x2", 500, 2, false}} {
		body := marshal(b, pushOf(shape.streams, shape.entries, shape.metadata))
		b.Run(shape.name+"/cambium", func(b *testing.B) {
			limits := tenant.DefaultLimits()
			cache := newLabelCache(&limits)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				batch := NewBatch(Bounds{})
				if err := DecodeProtobuf(body, batch); err != nil {
					b.Fatal(err)
				}
				for i := range batch.Streams {
					if _, err := cache.get(batch.Streams[i].Labels); err != nil {
						b.Fatal(err)
					}
				}
				batch.Release()
			}
		})
		b.Run(shape.name+"/reference", func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				var r push.PushRequest
				if err := r.Unmarshal(body); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(shape.name+"/reference+labels", func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				var r push.PushRequest
				if err := r.Unmarshal(body); err != nil {
					b.Fatal(err)
				}
				for i := range r.Streams {
					if _, err := labelParser.ParseMetric(r.Streams[i].Labels); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

// nullSink takes everything.
type nullSink struct{}

func (nullSink) Append(context.Context, string, []Stream) error { return nil }
func (nullSink) ActiveStreams(string) int                       { return 0 }
func (nullSink) HasStream(string, labels.Labels) bool           { return true }

func benchReceiver() *Receiver {
	limits := tenant.DefaultLimits()
	limits.IngestionRateMB, limits.IngestionBurstSizeMB = 1e6, 1e6
	limits.PerStreamRateLimit, limits.PerStreamRateLimitBurst = 1<<50, 1<<50
	return NewReceiver(nullSink{}, Options{Limits: func(string) *tenant.Limits { return &limits }, Now: func() time.Time { return now }})
}

// BenchmarkPush is everything between the body and the sink, with levels detected; the floor copies the decompressed body once.
func BenchmarkPush(b *testing.B) {
	for _, metadata := range []bool{false, true} {
		raw := marshal(b, pushOf(10, 1000, metadata))
		body := snappy.Encode(nil, raw)
		r := benchReceiver()
		b.Run(fmt.Sprintf("metadata=%v", metadata), func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				batch := NewBatch(Bounds{})
				if err := DecodePush("application/x-protobuf", "", false, body, Bounds{}, batch); err != nil {
					b.Fatal(err)
				}
				if err := r.Receive(b.Context(), "t1", batch); err != nil {
					b.Fatal(err)
				}
				batch.Release()
			}
		})
	}
	raw := marshal(b, pushOf(10, 1000, false))
	b.Run("floor=copy", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		for b.Loop() {
			bytes.Clone(raw)
		}
	})
}

func BenchmarkDecodeJSON(b *testing.B) {
	var body bytes.Buffer
	body.WriteString(`{"streams":[`)
	for s := range 10 {
		if s > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"stream":{"app":"web","instance":"web-%d"},"values":[`, s)
		for e := range 100 {
			if e > 0 {
				body.WriteByte(',')
			}
			fmt.Fprintf(&body, `["%d","10.0.%d.%d - - \"GET /api/orders/%d HTTP/1.1\" 200 %d Mozilla/5.0 (X11; Linux x86_64)"]`, now.UnixNano()+int64(e), s, e, e*7919, e*31)
		}
		body.WriteString(`]}`)
	}
	body.WriteString(`]}`)
	b.SetBytes(int64(body.Len()))
	b.ReportAllocs()
	for b.Loop() {
		batch := NewBatch(Bounds{})
		if err := DecodeJSON(body.Bytes(), batch); err != nil {
			b.Fatal(err)
		}
		batch.Release()
	}
}

// Decoding and checking allocate per request and per stream, never per entry.
func TestNoAllocationPerEntry(t *testing.T) {
	r := benchReceiver()
	allocations := func(entries int, metadata bool) float64 {
		body := marshal(t, pushOf(1, entries, metadata))
		return testing.AllocsPerRun(20, func() {
			batch := NewBatch(Bounds{})
			if err := DecodeProtobuf(body, batch); err != nil {
				t.Fatal(err)
			}
			if err := r.Receive(t.Context(), "t1", batch); err != nil {
				t.Fatal(err)
			}
			batch.Release()
		})
	}
	for _, metadata := range []bool{false, true} {
		few, many := allocations(10, metadata), allocations(2000, metadata)
		// Pools lose some of what they hold now and then, so the arrays for all entries may be made anew.
		require.Less(t, many, few+50, "10 entries take %v allocations, 2000 take %v", few, many)
	}
}
