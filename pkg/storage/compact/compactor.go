package compact

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/time/rate"

	"github.com/cambium-logs/cambium/pkg/internal/fault"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

// Compactor tidies up a bucket. Run and Pass must not run at the same time.
type Compactor struct {
	opts    Options
	metrics *metrics
	limiter *rate.Limiter // nil = unlimited

	markedAt map[ulid.ULID]time.Time
	damaged  map[ulid.ULID]time.Time // when a segment could not be read
	nextLook map[dayKey]time.Time
	waiting  map[dayKey]int
	leaseAt  time.Time // when the lease was last found to be this process', or taken
	// wall is the true clock, without the monotonic reading: that one stands still while a machine sleeps.
	wall func() time.Time
}

type dayKey struct {
	tenant string
	day    segment.Day
}

// New makes a compactor. It does nothing until Run or Pass is called.
func New(opts Options) (*Compactor, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	c := &Compactor{
		opts:     opts,
		metrics:  newMetrics(opts.Registerer),
		markedAt: map[ulid.ULID]time.Time{},
		damaged:  map[ulid.ULID]time.Time{},
		nextLook: map[dayKey]time.Time{},
		waiting:  map[dayKey]int{},
		wall:     func() time.Time { return time.Now().Round(0) },
	}
	if opts.BytesPerSecond > 0 {
		c.limiter = rate.NewLimiter(rate.Limit(opts.BytesPerSecond), int(max(opts.BytesPerSecond, 1<<20)))
	}
	return c, nil
}

// throttle waits until n more bytes may be moved.
func (c *Compactor) throttle(ctx context.Context, n int64) error {
	if err := ctx.Err(); err != nil || c.limiter == nil {
		return err
	}
	for n > 0 {
		step := min(n, int64(c.limiter.Burst()))
		if err := c.limiter.WaitN(ctx, int(step)); err != nil {
			return err
		}
		n -= step
	}
	return nil
}

// Run makes passes until the context ends. Failures are logged and tried again by the next pass.
func (c *Compactor) Run(ctx context.Context) {
	for {
		wait := c.opts.Interval/2 + rand.N(c.opts.Interval)
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
		result, err := c.Pass(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			c.opts.Logger.Error("Compaction failed and will be tried again", "error", err)
		}
		if result.Merges > 0 || result.Deleted > 0 {
			c.opts.Logger.Info("Compacted", "merges", result.Merges, "sources", result.Sources, "readBytes", result.ReadBytes,
				"writtenBytes", result.WrittenBytes, "deleted", result.Deleted, "waiting", result.Waiting)
		}
	}
}

// Result is what a pass did.
type Result struct {
	Merges, Sources         int   // segments written, replaced
	ReadBytes, WrittenBytes int64 // of chunks, of segments
	Duplicate, Erased       int64 // entries dropped
	Expired                 int   // segments marked because nothing in them is to be kept
	Deleted                 int   // segments deleted
	Waiting                 int   // segments that wait for the grace period to end
	Elsewhere               bool  // another process holds the lease, so nothing was done
}

// Pass looks at all tenants and their days that are due, and does everything that there is to do. It takes the lease when there is something. Failures of one day do not keep it from the others; they are joined.
func (c *Compactor) Pass(ctx context.Context) (Result, error) {
	var result Result
	free, err := c.leaseFree(ctx)
	if err != nil || !free {
		result.Elsewhere = err == nil
		return result, err
	}
	tenants, err := c.opts.Catalog.Tenants(ctx)
	if err != nil {
		return result, err
	}
	var failed []error
	for _, t := range tenants {
		days, err := c.opts.Catalog.Days(ctx, t)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		for _, d := range days {
			if ctx.Err() != nil {
				return result, ctx.Err()
			}
			key := dayKey{t, d}
			due, err := c.due(ctx, key)
			if err == nil && !due {
				continue
			}
			if err == nil {
				err = c.day(ctx, key, &result)
			}
			if errors.Is(err, errElsewhere) {
				return result, errors.Join(failed...)
			}
			if err != nil {
				c.metrics.failures.Inc()
				failed = append(failed, fmt.Errorf("compact %s of tenant %s: %w", d, t, err))
			}
		}
	}
	for _, n := range c.waiting {
		result.Waiting += n
	}
	c.metrics.waiting.Set(float64(result.Waiting))
	if len(failed) == 0 {
		c.metrics.passes.Inc()
		c.metrics.lastPass.Set(float64(c.opts.Now().Unix()))
	}
	return result, errors.Join(failed...)
}

// due reports whether a day is to be looked at in this pass.
func (c *Compactor) due(ctx context.Context, key dayKey) (bool, error) {
	if !c.opts.Now().Before(c.nextLook[key]) {
		return true, nil
	}
	return c.opts.Eraser.Urgent(ctx, key.tenant, key.day)
}

// maxMerges bounds what one pass does in one day, so that all days get their turn.
const maxMerges = 64

// day does what there is to do in one day.
func (c *Compactor) day(ctx context.Context, key dayKey, result *Result) error {
	merges := 0
	for merges < maxMerges {
		// What is to be erased is asked anew, so that no merge leaves in what was deleted long before it began.
		plan, err := c.opts.Eraser.Plan(ctx, key.tenant, key.day)
		if err != nil {
			return err
		}
		if plan == nil {
			plan = keepEverything{}
		}
		more, err := c.step(ctx, key, plan, result)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		merges++
	}
	state, err := c.opts.Catalog.Inspect(ctx, key.tenant, key.day)
	if err != nil {
		return err
	}
	waiting, deleted, err := c.sweep(ctx, key.tenant, key.day, state)
	result.Deleted += deleted
	if err != nil {
		return err
	}
	if c.waiting[key] = waiting; waiting == 0 {
		delete(c.waiting, key)
	}
	now := c.opts.Now()
	delete(c.nextLook, key)
	if over := now.Add(-c.opts.Settle).UnixNano() > key.day.End(); over && merges == 0 && waiting == 0 {
		c.nextLook[key] = now.Add(c.opts.ClosedInterval)
	}
	return nil
}

// damagedRetry is how long a segment that could not be read is left alone.
const damagedRetry = time.Hour

// step marks what is expired and does at most one merge. It reports whether there was one.
func (c *Compactor) step(ctx context.Context, key dayKey, plan Plan, result *Result) (bool, error) {
	names, err := c.opts.Catalog.Segments(ctx, key.tenant, key.day)
	if err != nil {
		return false, err
	}
	var candidates []candidate
	for _, n := range names {
		if plan.Expired(n) {
			if err := c.mark(ctx, n, ulid.ULID{}); err != nil {
				return false, err
			}
			result.Expired++
			continue
		}
		if at, bad := c.damaged[n.ID]; bad && c.opts.Now().Sub(at) < damagedRetry {
			continue
		}
		r, err := c.opts.Catalog.Reader(ctx, n)
		if err != nil {
			if err := c.sourceFailed(ctx, &sourceError{n, err}); err != nil {
				return false, err
			}
			continue
		}
		rewrite, err := plan.Rewrite(ctx, r)
		if err != nil {
			if err := c.sourceFailed(ctx, &sourceError{n, err}); err != nil {
				return false, err
			}
			continue
		}
		candidates = append(candidates, candidate{name: n, size: r.Size(), memory: r.MemoryBytes(), filters: r.Footer().Filters.Length, rewrite: rewrite})
	}
	job := pick(candidates, settled(names, key.day, c.opts.Now(), c.opts.Settle), &c.opts)
	if job == nil {
		return false, nil
	}
	if err := c.holdLease(ctx); err != nil {
		return false, err
	}
	limited, end := c.limitMerge(ctx)
	defer end()
	if err := c.merge(limited, key, plan, job, result); err != nil {
		return true, c.sourceFailed(ctx, err)
	}
	return true, nil
}

// wallLook is how often it is looked whether the machine slept.
const wallLook = 200 * time.Millisecond

// limitMerge gives a context that ends when a merge has taken too long, by a clock that goes on while the machine sleeps as well: an upload that had
// begun before would be finished hours later, when what was deleted meanwhile is forgotten. end releases it.
func (c *Compactor) limitMerge(ctx context.Context) (limited context.Context, end func()) {
	limited, cancel := context.WithTimeout(ctx, c.opts.MaxMerge)
	begun := c.wall()
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(wallLook)
		defer tick.Stop()
		for {
			select {
			case <-limited.Done():
				return
			case <-tick.C:
			}
			if c.wall().Sub(begun) > c.opts.MaxMerge {
				cancel()
			}
		}
	}()
	return limited, func() {
		cancel()
		<-done
	}
}

// sourceFailed leaves damaged segments alone for a while: what was damaged on its way is sound the next time. It looks again when one is not
// there any more. Other errors it gives back.
func (c *Compactor) sourceFailed(ctx context.Context, err error) error {
	name, ok := sourceOf(err)
	switch {
	case ok && segment.IsCorrupt(err):
		if _, known := c.damaged[name.ID]; !known {
			c.opts.Logger.Error("A segment is damaged and is left alone; verify tells more", "segment", name.Path(), "error", err)
		}
		c.damaged[name.ID] = c.opts.Now()
		c.metrics.damaged.Set(float64(len(c.damaged)))
		return nil
	case ok && c.opts.Bucket.IsObjNotFoundErr(err):
		c.opts.Catalog.Forget(name)
		return c.opts.Catalog.Refresh(ctx, name.Tenant, name.Day)
	}
	return err
}

// merge writes one segment from the sources, then marks them.
func (c *Compactor) merge(ctx context.Context, key dayKey, plan Plan, job []candidate, result *Result) error {
	opts := segment.WriterOptions{Tenant: key.tenant, Level: segment.LevelMerged, Deletes: plan.Deletes(), FiltersFrom: c.opts.FiltersFrom}
	names := make([]segment.Name, len(job))
	for i, s := range job {
		names[i] = s.name
		opts.Sources = append(opts.Sources, s.name.ID)
		opts.Level = min(max(opts.Level, s.name.Level+1), segment.MaxLevel)
	}
	sources, err := c.openSources(ctx, names)
	defer func() {
		for _, s := range sources {
			s.stop()
		}
	}()
	if err != nil {
		return err
	}
	m := &merge{c: c, plan: plan, sources: sources}
	begun := c.wall()
	info, err := segment.Create(ctx, c.opts.Bucket, c.opts.TempDir, opts, func(w *segment.Writer) error {
		m.writer = w
		if err := m.run(ctx); err != nil {
			return err
		}
		// The context's limit does not see that the machine slept. What was deleted meanwhile must not come back.
		if took := c.wall().Sub(begun); took > c.opts.MaxMerge {
			return fmt.Errorf("a merge took %s, at most %s are possible", took, c.opts.MaxMerge)
		}
		return nil
	})
	if err != nil && !errors.Is(err, segment.ErrEmpty) {
		return err
	}
	if err == nil {
		fault.Point("compact.uploaded")
		c.opts.Catalog.Add(info)
		c.metrics.merges.Inc()
		result.Merges++
	}
	for _, n := range names {
		if err := c.mark(ctx, n, info.Name.ID); err != nil {
			return err
		}
	}
	c.count(m.counts, len(names), info.Size, result)
	return nil
}

func (c *Compactor) count(n counts, sources int, written int64, result *Result) {
	result.Sources += sources
	result.ReadBytes += n.read
	result.WrittenBytes += written
	result.Duplicate += n.duplicate
	result.Erased += n.erased
	c.metrics.sources.Add(float64(sources))
	c.metrics.readBytes.Add(float64(n.read))
	c.metrics.writtenBytes.Add(float64(written))
	c.metrics.chunksCopied.Add(float64(n.copied))
	c.metrics.chunksMerged.Add(float64(n.merged))
	c.metrics.rowsDuplicate.Add(float64(n.duplicate))
	c.metrics.rowsErased.Add(float64(n.erased))
}
