package catalog

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/sync/errgroup"

	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

// dayState is what is known about one tenant's day. All fields but refreshing are guarded by Catalog.mu.
type dayState struct {
	users int // that hold it; nobody forgets it meanwhile

	refreshing chan struct{} // holds one token while a goroutine lists the day

	listed   time.Time // when the last complete listing began; zero = never
	segments map[ulid.ULID]known
	markers  map[ulid.ULID]marker
	covers   map[ulid.ULID][]ulid.ULID // sources by compacted segment; those that could not be read have none
	cached   []segment.Name            // nil = to be computed
}

// marker is a marker that was listed, or that this process wrote. It counts when it was seen long enough before the last listing began.
type marker struct {
	seen   time.Time
	counts bool
}

// markerDelay is how long a store may take to list a segment later than a marker that was written after it.
const markerDelay = 30 * time.Second

// known is a segment that was listed or added.
type known struct {
	name  segment.Name
	size  int64     // 0 = not known
	added time.Time // zero = known from a listing
}

func newDayState() *dayState {
	return &dayState{refreshing: make(chan struct{}, 1), segments: map[ulid.ULID]known{}, markers: map[ulid.ULID]marker{}, covers: map[ulid.ULID][]ulid.ULID{}}
}

// empty reports whether a listing tells all that is known.
func (d *dayState) empty() bool { return len(d.segments)+len(d.markers)+len(d.covers) == 0 }

func (d *dayState) changed() { d.cached = nil }

// visible gives the segments that queries read, ascending by id. The slice is shared and never changed.
func (d *dayState) visible() []segment.Name {
	if d.cached != nil {
		return d.cached
	}
	covered := coveredBy(d.covers)
	out := make([]segment.Name, 0, len(d.segments))
	for id, k := range d.segments {
		_, isCovered := covered[id]
		if !d.markers[id].counts && !isCovered {
			out = append(out, k.name)
		}
	}
	slices.SortFunc(out, compareNames)
	d.cached = out
	return out
}

func coveredBy(covers map[ulid.ULID][]ulid.ULID) idSet {
	set := idSet{}
	for _, sources := range covers {
		for _, id := range sources {
			set[id] = struct{}{}
		}
	}
	return set
}

// listing is one complete pass over a day's objects.
type listing struct {
	segments map[ulid.ULID]segment.Name
	gone     idSet
}

func (c *Catalog) list(ctx context.Context, tenant string, day segment.Day) (listing, error) {
	l := listing{segments: map[ulid.ULID]segment.Name{}, gone: idSet{}}
	dir := segment.DayDir(tenant, day)
	c.metrics.listings.Inc()
	err := c.opts.Bucket.Iter(ctx, dir, func(path string) error {
		switch {
		case strings.HasSuffix(path, segment.Extension):
			n, err := segment.ParsePath(path)
			if err != nil {
				c.metrics.unknownObjects.Inc()
				return nil
			}
			// All names of a day share one string.
			n.Tenant = tenant
			l.segments[n.ID] = n
		case strings.HasSuffix(path, segment.GoneExtension):
			if id, err := segment.ParseGonePath(path); err == nil {
				l.gone[id] = struct{}{}
			}
		}
		return nil
	})
	if err != nil {
		return l, fmt.Errorf("list segments in %s: %w", dir, err)
	}
	return l, nil
}

// maxListings bounds how often one refresh lists a day that keeps changing under it.
const maxListings = 6

// refresh lists the day unless a listing is younger than staleness; 0 means in any case.
func (c *Catalog) refresh(ctx context.Context, tenant string, day segment.Day, d *dayState, staleness time.Duration) error {
	asked := c.opts.Now()
	select {
	case d.refreshing <- struct{}{}:
		defer func() { <-d.refreshing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	c.mu.Lock()
	// A listing that began after this call is fresh enough for everybody: waiting callers share it.
	fresh := !d.listed.IsZero() && (!d.listed.Before(asked) && staleness > 0 || staleness > 0 && asked.Sub(d.listed) <= staleness)
	c.mu.Unlock()
	if fresh {
		return nil
	}
	for range maxListings {
		began := c.opts.Now()
		l, err := c.list(ctx, tenant, day)
		if err != nil {
			return err
		}
		covers, ok, err := c.examine(ctx, d, l)
		if err != nil {
			return err
		}
		if !ok {
			continue // an object was deleted since it was listed
		}
		c.apply(d, l, covers, began)
		return nil
	}
	return fmt.Errorf("list segments in %s: they change faster than they can be read", segment.DayDir(tenant, day))
}

// examine gives the sources of all compacted segments of a listing. It is false when one of them is gone.
func (c *Catalog) examine(ctx context.Context, d *dayState, l listing) (map[ulid.ULID][]ulid.ULID, bool, error) {
	c.mu.Lock()
	covers := maps.Clone(d.covers)
	c.mu.Unlock()
	var unread []segment.Name
	for id, n := range l.segments {
		if _, ok := covers[id]; !ok && n.Level >= segment.LevelMerged {
			unread = append(unread, n)
		}
	}
	sources := make([][]ulid.ULID, len(unread))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(c.opts.Concurrency)
	for i, n := range unread {
		g.Go(func() error {
			r, err := c.readers.get(ctx, n, 0)
			if segment.IsCorrupt(err) {
				// It stays visible, so that queries that need it fail and name it.
				return nil
			}
			if err != nil {
				return err
			}
			sources[i] = r.Footer().Sources
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		if c.notFound(err) {
			return nil, false, nil
		}
		return nil, false, err
	}
	for i, n := range unread {
		covers[n.ID] = slices.Clone(sources[i])
	}
	return covers, true, nil
}

func (c *Catalog) apply(d *dayState, l listing, covers map[ulid.ULID][]ulid.ULID, began time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	segments := make(map[ulid.ULID]known, len(l.segments))
	for id, n := range l.segments {
		segments[id] = known{name: n, size: d.segments[id].size, added: d.segments[id].added}
	}
	markers := make(map[ulid.ULID]marker, len(l.gone))
	for id := range l.gone {
		m, seen := d.markers[id]
		if !seen {
			m.seen = began
		}
		m.counts = m.counts || began.Sub(m.seen) >= markerDelay
		markers[id] = m
	}
	for id, k := range d.segments {
		// A marker that does not count yet may be listed before the segment, and before what replaced it.
		if _, listed := segments[id]; !listed && !markers[id].counts && !k.added.IsZero() && began.Sub(k.added) < keepAdded {
			segments[id] = k
		}
	}
	// What was added while the listing ran has its sources in d only.
	for id, s := range d.covers {
		if _, ok := covers[id]; !ok {
			covers[id] = s
		}
	}
	maps.DeleteFunc(covers, func(id ulid.ULID, _ []ulid.ULID) bool {
		_, ok := segments[id]
		return !ok
	})
	for id, m := range d.markers {
		// Markers of this process that the listing came too early for stay.
		if _, ok := segments[id]; ok && m.counts {
			markers[id] = m
		}
	}
	d.segments, d.markers, d.covers, d.listed = segments, markers, covers, began
	d.changed()
}

// Day is the state of a day for those who tidy it up.
type Day struct {
	Visible  []segment.Name // what queries read, ascending by id
	Replaced []segment.Name // named as a source, but not marked yet
	Marked   []segment.Name // marked and not deleted yet
	Orphans  []ulid.ULID    // markers whose segment does not exist
}

// Inspect gives the state of a day. It is as fresh as Segments is.
func (c *Catalog) Inspect(ctx context.Context, tenant string, day segment.Day) (Day, error) {
	if err := segment.CheckTenant(tenant); err != nil {
		return Day{}, err
	}
	var out Day
	err := c.withDay(ctx, tenant, day, c.staleness(day), func(d *dayState) { out = d.inspect() })
	return out, err
}

func (d *dayState) inspect() Day {
	out := Day{Visible: d.visible()}
	covered := coveredBy(d.covers)
	for id, k := range d.segments {
		_, marked := d.markers[id]
		_, isCovered := covered[id]
		switch {
		case marked:
			out.Marked = append(out.Marked, k.name)
		case isCovered:
			out.Replaced = append(out.Replaced, k.name)
		}
	}
	for id := range d.markers {
		if _, ok := d.segments[id]; !ok {
			out.Orphans = append(out.Orphans, id)
		}
	}
	slices.SortFunc(out.Marked, compareNames)
	slices.SortFunc(out.Replaced, compareNames)
	slices.SortFunc(out.Orphans, ulid.ULID.Compare)
	return out
}
