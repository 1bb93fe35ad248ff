package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/thanos-io/objstore"

	"github.com/cambium-logs/cambium/pkg/storage/catalog"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/deletes"
	"github.com/cambium-logs/cambium/pkg/storage/head"
	"github.com/cambium-logs/cambium/pkg/storage/wal"
)

// Engine is an open database. Its methods may be called concurrently.
type Engine struct {
	opts         Options
	lock         *dirLock // nil with WALInBucket
	wal          *wal.Log // nil with WALInBucket
	head         *head.Head
	bucket       objstore.Bucket
	catalog      *catalog.Catalog
	deletes      *deletes.Store
	maintenance  *maintenance
	metrics      *metrics
	segmentDir   string // for temporary files
	buildDir     string // where segments under construction lie: segmentDir, or where the bucket can take them over from
	segmentStats statsCache
	closers      []func() error // of what Open made, in reverse order

	// gate is held for reading by every append, and for writing while log and head begin a new generation or the engine closes.
	gate   sync.RWMutex
	closed bool    // guarded by gate
	commit *commit // of the generation that is being filled; guarded by gate

	// view is held for writing while a tenant's entries move from the head to the catalog. published counts these moves.
	view      sync.RWMutex
	published uint64

	mark     *logMark // nil where no other process has to know of the log
	flusher  flusher
	batches  batchIDs      // names the segments that this process writes with WALInBucket
	kick     chan struct{} // tells the flush loop to look
	cancel   context.CancelFunc
	loops    sync.WaitGroup
	replayed wal.ReplayStats
	ready    time.Time

	activity atomic.Int64 // pushes and delete requests since the last round of background work

	subsMu sync.Mutex // guards subs
	subs   map[*Subscription]struct{}

	registry *prometheus.Registry // of this engine's parts
	closing  sync.Once
	lastErr  atomic.Pointer[error] // of the last flush; nil = it went well
}

// Open opens the database in a data directory: it takes the lock, replays the log and starts the background work. With WALInBucket it first
// writes to the bucket what an earlier process left in a log there.
// Errors say which directory and what to do; ErrLocked when another process has it. A disk that is full is no error: the engine reads, and
// refuses pushes until there is room.
func Open(ctx context.Context, opts Options) (_ *Engine, err error) {
	opts.ensureDefaults()
	if opts.DataDir, err = checkDirs(opts); err != nil {
		return nil, err
	}
	if opts.WALLocation == WALInBucket {
		if err := moveLeftLog(ctx, opts); err != nil {
			return nil, err
		}
	}
	e := &Engine{opts: opts, commit: newCommit(), kick: make(chan struct{}, 1), registry: prometheus.NewRegistry()}
	e.opts.Head.Registerer = e.registry
	e.flusher.init()
	e.batches.init()
	e.segmentStats.init()
	defer func() {
		if err != nil {
			e.closeParts()
		}
	}()
	if err := e.openDir(ctx); err != nil {
		return nil, err
	}
	exclusive, err := e.openStore()
	if err != nil {
		return nil, err
	}
	if opts.WALLocation == WALOnDisk && !exclusive {
		if err := e.openMark(); err != nil {
			return nil, err
		}
	}
	e.head = head.New(e.opts.Head)
	e.onClose(func() error { e.head.Close(); return nil })
	if opts.WALLocation == WALOnDisk {
		if err := e.openLog(ctx); err != nil {
			return nil, err
		}
	}
	e.metrics = newMetrics(e.registry, e)
	e.publishMetrics()
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	e.cancel = cancel
	if e.mark != nil {
		e.startMark(ctx, background)
	}
	e.loops.Go(func() { e.flushLoop(background) })
	if opts.Compaction.Enabled {
		e.loops.Go(func() { e.maintainLoop(background) })
	}
	e.ready = time.Now()
	return e, nil
}

func (e *Engine) onClose(f func() error) { e.closers = append(e.closers, f) }

func (e *Engine) closeParts() error {
	var err error
	for i := len(e.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, e.closers[i]())
	}
	e.closers = nil
	return err
}

// checkDirs checks that there is a place for everything and returns the absolute data directory; empty when none is needed.
func checkDirs(opts Options) (string, error) {
	switch {
	case opts.WALLocation == WALInBucket && opts.Bucket == nil:
		return "", errors.New("the write-ahead log is to be in the bucket, but no bucket is given")
	case opts.DataDir != "":
		return filepath.Abs(opts.DataDir)
	case opts.WALLocation == WALOnDisk:
		return "", errors.New("no data directory is given")
	}
	return "", nil
}

// openDir takes the data directory, or makes a temporary one where nothing on the disk is to be kept.
func (e *Engine) openDir(ctx context.Context) (err error) {
	if e.opts.WALLocation == WALInBucket {
		var release func() error
		if e.segmentDir, release, err = makeBuildDir(e.opts.DataDir); err != nil {
			return fmt.Errorf("make a directory for segments under construction: %w", err)
		}
		e.onClose(release)
		return nil
	}
	if e.lock, err = lockDir(ctx, e.opts.DataDir, e.opts.LockWait); err != nil {
		return err
	}
	e.onClose(e.lock.release)
	e.segmentDir = e.opts.tmpDir()
	if err := cleanDir(e.segmentDir); err != nil {
		return fmt.Errorf("data directory %s is not writable: %w", e.opts.DataDir, err)
	}
	return nil
}

// cleanDir makes a directory where there is none, and empties one that is there, as far as that can be done.
func cleanDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	files, err := os.ReadDir(dir)
	for _, f := range files {
		_ = os.RemoveAll(filepath.Join(dir, f.Name()))
	}
	return err
}

func (e *Engine) openLog(ctx context.Context) error {
	log, err := wal.Open(wal.Options{Dir: e.opts.walDir(), Sync: e.opts.WALSync, Compression: e.opts.WALCompression, Logger: e.opts.Logger, Registerer: e.registry})
	if err != nil {
		return err
	}
	e.wal = log
	e.onClose(log.Close)
	start := time.Now()
	var invalid int64
	stats, err := log.Replay(ctx, func(tenant string, ls labels.Labels, known any, entries []chunk.Entry) (any, error) {
		series, ok := known.(*head.Series)
		if !ok {
			series = e.head.Resolve(tenant, []labels.Labels{ls})[0]
		}
		kept := entries[:0]
		for i := range entries {
			if checkEntry(&entries[i]) != nil {
				invalid++
				continue
			}
			kept = append(kept, entries[i])
		}
		e.head.Apply(tenant, head.Reservation{}, []head.Batch{{Series: series, Entries: kept}})
		return series, nil
	})
	if err != nil {
		return err
	}
	e.replayed = stats
	e.head.RaiseOrder(stats.Order)
	if stats.Entries > 0 || stats.Damages > 0 || invalid > 0 {
		e.opts.Logger.Info("The write-ahead log was replayed", "files", stats.Files, "bytes", stats.Bytes, "entries", stats.Entries,
			"tornTails", stats.TornTails, "damages", stats.Damages, "lostBytes", stats.LostBytes, "undeclared", stats.Undeclared, "invalid", invalid, "took", time.Since(start))
	}
	log.Start(e.head.Order())
	return nil
}

// Replayed says what the start found in the write-ahead log.
func (e *Engine) Replayed() wal.ReplayStats { return e.replayed }

// Close refuses new pushes, makes sure of everything acknowledged, and stops. Nothing is flushed: the next start replays the log.
// With WALInBucket the pushes that wait are written. When the context ends first, what remains of the background work ends later, with the data directory locked until then.
func (e *Engine) Close(ctx context.Context) error {
	var err error
	e.closing.Do(func() { err = e.close(ctx) })
	return err
}

func (e *Engine) close(ctx context.Context) error {
	e.gate.Lock() // waits for the appends that have begun: one fsync at most
	e.closed = true
	e.gate.Unlock()
	var err error
	if e.wal != nil {
		err = e.wal.Close()
	} else {
		err = e.Flush(ctx)
	}
	e.cancel()
	done := make(chan error, 1)
	go func() {
		e.loops.Wait()
		if e.flusher.lock(context.Background()) == nil { // never released: nobody flushes any more
			e.abandonCommits()
			e.unmark(ctx)
		}
		e.endSubscriptions()
		done <- e.closeParts()
	}()
	select {
	case cerr := <-done:
		return errors.Join(err, cerr)
	case <-ctx.Done():
		return errors.Join(err, fmt.Errorf("background work has not stopped yet: %w", ctx.Err()))
	}
}
