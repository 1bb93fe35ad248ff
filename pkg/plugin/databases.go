package plugin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend/log"

	"github.com/cambium-logs/cambium/pkg/httpapi"
	"github.com/cambium-logs/cambium/pkg/query"
	"github.com/cambium-logs/cambium/pkg/tenant"
)

// Database is an open database with everything that a data source needs of it.
type Database interface {
	// Handler answers the HTTP routes; it takes the caller from httpapi.WithPrincipal.
	Handler() http.Handler
	Query(ctx context.Context, p query.Params) (*query.Result, error)
	// Tail gives the newest entries of a log query, oldest first, and a tail that begins right behind them.
	Tail(ctx context.Context, p httpapi.TailParams) ([]query.Entry, httpapi.Tail, error)
	TenantStatus(ctx context.Context, tenant string) (httpapi.Status, error)
	Limits(tenant string) *tenant.Limits
	// SetRetention overrides how long a tenant's entries are kept; 0 takes the override back.
	SetRetention(tenant string, keep time.Duration)
	// Ready tells why the database cannot serve, if it cannot.
	Ready() error
	// Probe writes, reads, lists and deletes an object where the database keeps its segments.
	Probe(ctx context.Context) error
	// Flush returns when everything that was acknowledged is in segments.
	Flush(ctx context.Context) error
	// Close makes what was acknowledged durable and releases everything.
	Close(ctx context.Context) error
}

// Location is where a database's data lies. The zero value is the embedded store.
type Location struct {
	Key    string // identity, free of secrets
	Bucket string // objstore's YAML form; holds secrets
}

// Opener opens the database at a location.
type Opener func(ctx context.Context, location Location) (Database, error)

// retryOpen is how long a failed attempt to open a database stands before the next one.
const retryOpen = 2 * time.Second

// Databases are the open databases of the process. Data sources of one location share one; it is closed when the last of them lets go of
// it, except for those that are held from the start.
type Databases struct {
	open   Opener
	ctx    context.Context // ends with Close
	cancel context.CancelFunc

	mu      sync.Mutex // guards what follows
	entries map[string]*entry
	closed  bool
}

// entry is one location. Its fields are guarded by its own lock, so that opening one database blocks nobody who wants another.
type entry struct {
	location Location
	users    int // guarded by Databases.mu

	mu      sync.Mutex // guards what follows
	opening chan struct{}
	db      Database
	err     error
	failed  time.Time
	closed  bool
}

// NewDatabases makes an empty set.
func NewDatabases(open Opener) *Databases {
	ctx, cancel := context.WithCancel(context.Background())
	return &Databases{open: open, ctx: ctx, cancel: cancel, entries: map[string]*entry{}}
}

// What callers are told while there is no database.
var (
	errStopping = errors.New("the plugin is stopping")
	errOpening  = errors.New("it is still being opened: after a crash its log is read again, and another process may hold its directory")
)

// Handle is one user's hold on a database.
type Handle struct {
	set  *Databases
	e    *entry
	once sync.Once
}

// Acquire takes hold of the database at a location without opening it yet.
func (d *Databases) Acquire(location Location) *Handle {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.entries[location.Key]
	if e == nil {
		e = &entry{location: location}
		d.entries[location.Key] = e
	}
	e.users++
	return &Handle{set: d, e: e}
}

// Database opens the database if nobody has, and gives it. A failure stands for a moment, then the next caller tries again. When ctx ends
// first, the opening goes on.
func (h *Handle) Database(ctx context.Context) (Database, error) {
	h.set.mu.Lock()
	closed := h.set.closed
	h.set.mu.Unlock()
	if closed {
		return nil, errStopping
	}
	e := h.e
	e.mu.Lock()
	if e.db == nil && e.opening == nil && (e.err == nil || time.Since(e.failed) >= retryOpen) {
		e.opening = make(chan struct{})
		go e.open(h.set.ctx, h.set.open)
	}
	opening := e.opening
	e.mu.Unlock()
	if opening != nil {
		select {
		case <-opening:
		case <-ctx.Done():
			return nil, errOpening
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.db == nil && e.err == nil {
		return nil, errOpening
	}
	return e.db, e.err
}

// open opens the database; a database that comes too late is closed again.
func (e *entry) open(ctx context.Context, open Opener) {
	db, err := open(ctx, e.location)
	e.mu.Lock()
	defer e.mu.Unlock()
	if err == nil && e.closed {
		err = errors.Join(errStopping, db.Close(context.WithoutCancel(ctx)))
	}
	if err != nil {
		e.err, e.failed = err, time.Now()
	} else {
		e.db, e.err = db, nil
	}
	close(e.opening)
	e.opening = nil
}

// Release lets go; the last one to do so closes the database. What is only in its log is written to segments before: nobody may open this location
// again, or not from this machine.
func (h *Handle) Release() {
	h.once.Do(func() {
		h.set.mu.Lock()
		stopping := h.set.closed
		h.e.users--
		last := h.e.users == 0
		if last && h.set.entries[h.e.location.Key] == h.e {
			delete(h.set.entries, h.e.location.Key)
		}
		h.set.mu.Unlock()
		if last && !stopping {
			h.e.flush(h.set.ctx)
		}
		if last {
			_ = h.e.close(context.Background()) // what was acknowledged is durable already
		}
	})
}

// flushTime bounds a flush before a database is closed. Who opens the location again meanwhile waits for its lock for longer.
const flushTime = 10 * time.Second

// flush writes everything to segments. When that fails the log keeps it, until the location is opened again.
func (e *entry) flush(ctx context.Context) {
	e.mu.Lock()
	db := e.db
	e.mu.Unlock()
	if db == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, flushTime)
	defer cancel()
	if err := db.Flush(ctx); err != nil && !errors.Is(ctx.Err(), context.Canceled) {
		log.DefaultLogger.Warn("A log store is closed with entries that are in its write-ahead log alone; they are there when it is opened again", "store", e.location.Key, "error", err)
	}
}

func (e *entry) close(ctx context.Context) error {
	e.mu.Lock()
	e.closed = true
	db := e.db
	e.db, e.err, e.failed = nil, errStopping, time.Now()
	e.mu.Unlock()
	if db == nil {
		return nil
	}
	if err := db.Close(ctx); err != nil {
		return fmt.Errorf("close the database %s: %w", e.location.Key, err)
	}
	return nil
}

// Close closes all databases at once and gives up waiting when ctx ends. Nothing can be opened afterwards.
func (d *Databases) Close(ctx context.Context) error {
	d.mu.Lock()
	d.closed = true
	var all []*entry
	for _, e := range d.entries {
		all = append(all, e)
	}
	d.mu.Unlock()
	d.cancel()
	closed := make(chan error, len(all))
	for _, e := range all {
		go func() { closed <- e.close(ctx) }()
	}
	var err error
	for range all {
		select {
		case one := <-closed:
			err = errors.Join(err, one)
		case <-ctx.Done(): // one that is just being opened has acknowledged nothing
			return errors.Join(err, ctx.Err())
		}
	}
	return err
}
