package faultbucket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/thanos-io/objstore"
)

// Errors that faults give. What is returned wraps one of them.
var (
	ErrInjected = errors.New("injected fault")
	// ErrCut: the connection was cut.
	ErrCut = fmt.Errorf("%w: the connection is cut", ErrInjected)
)

// Bucket is one process' connection to a Store.
type Bucket struct {
	store *Store

	mu     sync.Mutex // guards what follows
	random *rand.Rand
	faults Faults
	down   error // every request fails with it; nil = the connection stands
	cut    bool
	counts Counts
	log    []string
}

// logged is how many injected faults a Bucket remembers.
const logged = 200

// Set changes the faults.
func (b *Bucket) Set(f Faults) {
	if f.StallFor <= 0 {
		f.StallFor = time.Minute
	}
	if f.StaleFor <= 0 {
		f.StaleFor = 10 * time.Second
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = f
}

// Down makes every request fail with err until Down(nil).
func (b *Bucket) Down(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.down = err
}

// Cut lets no further request through, for good. What is being done is still done or not.
func (b *Bucket) Cut() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cut = true
}

// Counts says what was asked of this connection so far, whether it failed or not.
func (b *Bucket) Counts() Counts {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.counts
}

// Injected describes the last faults, oldest first.
func (b *Bucket) Injected() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.log...)
}

// fate is what happens to one request.
type fate struct {
	err                  error // instead of the request
	stall                time.Duration
	lost, truncate, flip bool
	stale                time.Duration
	at                   float64 // where in the content, from 0 to 1
}

// draw decides a request's fate. Every request draws the same number of times, so that one fault more or less does not change all others.
func (b *Bucket) draw(op Operation, name string) fate {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counts.Requests[op]++
	var p [8]float64
	for i := range p {
		p[i] = b.random.Float64()
	}
	switch {
	case b.cut:
		return fate{err: ErrCut}
	case b.down != nil:
		return fate{err: b.down}
	case b.faults.Only != nil && !b.faults.Only(op, name):
		return fate{}
	}
	f := &b.faults
	out := fate{at: p[7]}
	if p[0] < f.Fail {
		out.err = fmt.Errorf("%w: %s of %s fails", ErrInjected, op, name)
	}
	if p[1] < f.Stall {
		out.stall = time.Duration(p[7] * float64(f.StallFor))
	}
	out.lost = p[2] < f.Lost && (op == Upload || op == Delete)
	out.truncate = p[3] < f.Truncate && op == Get
	out.flip = p[4] < f.Flip && op == Get
	if p[5] < f.Stale && op == List {
		out.stale = time.Duration(p[6] * float64(f.StaleFor))
	}
	if out.err != nil || out.stall > 0 || out.lost || out.truncate || out.flip || out.stale > 0 {
		if len(b.log) >= logged {
			b.log = b.log[1:]
		}
		b.log = append(b.log, fmt.Sprintf("%s %s: fail %t, stall %s, lost %t, truncate %t, flip %t, stale %s",
			op, name, out.err != nil, out.stall, out.lost, out.truncate, out.flip, out.stale))
	}
	return out
}

// begin draws the fate and waits out its stall. The error is the request's.
func (b *Bucket) begin(ctx context.Context, op Operation, name string) (fate, error) {
	f := b.draw(op, name)
	if f.stall > 0 {
		t := time.NewTimer(f.stall)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
		}
	}
	if err := ctx.Err(); err != nil {
		return f, err
	}
	return f, f.err
}

// end gives the error of a request that was carried out.
func (b *Bucket) end(ctx context.Context, f fate, op Operation, name string) error {
	if !f.lost {
		return nil
	}
	if f.at < 0.5 { // as if it took too long
		t := time.NewTimer(time.Duration(f.at * float64(10*time.Minute)))
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return fmt.Errorf("%w: the answer to %s of %s is lost", ErrInjected, op, name)
}

// Upload implements objstore.Bucket.
func (b *Bucket) Upload(ctx context.Context, name string, r io.Reader, _ ...objstore.ObjectUploadOption) error {
	content, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	f, err := b.begin(ctx, Upload, name)
	if err != nil {
		return err
	}
	if err := b.store.put(ctx, name, content, true); err != nil {
		return err
	}
	b.mu.Lock()
	b.counts.In += int64(len(content))
	b.mu.Unlock()
	return b.end(ctx, f, Upload, name)
}

// Delete implements objstore.Bucket.
func (b *Bucket) Delete(ctx context.Context, name string) error {
	f, err := b.begin(ctx, Delete, name)
	if err != nil {
		return err
	}
	if err := b.store.remove(ctx, name); err != nil {
		return err
	}
	return b.end(ctx, f, Delete, name)
}

// Get implements objstore.Bucket.
func (b *Bucket) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	return b.read(ctx, name, func() (io.ReadCloser, error) { return b.store.inner.Get(ctx, name) })
}

// GetRange implements objstore.Bucket.
func (b *Bucket) GetRange(ctx context.Context, name string, off, length int64) (io.ReadCloser, error) {
	return b.read(ctx, name, func() (io.ReadCloser, error) { return b.store.inner.GetRange(ctx, name, off, length) })
}

func (b *Bucket) read(ctx context.Context, name string, open func() (io.ReadCloser, error)) (io.ReadCloser, error) {
	f, err := b.begin(ctx, Get, name)
	if err != nil {
		return nil, err
	}
	body, err := open()
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(body)
	if err = errors.Join(err, body.Close()); err != nil {
		return nil, err
	}
	if f.flip && len(content) > 0 {
		content = bytes.Clone(content)
		bit := int(f.at * float64(8*len(content)))
		content[bit/8] ^= 1 << (bit % 8)
	}
	if f.truncate {
		content = content[:int(f.at*float64(len(content)))]
	}
	b.mu.Lock()
	b.counts.Out += int64(len(content))
	b.mu.Unlock()
	return objstore.NopCloserWithSize(bytes.NewReader(content)), nil
}

// Iter implements objstore.Bucket.
func (b *Bucket) Iter(ctx context.Context, dir string, f func(string) error, opts ...objstore.IterOption) error {
	fate, err := b.begin(ctx, List, dir)
	if err != nil {
		return err
	}
	if fate.stale == 0 {
		return b.store.inner.Iter(ctx, dir, f, opts...)
	}
	current := func(string) bool { return false }
	if fate.at < 0.5 { // the store changed while it was listed
		current = func(name string) bool { return xxhash.Sum64String(name)>>11 < uint64(fate.at*(1<<54)) }
	}
	for _, n := range b.store.list(dir, objstore.ApplyIterOptions(opts...).Recursive, time.Now().Add(-fate.stale), current) {
		if err := f(n); err != nil {
			return err
		}
	}
	return nil
}

// IterWithAttributes implements objstore.Bucket. Its lists are not stale.
func (b *Bucket) IterWithAttributes(ctx context.Context, dir string, f func(objstore.IterObjectAttributes) error, opts ...objstore.IterOption) error {
	if _, err := b.begin(ctx, List, dir); err != nil {
		return err
	}
	return b.store.inner.IterWithAttributes(ctx, dir, f, opts...)
}

// Exists implements objstore.Bucket.
func (b *Bucket) Exists(ctx context.Context, name string) (bool, error) {
	if _, err := b.begin(ctx, Attributes, name); err != nil {
		return false, err
	}
	return b.store.inner.Exists(ctx, name)
}

// Attributes implements objstore.Bucket.
func (b *Bucket) Attributes(ctx context.Context, name string) (objstore.ObjectAttributes, error) {
	if _, err := b.begin(ctx, Attributes, name); err != nil {
		return objstore.ObjectAttributes{}, err
	}
	return b.store.inner.Attributes(ctx, name)
}

// SupportedIterOptions implements objstore.Bucket.
func (b *Bucket) SupportedIterOptions() []objstore.IterOptionType {
	return b.store.inner.SupportedIterOptions()
}

// IsObjNotFoundErr implements objstore.Bucket.
func (b *Bucket) IsObjNotFoundErr(err error) bool { return b.store.inner.IsObjNotFoundErr(err) }

// IsAccessDeniedErr implements objstore.Bucket.
func (b *Bucket) IsAccessDeniedErr(err error) bool { return b.store.inner.IsAccessDeniedErr(err) }

// Provider implements objstore.Bucket.
func (b *Bucket) Provider() objstore.ObjProvider { return b.store.inner.Provider() }

// Name implements objstore.Bucket.
func (b *Bucket) Name() string { return b.store.inner.Name() }

// Close implements objstore.Bucket. The store stays as it is.
func (b *Bucket) Close() error { return nil }

var _ objstore.Bucket = (*Bucket)(nil)
