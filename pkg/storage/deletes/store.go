package deletes

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/thanos-io/objstore"

	"github.com/cambium-logs/cambium/pkg/internal/fault"
	"github.com/cambium-logs/cambium/pkg/internal/idle"
	"github.com/cambium-logs/cambium/pkg/storage/bucket"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

// ErrUnknown: there is no request with this id.
var ErrUnknown = errors.New("no such delete request")

// Options of a Store.
type Options struct {
	Bucket objstore.Bucket
	// Compile makes a Query of a request's text.
	Compile func(text string) (Query, error)
	// Exclusive says that no other process writes to the bucket. Then a tenant's requests are listed once.
	Exclusive bool
	// Staleness is the greatest age of a listing that Active uses. Default 800 ms: others' requests hide within a second.
	Staleness time.Duration
	Now       func() time.Time // for tests
}

// Store knows the delete requests of a bucket. It is safe for concurrent use, and has no goroutine of its own.
type Store struct {
	opts Options

	mu      sync.Mutex // guards what follows and the fields of requests that say so
	tenants map[string]*requests
	idle    *idle.Set[string] // tenants without requests that nobody uses; guarded by mu
}

// maxIdle is how many tenants without requests are remembered: who asks decides what their names are. Beyond it they are listed anew when
// somebody asks again.
const maxIdle = 4096

// requests are those of one tenant.
type requests struct {
	users int // that hold them; nobody forgets them meanwhile; guarded by Store.mu

	refreshing chan struct{} // holds one token while a goroutine lists them

	listed time.Time          // when the last complete listing began; zero = never; guarded by Store.mu
	known  map[string]*Active // by id; those that have not ended; guarded by Store.mu
	ended  map[string]*Active // by id; guarded by Store.mu
	active []*Active          // known by Created; never changed, only replaced; guarded by Store.mu
}

// NewStore makes a Store. It does not contact the bucket.
func NewStore(opts Options) *Store {
	if opts.Staleness <= 0 {
		opts.Staleness = 800 * time.Millisecond
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Store{opts: opts, tenants: map[string]*requests{}, idle: idle.NewSet[string](maxIdle)}
}

// use gives a tenant's requests, which nobody forgets until leave.
func (s *Store) use(tenant string) *requests {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.tenants[tenant]
	if r == nil {
		r = &requests{refreshing: make(chan struct{}, 1), known: map[string]*Active{}, ended: map[string]*Active{}}
		s.tenants[tenant] = r
	}
	r.users++
	s.idle.Delete(tenant)
	return r
}

func (s *Store) leave(tenant string, r *requests) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.users--; r.users+len(r.known)+len(r.ended) > 0 {
		return
	}
	if first, over := s.idle.Put(tenant); over {
		delete(s.tenants, first)
	}
}

// changed rebuilds what Active gives. The lock is held.
func (r *requests) changed() {
	r.active = slices.SortedFunc(maps.Values(r.known), func(a, b *Active) int {
		return cmp.Or(cmp.Compare(a.Created, b.Created), cmp.Compare(a.ID, b.ID))
	})
}

// Create stores a request under an id that it chooses. When it returns nil, Active has it.
func (s *Store) Create(ctx context.Context, tenant string, request Request) (id string, err error) {
	if err := segment.CheckTenant(tenant); err != nil {
		return "", err
	}
	query, err := s.opts.Compile(request.Query)
	if err != nil {
		return "", err
	}
	r := s.use(tenant)
	defer s.leave(tenant, r)
	for taken := true; taken; {
		if request.ID, err = newID(); err != nil {
			return "", err
		}
		if taken, err = s.opts.Bucket.Exists(ctx, Path(tenant, request.ID)); err != nil {
			return "", fmt.Errorf("store a delete request: %w", err)
		}
	}
	if err := s.write(ctx, Path(tenant, request.ID), request); err != nil {
		s.mu.Lock()
		r.listed = time.Time{} // it may be stored nevertheless
		s.mu.Unlock()
		return "", fmt.Errorf("store a delete request: %w", err)
	}
	fault.Point("deletes.created")
	s.mu.Lock()
	defer s.mu.Unlock()
	r.known[request.ID] = newActive(request, query)
	r.changed()
	return request.ID, nil
}

func (s *Store) write(ctx context.Context, path string, v any) error {
	data, err := seal(v)
	if err != nil {
		return err
	}
	return s.opts.Bucket.Upload(ctx, path, bytes.NewReader(data))
}

// read reads an object; found is false when it is not there. What arrives damaged is asked for once more.
func (s *Store) read(ctx context.Context, path string, v any) (found bool, err error) {
	for range 2 {
		var data []byte
		data, err = bucket.ReadAll(ctx, s.opts.Bucket, path, maxObject)
		if s.notFound(err) {
			return false, nil
		}
		if err == nil {
			err = unseal(data, v)
		}
		if !errors.Is(err, errDamaged) {
			break
		}
	}
	if err != nil {
		return false, fmt.Errorf("read %s: %w", path, err)
	}
	return true, nil
}

func (s *Store) notFound(err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		if s.opts.Bucket.IsObjNotFoundErr(err) {
			return true
		}
	}
	return false
}

// Active gives a tenant's requests that overlap a range (nanoseconds, both inclusive) and have not ended, oldest first. It is at most as
// stale as the options allow. A request that cannot be read is an error: what it hides must not be seen.
func (s *Store) Active(ctx context.Context, tenant string, mint, maxt int64) ([]*Active, error) {
	if err := segment.CheckTenant(tenant); err != nil {
		return nil, err
	}
	r := s.use(tenant)
	defer s.leave(tenant, r)
	staleness := s.opts.Staleness
	if s.opts.Exclusive {
		staleness = 1<<63 - 1
	}
	if err := s.refresh(ctx, tenant, r, staleness); err != nil {
		return nil, err
	}
	s.mu.Lock()
	all := r.active
	s.mu.Unlock()
	var out []*Active
	for _, a := range all {
		if a.Overlaps(mint, maxt) {
			out = append(out, a)
		}
	}
	return out, nil
}

// refresh lists a tenant's requests unless a listing is younger than staleness.
func (s *Store) refresh(ctx context.Context, tenant string, r *requests, staleness time.Duration) error {
	asked := s.opts.Now()
	fresh := func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return !r.listed.IsZero() && asked.Sub(r.listed) <= staleness
	}
	if fresh() {
		return nil
	}
	select {
	case r.refreshing <- struct{}{}:
		defer func() { <-r.refreshing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if fresh() { // another one listed them meanwhile
		return nil
	}
	began := s.opts.Now()
	found, ended, err := s.list(ctx, tenant)
	if err != nil {
		return err
	}
	return s.apply(ctx, tenant, r, found, ended, began)
}

func (s *Store) list(ctx context.Context, tenant string) (found, ended map[string]bool, err error) {
	found, ended = map[string]bool{}, map[string]bool{}
	err = s.opts.Bucket.Iter(ctx, Dir(tenant), func(path string) error {
		switch id, kind, ok := parsePath(tenant, path); {
		case ok && kind == requestName:
			found[id] = true
		case ok && kind == endedName:
			ended[id] = true
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("list the delete requests of tenant %s: %w", tenant, err)
	}
	return found, ended, nil
}

// apply takes over a listing. What is new is read; what is missing is asked for once more before it is believed.
func (s *Store) apply(ctx context.Context, tenant string, r *requests, found, ended map[string]bool, began time.Time) error {
	s.mu.Lock()
	have := map[string]*Active{}
	maps.Copy(have, r.known)
	maps.Copy(have, r.ended)
	s.mu.Unlock()
	gone := map[string]bool{}
	for id := range have {
		if found[id] {
			continue
		}
		exists, err := s.opts.Bucket.Exists(ctx, Path(tenant, id))
		if err != nil {
			return fmt.Errorf("look for delete request %s of tenant %s: %w", id, tenant, err)
		}
		gone[id] = !exists
	}
	fresh := map[string]*Active{}
	for id := range found {
		if have[id] != nil {
			continue
		}
		a, err := s.load(ctx, tenant, id)
		if err != nil {
			return err
		}
		if a != nil {
			fresh[id] = a
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.Copy(have, fresh)
	maps.Copy(have, r.known) // those that were created meanwhile
	maps.DeleteFunc(have, func(id string, _ *Active) bool { return gone[id] })
	was := r.ended
	r.known, r.ended = map[string]*Active{}, map[string]*Active{}
	for id, a := range have {
		if ended[id] || was[id] != nil {
			r.ended[id] = a
		} else {
			r.known[id] = a
		}
	}
	r.changed()
	r.listed = began
	return nil
}

// load reads a request; nil when it is not there any more.
func (s *Store) load(ctx context.Context, tenant, id string) (*Active, error) {
	var request Request
	found, err := s.read(ctx, Path(tenant, id), &request)
	if errors.Is(err, errDamaged) {
		err = fmt.Errorf("%w; restore it from a backup, or ask for the deletion again and then remove this object", err)
	}
	if err != nil || !found {
		return nil, err
	}
	if request.ID != id {
		return nil, fmt.Errorf("%s is the delete request %q", Path(tenant, id), request.ID)
	}
	query, err := s.opts.Compile(request.Query)
	if err != nil {
		return nil, fmt.Errorf("delete request %s: %w", Path(tenant, id), err)
	}
	return newActive(request, query), nil
}

// List gives all requests of a tenant with what became of them, oldest first.
func (s *Store) List(ctx context.Context, tenant string) ([]Status, error) {
	if err := segment.CheckTenant(tenant); err != nil {
		return nil, err
	}
	r := s.use(tenant)
	defer s.leave(tenant, r)
	staleness := time.Duration(0)
	if s.opts.Exclusive {
		staleness = 1<<63 - 1
	}
	if err := s.refresh(ctx, tenant, r, staleness); err != nil {
		return nil, err
	}
	s.mu.Lock()
	all := slices.Collect(maps.Values(r.known))
	all = append(all, slices.Collect(maps.Values(r.ended))...)
	s.mu.Unlock()
	slices.SortFunc(all, func(a, b *Active) int {
		return cmp.Or(cmp.Compare(a.Created, b.Created), cmp.Compare(a.ID, b.ID))
	})
	out := make([]Status, len(all))
	for i, a := range all {
		status, err := s.status(ctx, tenant, a.Request)
		if err != nil {
			return nil, err
		}
		out[i] = status
	}
	return out, nil
}

func (s *Store) status(ctx context.Context, tenant string, request Request) (Status, error) {
	st := Status{Request: request}
	if _, err := s.read(ctx, statePath(tenant, request.ID), &st.State); err != nil {
		return st, err
	}
	var e end
	_, err := s.read(ctx, endedPath(tenant, request.ID), &e)
	st.Ended = e.At
	return st, err
}

// end is the content of the object that says a request has ended.
type end struct {
	At int64 `json:"at"` // nanoseconds
}
