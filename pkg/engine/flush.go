package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/cambium-logs/cambium/pkg/internal/fault"
	"github.com/cambium-logs/cambium/pkg/storage/head"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

const (
	flushRetryMax = 30 * time.Second
	flushLook     = time.Second // how often the flush loop looks at the age of the head
	// keepRefused is well below the time for which replaced segments and delete requests last.
	keepRefused = 5 * time.Minute
	// commitRetryMax is flushRetryMax with WALInBucket, where pushes are refused until a try succeeds.
	commitRetryMax = 2 * time.Second
)

// flusher is the state of flushing. Whoever has the token owns the rest.
type flusher struct {
	token  chan struct{}
	sealed *head.Generation // being written; nil = none
	began  time.Time        // when sealed was: what was accepted before is in it or in segments
	// untruncated says that the log still holds what is in segments: a start would read it again.
	untruncated bool
	file        int // the log before this file belongs to sealed and what came before
	done        map[segmentKey]segment.Info
	// keepRefused is how long pushes that were refused with WALInBucket, because they could not be written, are tried again.
	keepRefused time.Duration
	commit      *commit // whom to tell how writing sealed went; nil = nobody any more
}

// segmentKey is a segment of the sealed generation that is in the bucket already.
type segmentKey struct {
	tenant string
	day    segment.Day
}

func (f *flusher) init() { f.token, f.keepRefused = make(chan struct{}, 1), keepRefused }

func (f *flusher) lock(ctx context.Context) error {
	select {
	case f.token <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *flusher) unlock() { <-f.token }

// Flush returns when everything acknowledged before the call is in segments. An interrupted or failed flush goes on where it stopped.
func (e *Engine) Flush(ctx context.Context) error {
	if err := e.flusher.lock(ctx); err != nil {
		return err
	}
	defer e.flusher.unlock()
	if err := e.finish(ctx); err != nil {
		return err
	}
	if err := e.seal(); err != nil {
		return err
	}
	return e.finish(ctx)
}

// FlushError is why the last flush failed, or nil.
func (e *Engine) FlushError() error {
	if p := e.lastErr.Load(); p != nil {
		return *p
	}
	return nil
}

func (e *Engine) wakeFlusher() {
	select {
	case e.kick <- struct{}{}:
	default:
	}
}

func (e *Engine) flushIfFull() {
	if memory, raw, _ := e.head.Current(); memory >= e.opts.FlushBytes || raw >= e.opts.FlushBytes {
		e.wakeFlusher()
	}
}

// due reports whether the head is to be flushed now.
func (e *Engine) due() bool {
	if e.wal == nil {
		return !e.head.CurrentEmpty()
	}
	memory, raw, since := e.head.Current()
	return memory >= e.opts.FlushBytes || raw >= e.opts.FlushBytes || (!since.IsZero() && aged(since, time.Now(), e.opts.FlushAge)) ||
		(!since.IsZero() && max(e.head.Memory(), e.head.RawBytes()) >= e.head.MaxBytes()*9/10)
}

// aged reports whether a time of the wall clock is some age ago, or as far ahead because the clock went back.
func aged(since, now time.Time, age time.Duration) bool { return now.Sub(since).Abs() >= age }

func (e *Engine) flushLoop(ctx context.Context) {
	look, retryMax := flushLook, flushRetryMax
	if e.wal == nil {
		look, retryMax = e.opts.CommitInterval, commitRetryMax
	}
	tick := time.NewTicker(look)
	defer tick.Stop()
	retry := e.opts.FlushRetry
	var notBefore time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-e.kick:
		}
		if time.Now().Before(notBefore) {
			continue
		}
		switch err := e.flushDue(ctx); {
		case err == nil:
			retry, notBefore = e.opts.FlushRetry, time.Time{}
		case ctx.Err() != nil:
			return
		default:
			e.opts.Logger.Error("The head could not be flushed; it is tried again", "error", err, "in", retry)
			notBefore = time.Now().Add(retry)
			retry = min(2*retry, retryMax)
		}
	}
}

// flushDue finishes a flush that had failed and flushes what is due.
func (e *Engine) flushDue(ctx context.Context) error {
	if err := e.flusher.lock(ctx); err != nil {
		return err
	}
	defer e.flusher.unlock()
	if err := e.finish(ctx); err != nil {
		return err
	}
	for e.due() {
		if err := e.seal(); err != nil {
			return err
		}
		if err := e.finish(ctx); err != nil {
			return err
		}
	}
	return nil
}

// seal begins a new generation in log and head. The flusher has no sealed generation.
func (e *Engine) seal() error {
	e.gate.Lock()
	defer e.gate.Unlock()
	if e.head.CurrentEmpty() {
		return nil
	}
	f := &e.flusher
	if e.wal != nil {
		if e.closed {
			return ErrClosed
		}
		file, err := e.wal.Rotate(e.head.Order())
		if err != nil {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		f.file = file
		fault.Point("engine.rotated")
	}
	f.began = e.now()
	f.sealed, f.done = e.head.Seal(), map[segmentKey]segment.Info{}
	f.commit, e.commit = e.commit, newCommit()
	return nil
}

// finish writes the sealed generation, if there is one, to segments.
func (e *Engine) finish(ctx context.Context) error {
	f := &e.flusher
	if f.sealed == nil {
		if f.untruncated {
			e.truncate()
		}
		return nil
	}
	if e.wal == nil && aged(f.sealed.Since(), time.Now(), f.keepRefused) {
		e.dropRefused()
		return nil
	}
	start := time.Now()
	if err := e.write(ctx, f.sealed); err != nil {
		e.metrics.flushFailures.Inc()
		// An interrupted write is no failure: the flush loop goes on with it.
		if ctx.Err() == nil {
			e.lastErr.Store(&err)
			e.failCommits(err)
		}
		return err
	}
	e.lastErr.Store(nil)
	if f.commit != nil {
		f.commit.finish(nil)
		f.commit = nil
	}
	f.sealed, f.done = nil, nil
	e.metrics.flushSeconds.Observe(time.Since(start).Seconds())
	fault.Point("engine.flushed")
	if e.wal != nil {
		e.truncate()
	}
	return nil
}

// dropRefused forgets the sealed generation, which could not be written for long. Its pushes were refused, and their senders have gone elsewhere: nobody
// waits with the end of a delete request for what this process has in memory, so that what was deleted there meanwhile would come back with it.
func (e *Engine) dropRefused() {
	f := &e.flusher
	tenants := f.sealed.Tenants()
	e.view.Lock()
	for _, tenant := range tenants {
		f.sealed.Drop(tenant)
	}
	e.published++
	e.view.Unlock()
	if f.commit != nil {
		f.commit.finish(fmt.Errorf("for %s", f.keepRefused))
	}
	f.sealed, f.done, f.commit = nil, nil, nil
	e.lastErr.Store(nil)
	e.opts.Logger.Warn("Pushes that were refused because the bucket could not be written are not tried any more", "tenants", len(tenants))
}

// truncate removes from the log what is in segments. A failure is told once, and tried again until it works: as long as the log holds it, a start
// brings back what was deleted meanwhile.
func (e *Engine) truncate() {
	f := &e.flusher
	if err := e.wal.Truncate(f.file); err != nil {
		if !f.untruncated {
			e.opts.Logger.Warn("The write-ahead log was not truncated; it is tried again", "error", err)
		}
		f.untruncated = true
		return
	}
	f.untruncated = false
	e.mark.cleanUntil(f.began)
	fault.Point("engine.truncated")
}

func (e *Engine) write(ctx context.Context, g *head.Generation) error {
	for _, tenant := range g.Tenants() {
		if err := e.writeTenant(ctx, g, tenant); err != nil {
			return fmt.Errorf("flush tenant %s: %w", tenant, err)
		}
	}
	return nil
}

// writeTenant writes a tenant's part of a generation and moves it from the head to the catalog.
func (e *Engine) writeTenant(ctx context.Context, g *head.Generation, tenant string) error {
	days, err := g.Encode(ctx, tenant)
	if err != nil {
		return err
	}
	fault.Point("engine.encoded")
	var infos []segment.Info
	for _, day := range days {
		key := segmentKey{tenant, day.Day}
		info, ok := e.flusher.done[key]
		if !ok {
			if info, err = e.writeSegment(ctx, tenant, day); err != nil {
				return err
			}
			e.flusher.done[key] = info
			fault.Point("engine.uploaded")
		}
		infos = append(infos, info)
	}
	e.view.Lock()
	defer e.view.Unlock()
	for _, info := range infos {
		e.catalog.Add(info)
	}
	g.Drop(tenant)
	e.published++
	return nil
}

func (e *Engine) writeSegment(ctx context.Context, tenant string, day head.DayChunks) (segment.Info, error) {
	opts := segment.WriterOptions{Tenant: tenant, Level: segment.LevelFlushed}
	if e.wal == nil {
		opts.Level, opts.ID = segment.LevelBatch, e.batches.next()
	}
	info, err := segment.Create(ctx, e.bucket, e.buildDir, opts, func(w *segment.Writer) error {
		for i := range day.Chunks {
			if i%1024 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			if err := w.Append(day.Chunks[i].Labels, day.Chunks[i].Chunk); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		e.discard(ctx, info.Name)
		return info, fmt.Errorf("write the segment of %s: %w", day.Day, err)
	}
	e.segmentStats.wrote(info.Name.ID, segmentStats{info.Size, info.Footer.RawBytes, info.Footer.Rows})
	e.metrics.segments.Inc()
	e.metrics.flushedBytes.Add(float64(info.Size))
	return info, nil
}

const (
	// discardTime bounds what removing a segment may take whose upload failed, discardAtClose when the engine is being closed.
	discardTime, discardAtClose = 5 * time.Second, 500 * time.Millisecond
)

// discard removes what a failed upload may have left: where a provider leaves the part of an object that it had room for, queries would find it
// damaged. What is in the segment is still in the head, and is written under another name, so it does not matter if the upload had worked, or
// if somebody has merged it since.
func (e *Engine) discard(ctx context.Context, name segment.Name) {
	if name.ID == (ulid.ULID{}) {
		return
	}
	limit := discardTime
	if ctx.Err() != nil {
		limit = discardAtClose
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	if err := e.bucket.Delete(ctx, name.Path()); err != nil && !e.notFound(err) {
		e.opts.Logger.Warn("What a failed upload may have left could not be removed; it is damaged where the upload was cut off", "segment", name.Path(), "error", err)
	}
}
