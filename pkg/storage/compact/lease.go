package compact

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/cambium-logs/cambium/pkg/storage/bucket"
)

// LeaseName is the object that says who compacts.
const LeaseName = "compactor.json"

// lease is the content of the object. It is advice: nothing breaks when two hold it.
type lease struct {
	Owner string    `json:"owner"`
	Until time.Time `json:"until"`
}

// leaseIntervals is for how many intervals a lease is taken, so that one failed renewal does not lose it.
const leaseIntervals = 3

// errElsewhere ends a pass in which another process took the lease.
var errElsewhere = errors.New("another process compacts")

// readLease gives the lease as it is, and whether this process may work: nobody else has it.
func (c *Compactor) readLease(ctx context.Context) (l lease, free bool, err error) {
	data, err := bucket.ReadAll(ctx, c.opts.Bucket, LeaseName, 1<<10)
	if err != nil && !c.opts.Bucket.IsObjNotFoundErr(err) {
		return l, false, fmt.Errorf("read %s: %w", LeaseName, err)
	}
	// What cannot be parsed is nobody's lease.
	if err != nil || json.Unmarshal(data, &l) != nil {
		l = lease{}
	}
	now := c.opts.Now()
	other := l.Owner != c.opts.Owner && now.Before(l.Until) && l.Until.Before(now.Add(time.Hour))
	c.metrics.leaseNotTaken.Set(map[bool]float64{true: 1}[other])
	return l, !other, nil
}

// leaseFree reports whether this process may look for work. Nothing is written: who finds nothing to do needs no lease.
func (c *Compactor) leaseFree(ctx context.Context) (bool, error) {
	if c.opts.Owner == "" {
		return true, nil
	}
	_, free, err := c.readLease(ctx)
	return free, err
}

// holdLease takes the lease before something is done, or holds on to it. It fails with errElsewhere where another process has it.
func (c *Compactor) holdLease(ctx context.Context) error {
	now := c.opts.Now()
	if c.opts.Owner == "" || now.Sub(c.leaseAt) < c.opts.Interval/2 {
		return nil
	}
	l, free, err := c.readLease(ctx)
	if err == nil && !free {
		err = errElsewhere
	}
	if err != nil {
		return err
	}
	// While half of it is left, nothing is written.
	if l.Owner != c.opts.Owner || !now.Add(c.opts.Interval).Before(l.Until) {
		data, err := json.Marshal(lease{c.opts.Owner, now.Add(leaseIntervals * c.opts.Interval)})
		if err == nil {
			err = c.opts.Bucket.Upload(ctx, LeaseName, bytes.NewReader(data))
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", LeaseName, err)
		}
	}
	c.leaseAt = now
	return nil
}
