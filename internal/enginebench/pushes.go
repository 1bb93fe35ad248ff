package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/internal/loggen"
	"github.com/cambium-logs/cambium/pkg/engine"
	"github.com/cambium-logs/cambium/pkg/ingest"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	limits "github.com/cambium-logs/cambium/pkg/tenant"
)

const tenant = "bench"

// receiver checks pushes as an instance does, with limits that refuse nothing for its rate or the number of streams.
func receiver(sink ingest.Sink) *ingest.Receiver {
	l := limits.DefaultLimits()
	l.IngestionRateMB, l.IngestionBurstSizeMB = 1e6, 1e6
	l.PerStreamRateLimit, l.PerStreamRateLimitBurst = 1<<40, 1<<40
	l.MaxGlobalStreamsPerUser = 0
	return ingest.NewReceiver(sink, ingest.Options{Limits: func(string) *limits.Limits { return &l }})
}

var errEnough = errors.New("enough was pushed")

// pushAll pushes the first pushes of a file: as many as hold some bytes of lines.
func pushAll(ctx context.Context, sink ingest.Sink, path string, most int64) (raw, lines int64, err error) {
	r := receiver(sink)
	err = loggen.Pushes(path, func(body []byte, bytes, n int64) error {
		if raw >= most {
			return errEnough
		}
		batch := ingest.NewBatch(ingest.Bounds{})
		defer batch.Release()
		if err := ingest.DecodePush("application/x-protobuf", "", false, body, ingest.Bounds{}, batch); err != nil {
			return err
		}
		raw, lines = raw+bytes, lines+n
		return r.Receive(ctx, tenant, batch)
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return raw, lines, err
}

// byHost makes one stream of all that a host pushes at a time, in order of time. It implements ingest.Sink.
type byHost struct{ *engine.Engine }

// Append implements ingest.Sink.
func (s byHost) Append(ctx context.Context, tenant string, streams []ingest.Stream) error {
	var all []chunk.Entry
	for i := range streams {
		all = append(all, streams[i].Entries...)
	}
	slices.SortStableFunc(all, func(a, b chunk.Entry) int { return cmp.Compare(a.Timestamp, b.Timestamp) })
	return s.Engine.Append(ctx, tenant, []ingest.Stream{{Labels: labels.FromStrings("host", streams[0].Labels.Get("host")), Entries: all}})
}

// metric gives the sum of one of an engine's metrics.
func metric(reg *prometheus.Registry, name string) float64 {
	families, err := reg.Gather()
	if err != nil {
		return 0
	}
	sum := 0.0
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				sum += m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

// fastClock is ahead of the true one by as much as it was told.
type fastClock struct{ ahead time.Duration }

func (c *fastClock) now() time.Time { return time.Now().Add(c.ahead) }
