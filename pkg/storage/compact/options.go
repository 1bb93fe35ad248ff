package compact

import (
	"context"
	"errors"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend/log"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/thanos-io/objstore"

	"github.com/cambium-logs/cambium/pkg/storage/catalog"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

// Eraser decides what compaction leaves out: what is past its retention, what was deleted.
type Eraser interface {
	// Plan gives what is to be erased of a tenant's day now; nil = nothing.
	Plan(ctx context.Context, tenant string, day segment.Day) (Plan, error)
	// Urgent reports that something is to be erased of a day by the next pass, however long nothing was written to it.
	Urgent(ctx context.Context, tenant string, day segment.Day) (bool, error)
}

// Plan is what is to be erased of one tenant's day. It does not change.
type Plan interface {
	// Expired reports that nothing in the segment is to be kept, which its name alone can tell.
	Expired(segment.Name) bool
	// Rewrite reports that the segment may hold what is to be erased, so that it has to be rewritten even if there is nothing to merge it with.
	// It must not be true of a segment that was written with this plan, or it is rewritten for ever: its footer names the Deletes.
	Rewrite(context.Context, *segment.Reader) (bool, error)
	// Deletes are the ids of the delete requests that the plan carries out, for the footer of what is written.
	Deletes() []string
	// Chunk decides about one chunk of a stream. With EraseRows the function decides row by row.
	Chunk(ctx context.Context, stream labels.Labels, c segment.ChunkRef) (Decision, KeepRow, error)
}

// Decision is what happens to a chunk.
type Decision uint8

// Decisions.
const (
	KeepAll Decision = iota
	EraseAll
	EraseRows
)

// KeepRow reports whether a row is kept.
type KeepRow func(r chunk.Reader, row int) bool

// Options of a Compactor. Zero values mean the defaults.
type Options struct {
	Bucket  objstore.Bucket
	Catalog *catalog.Catalog
	// TempDir takes segments while they are written; "" = the system's.
	TempDir string
	Eraser  Eraser // nil = nothing is erased

	// Interval is the time between two passes; default 1 min.
	Interval time.Duration
	// ClosedInterval is the time between two looks at a day that is over and has nothing to do; default 1 h.
	ClosedInterval time.Duration
	// Grace is the time between marking and deleting. It must be longer than any query, and than a catalog's staleness; default 30 min.
	Grace time.Duration
	// Settle is how long nothing must have been written to a day that is over before its remaining segments are merged; default 1 h.
	Settle time.Duration
	// MinSources is how many segments of similar size are merged at least; default 4.
	MinSources int
	// MaxSegmentBytes bounds the segments that are written, and so what is merged at a time; default 256 MiB.
	MaxSegmentBytes int64
	// MaxMerge bounds the time that one merge may take; one that takes longer is given up. Delete requests have to outlive it; default 1 h.
	MaxMerge time.Duration
	// FiltersFrom is the size from which on segments have skip filters; default as in segment.WriterOptions.
	FiltersFrom int64
	// BytesPerSecond bounds what is read and written together; 0 = unlimited.
	BytesPerSecond int64

	// Lease makes compactors of several processes avoid each other; Owner tells them apart. "" = no lease, when this is the only process.
	Owner string

	Logger     log.Logger            // nil = none
	Registerer prometheus.Registerer // nil = none
	Now        func() time.Time      // for tests
}

// DefaultMaxMerge is the default of Options.MaxMerge.
const DefaultMaxMerge = time.Hour

func (o Options) withDefaults() (Options, error) {
	if o.Bucket == nil || o.Catalog == nil {
		return o, errors.New("compaction needs a bucket and a catalog")
	}
	if o.Interval <= 0 {
		o.Interval = time.Minute
	}
	if o.ClosedInterval <= 0 {
		o.ClosedInterval = time.Hour
	}
	if o.Grace <= 0 {
		o.Grace = 30 * time.Minute
	}
	if o.Settle <= 0 {
		o.Settle = time.Hour
	}
	if o.MinSources <= 1 {
		o.MinSources = 4
	}
	if o.MaxSegmentBytes <= 0 {
		o.MaxSegmentBytes = 256 << 20
	}
	if o.MaxMerge <= 0 {
		o.MaxMerge = DefaultMaxMerge
	}
	if o.Eraser == nil {
		o.Eraser = keepEverything{}
	}
	if o.Logger == nil {
		o.Logger = log.NewNullLogger()
	}
	if o.Registerer == nil {
		o.Registerer = prometheus.NewRegistry()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o, nil
}

// keepEverything erases nothing.
type keepEverything struct{}

func (keepEverything) Plan(context.Context, string, segment.Day) (Plan, error) { return nil, nil }

func (keepEverything) Urgent(context.Context, string, segment.Day) (bool, error) { return false, nil }

func (keepEverything) Expired(segment.Name) bool                              { return false }
func (keepEverything) Rewrite(context.Context, *segment.Reader) (bool, error) { return false, nil }
func (keepEverything) Deletes() []string                                      { return nil }
func (keepEverything) Chunk(context.Context, labels.Labels, segment.ChunkRef) (Decision, KeepRow, error) {
	return KeepAll, nil, nil
}
