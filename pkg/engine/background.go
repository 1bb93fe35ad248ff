package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/cambium-logs/cambium/pkg/storage/bucket"
	"github.com/cambium-logs/cambium/pkg/storage/compact"
	"github.com/cambium-logs/cambium/pkg/storage/deletes"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

// Compaction says what is done with segments in the background. The zero value does nothing: segments stay as they are written, nothing
// expires, and what is deleted is hidden only.
type Compaction struct {
	// Enabled starts the background work in this process. Of several processes on a bucket one is enough; more take turns.
	Enabled bool
	// Interval is the time between two rounds, up to eight times that while there is nothing to do. Default 1 min.
	Interval time.Duration
	// Grace is how long what was replaced stays in the bucket. It is longer than any query. Default 30 min.
	Grace time.Duration
	// BytesPerSecond bounds what is read and written together. 0 = unlimited.
	BytesPerSecond int64
	// MaxSegmentBytes bounds the segments that merges write. Default 256 MiB.
	MaxSegmentBytes int64
	// MaxMerge bounds the time that one merge may take. Default 1 h.
	MaxMerge time.Duration
	// Settle is how long nothing must have been written to a day that is over before what is left of it is merged. Default 1 h.
	Settle time.Duration
	// KeepForever switches retention off, whatever the limits say.
	KeepForever bool
	// CancelPeriod is how long delete requests can be taken back; what they select is erased afterwards. 0 = erased at once.
	CancelPeriod time.Duration
}

func (c *Compaction) ensureDefaults() {
	if c.Interval <= 0 {
		c.Interval = time.Minute
	}
	if c.Grace <= 0 {
		c.Grace = 30 * time.Minute
	}
	if c.MaxMerge <= 0 {
		c.MaxMerge = compact.DefaultMaxMerge
	}
}

// maintenance is the state of the background work. Whoever has the token owns the rest.
type maintenance struct {
	token     chan struct{}
	wake      chan struct{} // something came in, the first since the last round
	compactor *compact.Compactor

	processed  map[deleteKey]bool
	touched    map[touchKey]bool
	periods    map[ulid.ULID]segmentPeriod
	retentions map[string]tenantRetention
	round      int64
	swept      time.Time    // when what requests left behind was looked for last
	told       string       // the last error that was logged
	urgent     atomic.Int64 // delete requests of which something is to be erased now
	logs       *logsOnBucket
	awaited    map[string]bool         // logs of which it was told that requests wait for them
	cleanSince map[deleteKey]time.Time // when logs were first found clean of what processed requests select
}

// maxRemembered bounds what is remembered of segments: beyond it, it is found out anew.
const maxRemembered = 1 << 17

// openBackground makes what Maintain needs. Exclusive says that no other process writes to the bucket.
func (e *Engine) openBackground(exclusive bool) error {
	m := &maintenance{
		token: make(chan struct{}, 1), wake: make(chan struct{}, 1), processed: map[deleteKey]bool{}, touched: map[touchKey]bool{},
		periods: map[ulid.ULID]segmentPeriod{}, retentions: map[string]tenantRetention{}, awaited: map[string]bool{},
		cleanSince: map[deleteKey]time.Time{},
	}
	e.maintenance = m
	e.deletes = deletes.NewStore(deletes.Options{Bucket: e.bucket, Exclusive: exclusive, Compile: CompileDelete, Now: e.opts.now})
	o := &e.opts.Compaction
	owner := ""
	if !exclusive {
		id, err := segment.NewID()
		if err != nil {
			return err
		}
		host, _ := os.Hostname() // for people; the id tells processes apart
		owner = fmt.Sprintf("%s %d %s", host, os.Getpid(), id)
	}
	var err error
	m.compactor, err = compact.New(compact.Options{
		Bucket: e.bucket, Catalog: e.catalog, TempDir: e.buildDir, Eraser: eraser{e}, Owner: owner, Logger: e.opts.Logger, Registerer: e.registry,
		Interval: o.Interval, Grace: o.Grace, BytesPerSecond: o.BytesPerSecond, MaxSegmentBytes: o.MaxSegmentBytes, MaxMerge: o.MaxMerge,
		Settle: o.Settle, Now: e.opts.now,
	})
	return err
}

// now is the clock of the background work.
func (e *Engine) now() time.Time {
	if e.opts.now != nil {
		return e.opts.now()
	}
	return time.Now()
}

// maxIdleDoublings is how often the time between two rounds is doubled while there is nothing to do.
const maxIdleDoublings = 3

// maintainLoop makes rounds until the context ends. The times between them vary, so that processes do not move in step, and grow while nothing
// is to be done and nothing comes in.
func (e *Engine) maintainLoop(ctx context.Context) {
	idle := 0
	for {
		interval := e.opts.Compaction.Interval << idle
		t := time.NewTimer(interval/2 + rand.N(interval))
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		case <-e.maintenance.wake:
			t.Stop()
			idle = 0
			continue
		}
		start := time.Now()
		seen := e.activity.Swap(0)
		result, err := e.Maintain(ctx)
		if ctx.Err() != nil {
			return
		}
		if seen == 0 && err == nil && !e.maintenance.busy(result) {
			idle = min(idle+1, maxIdleDoublings)
		} else {
			idle = 0
		}
		e.tell(result, err, time.Since(start))
	}
}

// busy reports whether a round did something, or left something to do that time alone will make possible.
func (m *maintenance) busy(r compact.Result) bool {
	return r.Merges+r.Expired+r.Deleted+r.Waiting > 0 || m.urgent.Load() > 0
}

// noteActivity makes rounds of background work close again.
func (e *Engine) noteActivity() {
	if e.activity.Add(1) == 1 {
		select {
		case e.maintenance.wake <- struct{}{}:
		default:
		}
	}
}

// tell logs what a round did, in one line, and an error once.
func (e *Engine) tell(r compact.Result, err error, took time.Duration) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text != e.maintenance.told && err != nil {
		e.opts.Logger.Error("Background work on segments failed and will be tried again", "error", err)
	}
	e.maintenance.told = text
	if r.Merges > 0 || r.Expired > 0 || r.Deleted > 0 {
		e.opts.Logger.Info("Compacted", "merges", r.Merges, "sources", r.Sources, "readBytes", r.ReadBytes, "writtenBytes", r.WrittenBytes,
			"duplicateRows", r.Duplicate, "erasedRows", r.Erased, "expired", r.Expired, "deleted", r.Deleted, "waiting", r.Waiting, "took", took)
	}
}

// Maintain makes one round of the background work: what delete requests wait for is flushed, segments are merged, what is expired or
// deleted is erased, and what was replaced long ago is removed. It may be interrupted anywhere.
func (e *Engine) Maintain(ctx context.Context) (compact.Result, error) {
	m := e.maintenance
	select {
	case m.token <- struct{}{}:
		defer func() { <-m.token }()
	case <-ctx.Done():
		return compact.Result{}, ctx.Err()
	}
	m.round++
	ctx = bucket.Uncached(ctx) // what is read once does not displace what queries read
	if len(m.touched) > maxRemembered {
		clear(m.touched)
	}
	if len(m.periods) > maxRemembered {
		clear(m.periods)
	}
	flushErr := e.flushForDeletes(ctx)
	result, err := m.compactor.Pass(ctx)
	if !result.Elsewhere && ctx.Err() == nil {
		err = errors.Join(err, e.settleDeletes(ctx))
	}
	return result, errors.Join(flushErr, err)
}
