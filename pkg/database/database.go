package database

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/cambium-logs/cambium/pkg/config"
	"github.com/cambium-logs/cambium/pkg/engine"
	"github.com/cambium-logs/cambium/pkg/httpapi"
	"github.com/cambium-logs/cambium/pkg/ingest"
	"github.com/cambium-logs/cambium/pkg/query"
	"github.com/cambium-logs/cambium/pkg/storage/bucket"
	"github.com/cambium-logs/cambium/pkg/storage/head"
	"github.com/cambium-logs/cambium/pkg/storage/wal"
	"github.com/cambium-logs/cambium/pkg/tenant"
)

// Options say how a Database is opened.
type Options struct {
	Config config.Config
	// Location is where the data lies, for people. Default: the bucket's name, or the data directory.
	Location string
	Logger   log.Logger // default: none
	// Registry takes the metrics of all parts. Default: a registry of its own.
	Registry *prometheus.Registry
	Build    httpapi.Build
	// LogLevel and SetLogLevel are the level of the process's log, for the API. Default: not shown.
	LogLevel    func() string
	SetLogLevel func(level string) error
}

// Database is an open database with all its faces' needs.
type Database struct {
	*query.Engine
	engine   *engine.Engine
	api      *httpapi.API
	registry *prometheus.Registry
	location string
	rest     func() error // closes what the engine uses
	align    bool         // of query.align_queries_with_step

	overrides *tenant.Overrides
	stop      context.CancelFunc
	loops     sync.WaitGroup

	background context.Context // ends with Close
	logger     log.Logger

	storing sync.Mutex // held while a retention is stored

	mu       sync.Mutex          // guards what follows
	retained map[string]retained // of tenants whose retention was set from outside
}

// Open opens the database that a configuration describes.
func Open(ctx context.Context, o Options) (*Database, error) {
	if o.Logger == nil {
		o.Logger = log.NewNullLogger()
	}
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	c := &o.Config
	if c.WAL.Location == "bucket" {
		if text, err := c.BucketYAML(); err != nil || text == nil {
			return nil, errors.Join(err, errors.New("wal.location: bucket needs a bucket: name one under bucket"))
		}
	}
	overrides, err := tenant.LoadOverrides(c.Limits, c.Runtime.File)
	if err != nil {
		return nil, err
	}
	d := &Database{registry: o.Registry, location: o.Location, overrides: overrides, rest: func() error { return nil }, align: c.Query.AlignQueriesWithStep,
		retained: map[string]retained{}, logger: o.Logger}
	engineOptions := d.engineOptions(&o)
	if err := d.openBucket(ctx, c, &engineOptions); err != nil {
		return nil, err
	}
	if d.location == "" {
		d.location = c.DataDir
	}
	if d.engine, err = engine.Open(ctx, engineOptions); err != nil {
		return nil, errors.Join(err, d.rest())
	}
	d.Engine = query.New(query.Options{
		Source: federation{d.engine}, Workers: c.Query.Workers, MaxConcurrent: c.Query.MaxConcurrent, CacheBytes: cacheBytes(c), Registerer: o.Registry,
	})
	d.api = httpapi.New(d.apiOptions(&o))
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	d.stop, d.background = cancel, background
	d.loops.Go(func() {
		overrides.Watch(background, time.Duration(c.Runtime.Period), func(err error) {
			if err != nil {
				o.Logger.Error("The tenants' overrides cannot be read; the previous ones stay", "error", err)
				return
			}
			o.Logger.Info("The tenants' overrides were read again", "file", c.Runtime.File)
		})
	})
	return d, nil
}

func (d *Database) engineOptions(o *Options) engine.Options {
	c := &o.Config
	out := engine.Options{
		DataDir: c.DataDir, FlushBytes: int64(c.Head.FlushBytes), FlushAge: time.Duration(c.Head.FlushAge), Logger: o.Logger, Registerer: o.Registry,
		Head: head.Options{MaxBytes: int64(c.Head.MaxBytes), ChunkBytes: int64(c.Head.ChunkBytes), StreamIdle: time.Duration(c.Head.StreamIdle)},
	}
	out.Limits = d.Limits
	out.Compaction = engine.Compaction{
		Enabled: c.Compactor.Enabled, Interval: time.Duration(c.Compactor.CompactionInterval), Grace: time.Duration(c.Compactor.RetentionDeleteDelay),
		BytesPerSecond: int64(c.Compactor.MaxBandwidth), MaxSegmentBytes: int64(c.Compactor.MaxSegmentSize), KeepForever: !c.Compactor.RetentionEnabled,
		CancelPeriod: time.Duration(c.Compactor.DeleteRequestCancelPeriod),
	}
	if c.WAL.Sync == "none" {
		out.WALSync = wal.SyncNone
	}
	if c.WAL.Location == "bucket" {
		out.WALLocation, out.CommitInterval = engine.WALInBucket, time.Duration(c.WAL.CommitInterval)
	}
	return out
}

func (d *Database) openBucket(ctx context.Context, c *config.Config, out *engine.Options) error {
	text, err := c.BucketYAML()
	if err != nil || text == nil {
		return err
	}
	opened, err := bucket.Open(bucket.Options{Config: text, Registerer: d.registry})
	if err != nil {
		return err
	}
	if err := bucket.Probe(ctx, opened); err != nil {
		return errors.Join(err, opened.Close())
	}
	d.rest = opened.Close
	out.Bucket = d.cached(c, opened)
	if d.location == "" {
		d.location = "the bucket " + opened.Name()
	}
	return nil
}

func (d *Database) apiOptions(o *Options) httpapi.Options {
	c := &o.Config
	return httpapi.Options{
		Query: d, Sink: sink{d.engine}, Limits: d.Limits, Flusher: d.engine, Reporter: d, Readiness: d, Tailer: d,
		Deletes:           deleteRequests{d.engine, time.Duration(c.Compactor.DeleteRequestCancelPeriod)},
		DeleteMaxInterval: time.Duration(c.Compactor.DeleteMaxInterval),
		Bounds:            ingest.Bounds{MaxBody: int64(c.Ingest.MaxRecvMsgSize), MaxDecompressed: int64(c.Ingest.MaxDecompressedSize)},
		MaxForm:           int64(c.Query.MaxFormSize),
		TailMaxDuration:   time.Duration(c.Query.TailMaxDuration),
		WriteTimeout:      time.Duration(c.Server.WriteTimeout),
		Collector:         ingest.Collector{Labels: c.Ingest.Labels, Relabel: c.Ingest.RelabelRules, ReceiveTime: !c.Ingest.UseIncomingTimestamp},
		Extensions:        c.Query.Extensions,
		MultiTenant:       c.Query.MultiTenantQueriesEnabled,
		Config:            c.Show,
		LogLevel:          o.LogLevel, SetLogLevel: o.SetLogLevel,
		Registerer: d.registry, Gatherer: d.registry, Profiles: c.Server.Profiles, Build: o.Build,
	}
}

// Query runs a query as the configuration wants it, for every face.
func (d *Database) Query(ctx context.Context, p query.Params) (*query.Result, error) {
	p.AlignStep = p.AlignStep || d.align
	return d.Engine.Query(ctx, p)
}

// API is the HTTP API. It takes the caller from httpapi.WithPrincipal; API().With gives it another Authorizer.
func (d *Database) API() *httpapi.API { return d.api }

// Handler is API, for faces that want no more of it.
func (d *Database) Handler() http.Handler { return d.api }

// cached puts the cache on the disk before a bucket that is not on this machine.
func (d *Database) cached(c *config.Config, b *bucket.Bucket) *bucket.Bucket {
	if _, local := b.IsLocal(); local || c.BucketCache.MaxBytes == 0 {
		return b
	}
	with, err := b.Cached(bucket.CacheOptions{Dir: filepath.Join(c.DataDir, "cache"), MaxBytes: int64(c.BucketCache.MaxBytes)}, d.registry)
	if err != nil {
		d.logger.Warn("Nothing that is read of the bucket is kept on the disk", "error", err)
		return b
	}
	return with
}

// cacheBytes is query.Options.CacheBytes, where keeping nothing is negative.
func cacheBytes(c *config.Config) int64 {
	if c.Query.CacheBytes == 0 {
		return -1
	}
	return int64(c.Query.CacheBytes)
}

// Registry holds the metrics of all parts.
func (d *Database) Registry() *prometheus.Registry { return d.registry }

// Limits gives the limits of a tenant. They must not be changed.
func (d *Database) Limits(id string) *tenant.Limits {
	limits := d.overrides.Of(id)
	d.mu.Lock()
	defer d.mu.Unlock()
	r, ok := d.retained[id]
	if !ok {
		return limits
	}
	if r.from != limits {
		changed := *limits
		changed.RetentionPeriod = tenant.Duration(r.keep)
		r.from, r.limits = limits, &changed
		d.retained[id] = r
	}
	return r.limits
}

// retained is a tenant's retention that was set from outside, with the limits that it makes of those in force.
type retained struct {
	keep         time.Duration
	from, limits *tenant.Limits
}

// SetRetention overrides how long a tenant's entries are kept; 0 takes the override back. It is kept with the tenant's data, so that it holds
// before anybody sets it again after a start.
func (d *Database) SetRetention(id string, keep time.Duration) {
	d.mu.Lock()
	if keep == 0 {
		delete(d.retained, id)
	} else {
		d.retained[id] = retained{keep: keep}
	}
	d.mu.Unlock()
	d.loops.Go(func() {
		d.storing.Lock()
		defer d.storing.Unlock()
		d.mu.Lock()
		keep := d.retained[id].keep // which may have been set again
		d.mu.Unlock()
		if err := d.engine.SetRetention(d.background, id, keep); err != nil && d.background.Err() == nil {
			d.logger.Error("The retention of a tenant was not stored; it is in force while this process runs", "tenant", id, "error", err)
		}
	})
}

// TenantStatus implements httpapi.Reporter.
func (d *Database) TenantStatus(ctx context.Context, id string) (httpapi.Status, error) {
	stats, err := d.engine.Stats(ctx, id)
	if err != nil {
		return httpapi.Status{}, err
	}
	return httpapi.Status{
		Location: d.location, Bytes: stats.StoredBytes, RawBytes: stats.RawBytes, Entries: stats.Entries, Streams: int64(stats.Streams),
		Oldest: nanos(stats.Oldest), Newest: nanos(stats.Newest), LastReceived: nanos(stats.LastReceived),
	}, nil
}

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// Ready implements httpapi.Readiness.
func (d *Database) Ready() error {
	if err := d.engine.FlushError(); err != nil {
		return fmt.Errorf("segments cannot be written: %w", err)
	}
	return nil
}

// Probe writes, reads, lists and deletes an object where segments are kept. The error says which of them failed.
func (d *Database) Probe(ctx context.Context) error { return d.engine.Probe(ctx) }

// Flush returns when everything that was acknowledged before the call is in segments.
func (d *Database) Flush(ctx context.Context) error { return d.engine.Flush(ctx) }

// Close makes what was acknowledged durable and releases everything.
func (d *Database) Close(ctx context.Context) error {
	d.stop()
	d.loops.Wait()
	return errors.Join(d.engine.Close(ctx), d.rest())
}
