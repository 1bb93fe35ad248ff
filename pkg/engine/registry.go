package engine

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Registry shares engines by the place where their data is. An engine that nobody uses any more stays open for a while: data source
// instances come and go, and the old one often ends just before the new one begins.
type Registry struct {
	// Linger is how long an unused engine stays open.
	Linger time.Duration
	// CloseTimeout bounds closing an engine that has lingered; 0 = 2 s.
	CloseTimeout time.Duration

	mu      sync.Mutex // guards what follows and the fields of shared that say so
	engines map[string]*shared
	closed  bool
	work    sync.WaitGroup // closings
}

// shared is an engine, or its opening.
type shared struct {
	opened chan struct{} // closed when engine or err is set
	engine *Engine
	err    error

	refs  int         // guarded by Registry.mu
	timer *time.Timer // runs while refs is 0; guarded by Registry.mu
}

// ErrRegistryClosed is what a closed Registry answers.
var ErrRegistryClosed = errors.New("engines are being closed")

// Acquire returns the engine under key, which open opens when it is not there. Failures are not kept: the next Acquire tries again.
// release must be called once the engine is no longer used; calling it again does nothing.
// The context bounds the waiting; open gets one that lives on when it ends, because others may wait for the same engine.
func (r *Registry) Acquire(ctx context.Context, key string, open func(context.Context) (*Engine, error)) (e *Engine, release func(), err error) {
	s, mine, err := r.enter(key)
	if err != nil {
		return nil, nil, err
	}
	if mine {
		r.work.Go(func() {
			s.engine, s.err = open(context.WithoutCancel(ctx))
			if s.err != nil {
				r.mu.Lock()
				if r.engines[key] == s {
					delete(r.engines, key)
				}
				r.mu.Unlock()
			}
			close(s.opened)
		})
	}
	release = sync.OnceFunc(func() { r.leave(key, s) })
	select {
	case <-s.opened:
	case <-ctx.Done():
		release()
		return nil, nil, ctx.Err()
	}
	if s.err != nil {
		release()
		return nil, nil, s.err
	}
	return s.engine, release, nil
}

func (r *Registry) enter(key string) (s *shared, mine bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, false, ErrRegistryClosed
	}
	if r.engines == nil {
		r.engines = map[string]*shared{}
	}
	s = r.engines[key]
	if s == nil {
		s = &shared{opened: make(chan struct{})}
		r.engines[key] = s
		mine = true
	}
	s.refs++
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	return s, mine, nil
}

func (r *Registry) leave(key string, s *shared) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.refs--; s.refs > 0 || r.engines[key] != s || r.closed {
		return
	}
	s.timer = time.AfterFunc(r.Linger, func() { r.expire(key, s) })
}

// expire closes an engine that nobody has come back to. Who opens the same place meanwhile waits for its lock.
func (r *Registry) expire(key string, s *shared) {
	r.mu.Lock()
	if s.refs > 0 || s.timer == nil || r.engines[key] != s || r.closed {
		r.mu.Unlock()
		return
	}
	delete(r.engines, key)
	r.work.Add(1)
	r.mu.Unlock()
	defer r.work.Done()
	<-s.opened
	if s.engine != nil {
		timeout := r.CloseTimeout
		if timeout == 0 {
			timeout = 2 * time.Second
		}
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		if err := s.engine.Close(ctx); err != nil {
			s.engine.opts.Logger.Error("An unused engine did not close cleanly", "error", err)
		}
	}
}

// Close closes all engines, used or not, and refuses further ones.
func (r *Registry) Close(ctx context.Context) error {
	r.mu.Lock()
	r.closed = true
	engines := r.engines
	r.engines = nil
	r.mu.Unlock()
	errs := make(chan error, len(engines))
	for _, s := range engines {
		if s.timer != nil {
			s.timer.Stop()
		}
		go func() {
			select {
			case <-s.opened:
			case <-ctx.Done():
				errs <- ctx.Err()
				return
			}
			if s.engine == nil {
				errs <- nil
				return
			}
			errs <- s.engine.Close(ctx)
		}()
	}
	var err error
	for range engines {
		err = errors.Join(err, <-errs)
	}
	return err
}
