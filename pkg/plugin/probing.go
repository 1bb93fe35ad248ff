package plugin

import (
	"context"
	"sync"
	"time"
)

// probeEvery is how long a probe that succeeded is taken to tell how the store is: each costs requests to a bucket, and viewers may ask for health.
// Settings that are saved make a new Instance, so that Save & test does not meet an old one.
const probeEvery = 10 * time.Second

// probing tries a store now and then, for one caller at a time. The zero value is ready.
type probing struct {
	once  sync.Once
	token chan struct{} // held while the store is tried
	until time.Time     // guarded by token
}

// probe tries the store unless somebody has done so with success a moment ago.
func (p *probing) probe(ctx context.Context, db Database) error {
	p.once.Do(func() { p.token = make(chan struct{}, 1) })
	select {
	case p.token <- struct{}{}:
		defer func() { <-p.token }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if time.Now().Before(p.until) {
		return nil
	}
	if err := db.Probe(ctx); err != nil {
		return err
	}
	p.until = time.Now().Add(probeEvery)
	return nil
}
