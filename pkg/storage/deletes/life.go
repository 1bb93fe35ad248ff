package deletes

import (
	"context"
	"errors"
	"fmt"

	"github.com/cambium-logs/cambium/pkg/internal/fault"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

// SetState writes how far a request has come.
func (s *Store) SetState(ctx context.Context, tenant, id string, state State) error {
	if err := s.write(ctx, statePath(tenant, id), state); err != nil {
		return fmt.Errorf("write the state of delete request %s: %w", id, err)
	}
	fault.Point("deletes.state")
	return nil
}

// End makes a request hide nothing any more. It stays in lists.
func (s *Store) End(ctx context.Context, tenant, id string) error {
	if err := s.write(ctx, endedPath(tenant, id), end{s.opts.Now().UnixNano()}); err != nil {
		return fmt.Errorf("end delete request %s: %w", id, err)
	}
	fault.Point("deletes.ended")
	r := s.use(tenant)
	defer s.leave(tenant, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := r.known[id]; a != nil {
		delete(r.known, id)
		r.ended[id] = a
		r.changed()
	}
	return nil
}

// Remove takes a request back: what it selects and is still stored is seen again. ErrUnknown when there is no such request.
func (s *Store) Remove(ctx context.Context, tenant, id string) error {
	if err := segment.CheckTenant(tenant); err != nil {
		return err
	}
	if !validID(id) {
		return ErrUnknown
	}
	exists, err := s.opts.Bucket.Exists(ctx, Path(tenant, id))
	if err != nil {
		return fmt.Errorf("look for delete request %s: %w", id, err)
	}
	for _, path := range []string{Path(tenant, id), statePath(tenant, id), endedPath(tenant, id)} {
		if err := s.opts.Bucket.Delete(ctx, path); err != nil && !s.notFound(err) {
			return fmt.Errorf("remove delete request %s: %w", id, err)
		}
	}
	r := s.use(tenant)
	defer s.leave(tenant, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(r.known, id)
	delete(r.ended, id)
	r.changed()
	if !exists {
		return ErrUnknown
	}
	return nil
}

// Sweep removes what requests that do not exist any more have left behind.
func (s *Store) Sweep(ctx context.Context, tenant string) error {
	left := map[string]bool{}
	found := map[string]bool{}
	err := s.opts.Bucket.Iter(ctx, Dir(tenant), func(path string) error {
		switch id, kind, ok := parsePath(tenant, path); {
		case !ok:
		case kind == requestName:
			found[id] = true
		default:
			left[id] = true
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list the delete requests of tenant %s: %w", tenant, err)
	}
	for id := range left {
		if found[id] {
			continue
		}
		if exists, err := s.opts.Bucket.Exists(ctx, Path(tenant, id)); err != nil || exists {
			if err != nil {
				return fmt.Errorf("look for delete request %s: %w", id, err)
			}
			continue
		}
		if err := s.Remove(ctx, tenant, id); err != nil && !errors.Is(err, ErrUnknown) {
			return err
		}
	}
	return nil
}
