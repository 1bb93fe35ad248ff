package catalog

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/thanos-io/objstore"
	"golang.org/x/sync/errgroup"

	"github.com/cambium-logs/cambium/pkg/internal/idle"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

// Options of a Catalog. Zero values mean the defaults.
type Options struct {
	Bucket objstore.BucketReader
	// Exclusive says that no other process writes to the bucket. Then a day is listed once.
	Exclusive bool
	// LiveStaleness is the greatest age of a listing of a live day that a snapshot uses; default 1 s.
	LiveStaleness time.Duration
	// ClosedStaleness is the same for other days, which change by compaction, retention and very late entries only; default 2 min.
	// It must be well below the grace period after which compaction deletes what it replaced.
	ClosedStaleness time.Duration
	// LiveDays is how many days before today are live: as far back as pushes are accepted; default 8.
	LiveDays int
	// ReaderMemory is the budget for segment readers that are kept open, in bytes; default 64 MiB. Readers that queries use count beyond it.
	ReaderMemory int64
	// Concurrency bounds the requests that one call makes at a time; default 8.
	Concurrency int
	Registerer  prometheus.Registerer // nil = none
	Now         func() time.Time      // for tests
}

func (o Options) withDefaults() Options {
	if o.LiveStaleness <= 0 {
		o.LiveStaleness = time.Second
	}
	if o.ClosedStaleness <= 0 {
		o.ClosedStaleness = 2 * time.Minute
	}
	if o.LiveDays <= 0 {
		o.LiveDays = 8
	}
	if o.ReaderMemory <= 0 {
		o.ReaderMemory = 64 << 20
	}
	if o.Concurrency <= 0 {
		o.Concurrency = 8
	}
	if o.Registerer == nil {
		o.Registerer = prometheus.NewRegistry()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// keepAdded is how long an added segment stays visible although listings do not show it, in case the store lists late.
const keepAdded = 5 * time.Minute

// directDays is the number of days up to which they are listed without asking first which exist.
const directDays = 3

// Catalog knows the segments of a bucket. It is safe for concurrent use, has no goroutine of its own and needs no Close.
type Catalog struct {
	opts    Options
	metrics *metrics
	readers *readerCache

	mu      sync.Mutex // guards what follows
	tenants map[string]*tenantState
	idle    *idle.Set[place]
}

// tenantState is guarded by Catalog.mu, but for what its fields say.
type tenantState struct {
	users int // that hold it; nobody forgets it meanwhile
	days  map[segment.Day]*dayState
	// existing are the days that a listing of the tenant showed or that were added since.
	existing map[segment.Day]struct{}
	listed   time.Time // when the last listing of days began; zero = never
}

// New makes a catalog. It does not contact the bucket.
func New(opts Options) *Catalog {
	opts = opts.withDefaults()
	m := newMetrics(opts.Registerer)
	return &Catalog{
		opts:    opts,
		metrics: m,
		readers: newReaderCache(opts.Bucket, opts.ReaderMemory, m),
		tenants: map[string]*tenantState{},
		idle:    idle.NewSet[place](maxIdle),
	}
}

// Add makes a segment visible that is in the bucket, and hides its sources.
func (c *Catalog) Add(info segment.Info) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := info.Name
	d := c.useDay(n.Tenant, n.Day)
	defer c.leaveDay(n.Tenant, n.Day, d)
	c.tenants[n.Tenant].existing[n.Day] = struct{}{}
	d.segments[n.ID] = known{name: n, size: info.Size, added: c.opts.Now()}
	if n.Level >= segment.LevelMerged {
		d.covers[n.ID] = slices.Clone(info.Footer.Sources)
	}
	d.changed()
}

// Remove hides a segment whose marker this process wrote. What it names as sources stays hidden.
func (c *Catalog) Remove(name segment.Name) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.useDay(name.Tenant, name.Day)
	defer c.leaveDay(name.Tenant, name.Day, d)
	d.markers[name.ID] = marker{seen: c.opts.Now(), counts: true}
	d.changed()
}

// Forget drops a segment whose object does not exist any more.
func (c *Catalog) Forget(name segment.Name) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.useDay(name.Tenant, name.Day)
	defer c.leaveDay(name.Tenant, name.Day, d)
	delete(d.segments, name.ID)
	delete(d.covers, name.ID)
	delete(d.markers, name.ID)
	d.changed()
}

// Tenants lists the tenants that have objects in the bucket, sorted.
func (c *Catalog) Tenants(ctx context.Context) ([]string, error) {
	var out []string
	c.metrics.listings.Inc()
	err := c.opts.Bucket.Iter(ctx, "", func(name string) error {
		if t, ok := strings.CutSuffix(name, objstore.DirDelim); ok && !strings.HasPrefix(t, "~") && segment.CheckTenant(t) == nil {
			out = append(out, t)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list tenants: %w", err)
	}
	slices.Sort(out)
	return out, nil
}

// Days gives the days of which a tenant has objects, ascending. It may be as stale as a listing of a live day.
func (c *Catalog) Days(ctx context.Context, tenant string) ([]segment.Day, error) {
	if err := segment.CheckTenant(tenant); err != nil {
		return nil, err
	}
	c.mu.Lock()
	t := c.useTenant(tenant)
	now := c.opts.Now()
	fresh := !t.listed.IsZero() && (c.opts.Exclusive || now.Sub(t.listed) <= c.opts.LiveStaleness)
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.leaveTenant(tenant, t)
		c.mu.Unlock()
	}()
	if !fresh {
		var days []segment.Day
		c.metrics.listings.Inc()
		err := c.opts.Bucket.Iter(ctx, segment.TenantDir(tenant), func(name string) error {
			dir, ok := strings.CutSuffix(strings.TrimPrefix(name, segment.TenantDir(tenant)), objstore.DirDelim)
			if d, err := segment.ParseDay(dir); ok && err == nil {
				days = append(days, d)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("list days of tenant %s: %w", tenant, err)
		}
		c.mu.Lock()
		t.listed = now
		// Days never leave: an empty one costs a listing at most.
		for _, d := range days {
			t.existing[d] = struct{}{}
		}
		c.mu.Unlock()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]segment.Day, 0, len(t.existing))
	for d := range t.existing {
		out = append(out, d)
	}
	slices.Sort(out)
	return out, nil
}

// Segments gives the visible segments of a day, ascending by id. The slice must not be changed.
func (c *Catalog) Segments(ctx context.Context, tenant string, day segment.Day) ([]segment.Name, error) {
	if err := segment.CheckTenant(tenant); err != nil {
		return nil, err
	}
	var names []segment.Name
	err := c.withDay(ctx, tenant, day, c.staleness(day), func(d *dayState) { names = d.visible() })
	return names, err
}

// withDay calls f under the lock with a day of which there is a listing that is not older than staleness; 0 = one that begins now.
func (c *Catalog) withDay(ctx context.Context, tenant string, day segment.Day, staleness time.Duration, f func(*dayState)) error {
	c.mu.Lock()
	d := c.useDay(tenant, day)
	c.mu.Unlock()
	err := c.refresh(ctx, tenant, day, d, staleness)
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.leaveDay(tenant, day, d)
	if err == nil {
		f(d)
	}
	return err
}

// Refresh lists a day now, whatever the age of its last listing.
func (c *Catalog) Refresh(ctx context.Context, tenant string, day segment.Day) error {
	return c.withDay(ctx, tenant, day, 0, func(*dayState) {})
}

func (c *Catalog) staleness(day segment.Day) time.Duration {
	switch today := segment.DayOf(c.opts.Now().UnixNano()); {
	case c.opts.Exclusive:
		return math.MaxInt64
	case day >= today-segment.Day(c.opts.LiveDays):
		return c.opts.LiveStaleness
	default:
		return c.opts.ClosedStaleness
	}
}

// Reader opens a segment, or gives one that is open already.
func (c *Catalog) Reader(ctx context.Context, name segment.Name) (*segment.Reader, error) {
	return c.readers.get(ctx, name, c.sizeOf(name))
}

// segmentsBetween gives the visible segments of a tenant that overlap a range, ascending by id.
func (c *Catalog) segmentsBetween(ctx context.Context, tenant string, mint, maxt int64) ([]segment.Name, error) {
	if mint > maxt {
		return nil, nil
	}
	days, err := c.daysBetween(ctx, tenant, segment.DayOf(mint), segment.DayOf(maxt))
	if err != nil {
		return nil, err
	}
	lists := make([][]segment.Name, len(days))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(c.opts.Concurrency)
	for i, d := range days {
		g.Go(func() (err error) {
			lists[i], err = c.Segments(ctx, tenant, d)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var out []segment.Name
	for _, l := range lists {
		for _, n := range l {
			if n.Overlaps(mint, maxt) {
				out = append(out, n)
			}
		}
	}
	slices.SortFunc(out, compareNames)
	return out, nil
}

func (c *Catalog) daysBetween(ctx context.Context, tenant string, from, to segment.Day) ([]segment.Day, error) {
	if to-from < directDays {
		var days []segment.Day
		for d := from; d <= to; d++ {
			days = append(days, d)
		}
		return days, nil
	}
	days, err := c.Days(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(days, func(d segment.Day) bool { return d < from || d > to }), nil
}

func compareNames(a, b segment.Name) int { return a.ID.Compare(b.ID) }

// notFound reports whether an object that was listed is not there any more.
func (c *Catalog) notFound(err error) bool {
	return err != nil && !errors.Is(err, context.Canceled) && isNotFound(c.opts.Bucket, err)
}

// isNotFound asks the bucket about err and everything it wraps: some providers look at the outermost error only.
func isNotFound(b objstore.BucketReader, err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		if b.IsObjNotFoundErr(err) {
			return true
		}
	}
	return false
}

// idSet is a set of segment ids.
type idSet = map[ulid.ULID]struct{}
