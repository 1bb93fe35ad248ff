package query

import (
	"context"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/promql"

	"github.com/cambium-logs/cambium/pkg/storage"
)

// Source gives snapshots of a tenant's entries. Times are inclusive; a snapshot may hold more than was asked for.
type Source interface {
	Snapshot(ctx context.Context, tenant string, mint, maxt int64) (storage.Snapshot, error)
}

// Options configure an Engine.
type Options struct {
	Source Source
	// Workers is how many goroutines one query uses; 0 = one per core.
	Workers int
	// MaxConcurrent is how many queries run at once, over all tenants; others wait in turn by tenant. 0 = 4 per core, at least 16.
	MaxConcurrent int
	// MaxMemory is what all running queries may hold together, in bytes; 0 = DefaultTotalMemory. A query's own bound is Limits.MaxMemory.
	MaxMemory int64
	// CacheBytes is what is kept of what stored chunks contribute to aggregations, in bytes; 0 = DefaultCacheBytes, negative = nothing is kept.
	CacheBytes int64
	// Registerer takes the metrics of queries and of the cache; nil = none.
	Registerer prometheus.Registerer
}

// DefaultTotalMemory is the default of Options.MaxMemory.
const DefaultTotalMemory = 2 << 30

// DefaultCacheBytes is the default of Options.CacheBytes.
const DefaultCacheBytes = 32 << 20

// Engine executes queries. It is safe for concurrent use and owns no goroutine beyond the calls.
type Engine struct {
	source  Source
	workers int
	gate    *gate
	memory  *memory
	cache   *cache // nil = nothing is kept
	metrics *metrics
	prom    *promql.Engine
}

// New makes an Engine.
func New(o Options) *Engine {
	cores := runtime.GOMAXPROCS(0)
	if o.Workers <= 0 {
		o.Workers = cores
	}
	if o.MaxConcurrent <= 0 {
		o.MaxConcurrent = max(4*cores, 16)
	}
	if o.MaxMemory <= 0 {
		o.MaxMemory = DefaultTotalMemory
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = DefaultCacheBytes
	}
	e := &Engine{
		source: o.Source, workers: o.Workers, gate: newGate(o.MaxConcurrent), memory: newMemory(o.MaxMemory, nil), prom: newPromEngine(),
		metrics: newMetrics(o.Registerer),
	}
	if o.CacheBytes > 0 {
		e.cache = newCache(o.CacheBytes, o.Registerer)
	}
	return e
}

// Query executes a log or metric query. Errors are *Error.
func (e *Engine) Query(ctx context.Context, p Params) (*Result, error) {
	q, err := prepare(p)
	if err != nil {
		return nil, asError(ctx, err)
	}
	x := &execution{engine: e, planned: q, counters: &counters{}, memory: newMemory(p.Limits.maxMemory(), e.memory)}
	queued := time.Now()
	var result *Result
	err = e.admit(ctx, p.Tenant, &q.params.Limits, func(ctx context.Context) error {
		started := time.Now()
		defer x.close()
		var err error
		if result, err = x.run(ctx); err != nil {
			return err
		}
		result.Stats = x.counters.stats()
		result.Stats.QueueTime = started.Sub(queued)
		result.Stats.ExecTime = time.Since(started)
		result.Stats.Entries = int64(len(result.Entries) + len(result.Matrix) + len(result.Vector))
		return nil
	})
	if err != nil {
		return nil, err
	}
	if p.Explain {
		result.Plan = q.explain()
		result.Plan.Observed = result.Stats
	}
	return result, nil
}

// Explain gives the plan of a query without executing it.
func (e *Engine) Explain(ctx context.Context, p Params) (*Plan, error) {
	q, err := prepare(p)
	if err != nil {
		return nil, asError(ctx, err)
	}
	return q.explain(), nil
}

// admit waits for the tenant's turn and runs f under the query timeout. Its errors are *Error.
func (e *Engine) admit(ctx context.Context, tenant string, l *Limits, f func(ctx context.Context) error) error {
	if l.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, l.Timeout)
		defer cancel()
	}
	waiting := l.MaxOutstanding
	if waiting <= 0 {
		waiting = DefaultMaxOutstanding
	}
	if err := e.gate.enter(ctx, tenant, waiting); err != nil {
		return asError(ctx, err)
	}
	defer e.gate.leave()
	e.metrics.running.Inc()
	err := asError(ctx, f(ctx))
	e.metrics.end(err)
	return err
}

// execution is one running query.
type execution struct {
	*planned
	engine   *Engine
	counters *counters
	memory   *memory

	snap       storage.Snapshot // nil until the first read
	mint, maxt int64            // what snap covers
	older      []storage.Snapshot
	truncated  bool
}

func (x *execution) close() {
	x.memory.release()
	if x.snap != nil {
		x.snap.Close()
	}
	for _, s := range x.older {
		s.Close()
	}
}

func (x *execution) workers() int {
	if n := x.params.Limits.Parallelism; n > 0 {
		return min(n, x.engine.workers)
	}
	return x.engine.workers
}

// snapshot gives a snapshot that covers a range. One is taken for the whole query where its range is known beforehand.
func (x *execution) snapshot(ctx context.Context, mint, maxt int64) (storage.Snapshot, error) {
	if x.snap != nil {
		if mint >= x.mint && maxt <= x.maxt {
			return x.snap, nil
		}
		x.older = append(x.older, x.snap)
		mint, maxt = min(mint, x.mint), max(maxt, x.maxt)
		x.snap = nil
	}
	snap, err := x.engine.source.Snapshot(ctx, x.params.Tenant, mint, maxt)
	if err != nil {
		return nil, err
	}
	x.snap, x.mint, x.maxt = snap, mint, maxt
	return snap, nil
}

func (x *execution) run(ctx context.Context) (*Result, error) {
	if x.log != nil {
		return x.runLog(ctx)
	}
	return x.runMetric(ctx)
}
