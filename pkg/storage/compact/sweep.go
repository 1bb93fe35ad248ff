package compact

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/cambium-logs/cambium/pkg/internal/fault"
	"github.com/cambium-logs/cambium/pkg/storage/bucket"
	"github.com/cambium-logs/cambium/pkg/storage/catalog"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

// marker is the content of a .gone object.
type marker struct {
	At time.Time `json:"at"`
	By ulid.ULID `json:"replacedBy,omitzero"`
}

// mark writes the marker of a segment and hides it. By is the segment that replaced it, zero when nothing of it is kept or that is not known.
func (c *Compactor) mark(ctx context.Context, name segment.Name, by ulid.ULID) error {
	if err := c.holdLease(ctx); err != nil {
		return err
	}
	m := marker{At: c.opts.Now().UTC(), By: by}
	data, err := json.Marshal(m)
	if err == nil {
		err = c.opts.Bucket.Upload(ctx, name.GonePath(), bytes.NewReader(data))
	}
	if err != nil {
		return fmt.Errorf("mark segment %s: %w", name, err)
	}
	c.markedAt[name.ID] = m.At
	c.opts.Catalog.Remove(name)
	c.metrics.marked.Inc()
	fault.Point("compact.marked")
	return nil
}

// sweep marks what was replaced, and deletes what has been marked for longer than the grace period. It gives the numbers of segments that wait for it and that were deleted.
func (c *Compactor) sweep(ctx context.Context, tenant string, day segment.Day, state catalog.Day) (waiting, deleted int, err error) {
	for _, n := range state.Replaced {
		if err := c.mark(ctx, n, ulid.ULID{}); err != nil {
			return waiting, deleted, err
		}
		waiting++
	}
	// Older segments first: a compacted one hides its sources as long as it is there.
	for _, n := range state.Marked {
		old, err := c.graceOver(ctx, tenant, day, n.ID)
		if err != nil {
			return waiting, deleted, err
		}
		if !old {
			waiting++
			continue
		}
		if err := c.holdLease(ctx); err != nil {
			return waiting, deleted, err
		}
		if err := c.remove(ctx, n.Path()); err != nil {
			return waiting, deleted, fmt.Errorf("delete segment %s: %w", n, err)
		}
		fault.Point("compact.deleted")
		if err := c.remove(ctx, n.GonePath()); err != nil {
			return waiting, deleted, fmt.Errorf("delete marker of segment %s: %w", n, err)
		}
		c.opts.Catalog.Forget(n)
		delete(c.markedAt, n.ID)
		delete(c.damaged, n.ID)
		c.metrics.deleted.Inc()
		deleted++
	}
	for _, id := range state.Orphans {
		if old, err := c.graceOver(ctx, tenant, day, id); err != nil || !old {
			if err != nil {
				return waiting, deleted, err
			}
			continue
		}
		if err := c.remove(ctx, segment.GonePath(tenant, day, id)); err != nil {
			return waiting, deleted, fmt.Errorf("delete marker %s: %w", segment.GonePath(tenant, day, id), err)
		}
		c.opts.Catalog.Forget(segment.Name{Tenant: tenant, Day: day, ID: id})
		delete(c.markedAt, id)
	}
	return waiting, deleted, nil
}

// remove deletes an object that may be deleted already.
func (c *Compactor) remove(ctx context.Context, path string) error {
	if err := c.opts.Bucket.Delete(ctx, path); err != nil && !c.opts.Bucket.IsObjNotFoundErr(err) {
		return err
	}
	return nil
}

// graceOver reports whether a marker is older than the grace period. A marker that cannot be understood counts from when this process first saw it.
func (c *Compactor) graceOver(ctx context.Context, tenant string, day segment.Day, id ulid.ULID) (bool, error) {
	at, ok := c.markedAt[id]
	if !ok {
		path := segment.GonePath(tenant, day, id)
		data, err := bucket.ReadAll(ctx, c.opts.Bucket, path, 1<<12)
		if err != nil && !c.opts.Bucket.IsObjNotFoundErr(err) {
			return false, fmt.Errorf("read marker %s: %w", path, err)
		}
		var m marker
		at = c.opts.Now()
		if err == nil && json.Unmarshal(data, &m) == nil && !m.At.IsZero() && m.At.Before(at) {
			at = m.At
		}
		c.markedAt[id] = at
	}
	return c.opts.Now().Sub(at) > c.opts.Grace, nil
}

// sourceOf gives the source that an error is about.
func sourceOf(err error) (segment.Name, bool) {
	var se *sourceError
	if errors.As(err, &se) {
		return se.name, true
	}
	return segment.Name{}, false
}
