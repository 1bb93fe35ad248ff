package verify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/cambium-logs/cambium/pkg/storage/segment"
	"github.com/cambium-logs/cambium/pkg/tools/store"
)

// checker goes through a bucket.
type checker struct {
	store  *store.Store
	repair bool
	quick  bool
	report *report
}

// dayCheck is what is known of one tenant's day while it is checked.
type dayCheck struct {
	*checker
	day     store.Day
	listed  map[ulid.ULID]bool
	footers map[ulid.ULID]segment.Footer // those that can be read
	states  map[ulid.ULID]store.State
	// sound are the visible segments whose index can be read.
	sound []segment.Name
}

func (c *checker) day(ctx context.Context, d store.Day) error {
	dc := &dayCheck{checker: c, day: d, listed: map[ulid.ULID]bool{}, footers: map[ulid.ULID]segment.Footer{}}
	sources := map[ulid.ULID][]ulid.ULID{}
	for _, n := range d.Segments {
		if dc.listed[n.ID] {
			c.report.find(Finding{Severity: Damaged, Object: n.Path(), Detail: "another object has the same id"})
		}
		dc.listed[n.ID] = true
		footer, _, err := segment.ReadFooter(ctx, c.store.Bucket, n, 0)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			dc.footers[n.ID] = footer
			sources[n.ID] = footer.Sources
		}
	}
	dc.states = d.States(sources)
	for _, n := range d.Segments {
		if err := dc.segment(ctx, n); err != nil {
			return err
		}
		if c.report.err != nil {
			return c.report.err
		}
	}
	dc.leftovers(sources)
	if c.quick {
		return nil
	}
	return dc.duplicates(ctx)
}

// segment checks one segment, and repairs it.
func (dc *dayCheck) segment(ctx context.Context, n segment.Name) error {
	r, err := segment.Open(ctx, dc.store.Bucket, n, 0)
	switch {
	case err == nil:
	case segment.IsCorrupt(err):
		return dc.damaged(ctx, &damage{name: n, errs: []error{err}, reader: nil})
	default:
		return dc.unreadable(ctx, n, err)
	}
	t := &dc.report.totals
	footer := r.Footer()
	t.Segments++
	t.Chunks += int64(footer.Chunks)
	t.Rows += footer.Rows
	t.Bytes += r.Size()
	dm := &damage{name: n, reader: r, chunks: map[int]error{}}
	if !dc.quick {
		err = r.Check(ctx, dm.add)
		if segment.IsCorrupt(err) {
			dm.reader, dm.errs = nil, append(dm.errs, err)
		} else if err != nil {
			return dc.unreadable(ctx, n, err)
		}
	}
	if len(dm.errs) > 0 {
		return dc.damaged(ctx, dm)
	}
	if dc.states[n.ID] == store.Visible {
		dc.sound = append(dc.sound, n)
	}
	return nil
}

// unreadable tells of an object that could not be read; that it is gone by now is no fault.
func (dc *dayCheck) unreadable(ctx context.Context, n segment.Name, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if dc.isNotFound(err) {
		dc.report.find(Finding{Severity: Notice, Object: n.Path(), Detail: "was deleted while the bucket was checked"})
		return nil
	}
	dc.report.find(Finding{Severity: Unreadable, Object: n.Path(), Detail: err.Error()})
	return nil
}

// isNotFound asks the bucket about err and everything it wraps: some providers look at the outermost error only.
func (c *checker) isNotFound(err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		if c.store.Bucket.IsObjNotFoundErr(err) {
			return true
		}
	}
	return false
}

// leftovers tells of segments and markers that wait to be deleted.
func (dc *dayCheck) leftovers(sources map[ulid.ULID][]ulid.ULID) {
	covering := map[ulid.ULID]ulid.ULID{}
	for by, list := range sources {
		for _, id := range list {
			if other, ok := covering[id]; ok && other != by && dc.states[other] == store.Visible && dc.states[by] == store.Visible {
				dc.notice(segment.DayDir(dc.day.Tenant, dc.day.Day), fmt.Sprintf("%s and %s both hold the entries of %s: two compactions did the same work", min(by.String(), other.String()), max(by.String(), other.String()), id))
			}
			covering[id] = by
		}
	}
	gone := map[ulid.ULID]bool{}
	for _, id := range dc.day.Gone {
		gone[id] = true
		if !dc.listed[id] {
			dc.notice(segment.GonePath(dc.day.Tenant, dc.day.Day, id), "marker of a segment that is deleted")
		}
	}
	for _, n := range dc.day.Segments {
		by, covered := covering[n.ID]
		switch {
		case gone[n.ID]:
			dc.notice(n.Path(), "hidden by a marker; waits to be deleted")
		case covered:
			dc.notice(n.Path(), fmt.Sprintf("its entries are in %s; waits for a marker", by))
		}
	}
}

func (dc *dayCheck) notice(object, detail string) {
	dc.report.find(Finding{Severity: Notice, Object: object, Detail: detail})
}

func utc(ns int64) time.Time { return time.Unix(0, ns).UTC() }
