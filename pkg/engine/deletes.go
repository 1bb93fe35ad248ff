package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"time"

	"github.com/cambium-logs/cambium/pkg/storage/deletes"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

// Errors of delete requests.
var (
	// ErrDeleteUnknown: there is no request with this id.
	ErrDeleteUnknown = deletes.ErrUnknown
	// ErrDeleteProcessed: nothing of what the request selects is stored any more.
	ErrDeleteProcessed = errors.New("the delete request is processed")
	// ErrDeleteStarted: the cancel period is over, or a part is carried out. Force takes the request back nevertheless.
	ErrDeleteStarted = errors.New("the delete request is being processed")
)

// CreateDelete stores a delete request under an id that it chooses, and returns it. From then on no snapshot of this engine shows what the
// request selects; those of other processes on the bucket do not a second later. A query that is none wraps ErrInvalid.
func (e *Engine) CreateDelete(ctx context.Context, tenant string, r deletes.Request) (id string, err error) {
	if r.Created == 0 {
		r.Created = e.now().UnixNano()
	}
	e.noteActivity()
	return e.deletes.Create(ctx, tenant, r)
}

// Deletes lists the delete requests of a tenant, oldest first.
func (e *Engine) Deletes(ctx context.Context, tenant string) ([]deletes.Status, error) {
	return e.deletes.List(ctx, tenant)
}

// CancelDelete takes a request back: what is stored of what it selects is shown again. The errors are ErrDeleteUnknown, ErrDeleteProcessed,
// ErrDeleteStarted, or the bucket's.
func (e *Engine) CancelDelete(ctx context.Context, tenant, id string, force bool) error {
	list, err := e.deletes.List(ctx, tenant)
	if err != nil {
		return err
	}
	for _, r := range list {
		switch {
		case r.ID != id:
		case r.Processed != 0:
			return ErrDeleteProcessed
		case !force && (r.Progress > 0 || e.now().UnixNano()-r.Created >= int64(e.opts.Compaction.CancelPeriod)):
			return ErrDeleteStarted
		default:
			return e.deletes.Remove(ctx, tenant, id)
		}
	}
	return ErrDeleteUnknown
}

// takingBack is how long taking a request back may last, which began in time.
const takingBack = 5 * time.Minute

// deleteDue reports whether the time in which a request can be taken back is over, by the clock of any process on the bucket: where others take back
// what this one has begun to carry out, lines are gone that they show again.
func (e *Engine) deleteDue(r *deletes.Request) bool {
	period := e.opts.Compaction.CancelPeriod
	if period > 0 {
		period += maxSkew + takingBack
	}
	return e.now().UnixNano()-r.Created >= int64(period)
}

// deleteKey names a request of a tenant.
type deleteKey struct{ tenant, id string }

// flushForDeletes moves to segments what requests select that are due, so that compaction can erase it.
func (e *Engine) flushForDeletes(ctx context.Context) error {
	for _, tenant := range e.head.Tenants() {
		if !e.erases(tenant) {
			continue
		}
		requests, err := e.deletes.Active(ctx, tenant, math.MinInt64, math.MaxInt64)
		if err != nil {
			return err
		}
		for _, a := range requests {
			if !e.deleteDue(&a.Request) {
				continue
			}
			held, err := e.headHolds(ctx, tenant, a)
			if err == nil && held {
				err = e.Flush(ctx) // of all tenants: what other requests select is flushed with it
			}
			if err != nil {
				return fmt.Errorf("flush for delete request %s: %w", a.ID, err)
			}
		}
	}
	return nil
}

// headHolds reports whether the head holds what a request selects.
func (e *Engine) headHolds(ctx context.Context, tenant string, a *deletes.Active) (bool, error) {
	s := e.head.Snapshot(tenant)
	defer s.Close()
	return a.Holds(ctx, s)
}

const (
	// deleteLinger is how long a request goes on hiding, beyond the grace period and the longest merge, when nothing of it is stored any
	// more: a merge that began before it may still bring something. What is in other processes' logs is waited for besides.
	deleteLinger = time.Hour
	// keepEnded is how long an ended request stays in lists.
	keepEnded = 7 * 24 * time.Hour
	// sweepInterval is the time between two looks for what requests have left behind.
	sweepInterval = time.Hour
)

// settleDeletes notes how far requests have come, and ends those that have nothing left to do.
func (e *Engine) settleDeletes(ctx context.Context) error {
	tenants, err := e.catalog.Tenants(ctx)
	if err != nil {
		return err
	}
	var failed []error
	waiting := 0
	m := e.maintenance
	m.urgent.Store(0)
	sweep := e.now().Sub(m.swept) >= sweepInterval
	if sweep {
		m.swept = e.now()
		if b, ok := e.bucket.(interface{ RemoveLeftovers() }); ok {
			b.RemoveLeftovers()
		}
	}
	clear(m.processed)
	m.logs = nil
	for _, tenant := range tenants {
		list, err := e.deletes.List(ctx, tenant)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		for i := range list {
			if list[i].Processed == 0 {
				waiting++
				if e.erases(tenant) && e.deleteDue(&list[i].Request) {
					m.urgent.Add(1)
				}
			} else {
				m.processed[deleteKey{tenant, list[i].ID}] = true
			}
			if err := e.settleDelete(ctx, tenant, &list[i]); err != nil {
				failed = append(failed, fmt.Errorf("delete request %s of tenant %s: %w", list[i].ID, tenant, err))
			}
		}
		if sweep {
			if err := e.deletes.Sweep(ctx, tenant); err != nil {
				failed = append(failed, err)
			}
		}
	}
	if sweep {
		failed = append(failed, e.forgetLogs(ctx))
	}
	maps.DeleteFunc(m.cleanSince, func(key deleteKey, _ time.Time) bool { return !m.processed[key] })
	e.metrics.deletesPending.Set(float64(waiting))
	return errors.Join(append(failed, ctx.Err())...)
}

func (e *Engine) settleDelete(ctx context.Context, tenant string, r *deletes.Status) error {
	now := e.now().UnixNano()
	linger := int64(e.opts.Compaction.Grace + e.opts.Compaction.MaxMerge + deleteLinger)
	switch {
	case r.Ended != 0:
		if now-r.Ended < int64(keepEnded) {
			return nil
		}
		if err := e.deletes.Remove(ctx, tenant, r.ID); !errors.Is(err, ErrDeleteUnknown) {
			return err
		}
		return nil
	case !e.erases(tenant) || !e.deleteDue(&r.Request):
		return nil
	case r.Processed != 0 && now-r.Processed < linger:
		return nil
	case r.Processed != 0:
		// The logs before the segments: what is flushed meanwhile is found there, once it is listed.
		key := deleteKey{tenant, r.ID}
		if clean, err := e.logsClean(ctx, time.Unix(0, r.Processed).Add(maxSkew)); err != nil || !clean {
			delete(e.maintenance.cleanSince, key)
			return err
		}
		if e.opts.Bucket != nil && !e.maintenance.allListed(key, e.now()) {
			return nil
		}
	}
	active, err := e.activeDelete(ctx, tenant, r.ID)
	if err != nil || active == nil {
		return err
	}
	// The head before the segments: what is flushed meanwhile is found there.
	if held, err := e.headHolds(ctx, tenant, active); err != nil || held {
		return err
	}
	clean, total, err := e.progress(ctx, tenant, active)
	switch {
	case err != nil:
		return err
	case clean < total && r.Processed != 0:
		return nil // something came late: the request goes on
	case r.Processed != 0:
		return e.deletes.End(ctx, tenant, r.ID)
	case clean == total:
		e.metrics.deletesProcessed.Inc()
		e.opts.Logger.Info("What a delete request selects is erased", "tenant", tenant, "request", r.ID)
		return e.deletes.SetState(ctx, tenant, r.ID, deletes.State{Progress: 1, Processed: now})
	}
	if p := float64(clean) / float64(total); p != r.Progress {
		return e.deletes.SetState(ctx, tenant, r.ID, deletes.State{Progress: p})
	}
	return nil
}

// progress counts the segments of a request's days that exist, and those of them that hold nothing which it selects.
func (e *Engine) progress(ctx context.Context, tenant string, active *deletes.Active) (clean, total int, err error) {
	days, err := e.catalog.Days(ctx, tenant)
	if err != nil {
		return 0, 1, err
	}
	for _, day := range days {
		if !active.Overlaps(day.Start(), day.End()) {
			continue
		}
		state, err := e.catalog.Inspect(ctx, tenant, day)
		if err != nil {
			return 0, 1, err
		}
		for _, list := range [][]segment.Name{state.Visible, state.Replaced, state.Marked} {
			for _, n := range list {
				total++
				touched, err := e.touches(ctx, active, n)
				if err != nil {
					return 0, 1, err
				}
				if !touched {
					clean++
				}
			}
		}
	}
	return clean, total, nil
}

func (e *Engine) activeDelete(ctx context.Context, tenant, id string) (*deletes.Active, error) {
	all, err := e.deletes.Active(ctx, tenant, math.MinInt64, math.MaxInt64)
	for _, a := range all {
		if a.ID == id {
			return a, nil
		}
	}
	return nil, err
}

// touches reports whether a segment may hold what a request selects. A segment that does not exist any more holds nothing.
func (e *Engine) touches(ctx context.Context, a *deletes.Active, n segment.Name) (bool, error) {
	if !a.Overlaps(n.MinT, n.MaxT) {
		return false, nil
	}
	key := touchKey{n.ID, a.ID}
	m := e.maintenance
	if touched, known := m.touched[key]; known {
		if touched {
			// It stays so as long as the segment is there.
			exists, err := e.bucket.Exists(ctx, n.Path())
			return exists, err
		}
		return false, nil
	}
	r, err := e.catalog.Reader(ctx, n)
	if err == nil {
		var touched bool
		if touched, err = a.Touches(ctx, r); err == nil {
			m.touched[key] = touched
			return touched, nil
		}
	}
	if e.notFound(err) {
		return false, nil
	}
	return true, err
}

// notFound asks the bucket about err and everything it wraps.
func (e *Engine) notFound(err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		if e.bucket.IsObjNotFoundErr(err) {
			return true
		}
	}
	return false
}
