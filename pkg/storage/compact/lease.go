package compact

import (
	"bytes"
	"context"
	"encoding/json"
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

// takeLease reports whether this process is to compact now.
func (c *Compactor) takeLease(ctx context.Context) (bool, error) {
	now := c.opts.Now()
	c.leaseAt = now
	if c.opts.Owner == "" {
		return true, nil
	}
	data, err := bucket.ReadAll(ctx, c.opts.Bucket, LeaseName, 1<<10)
	if err != nil && !c.opts.Bucket.IsObjNotFoundErr(err) {
		return false, fmt.Errorf("read %s: %w", LeaseName, err)
	}
	var l lease
	// What cannot be parsed is nobody's lease.
	if err == nil && json.Unmarshal(data, &l) == nil && l.Owner != c.opts.Owner && now.Before(l.Until) && l.Until.Before(now.Add(time.Hour)) {
		c.metrics.leaseNotTaken.Set(1)
		return false, nil
	}
	c.metrics.leaseNotTaken.Set(0)
	// While half of it is left, nothing is written.
	if l.Owner == c.opts.Owner && now.Add(c.opts.Interval).Before(l.Until) {
		return true, nil
	}
	data, err = json.Marshal(lease{c.opts.Owner, now.Add(leaseIntervals * c.opts.Interval)})
	if err != nil {
		return false, fmt.Errorf("write %s: %w", LeaseName, err)
	}
	if err := c.opts.Bucket.Upload(ctx, LeaseName, bytes.NewReader(data)); err != nil {
		return false, fmt.Errorf("write %s: %w", LeaseName, err)
	}
	return true, nil
}
