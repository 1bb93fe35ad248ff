package query

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/cambium-logs/cambium/pkg/tools/cli"
	"github.com/cambium-logs/cambium/pkg/tools/client"
)

const (
	retryMin = time.Second
	retryMax = 30 * time.Second
	// resumeLimit is how much history is asked for when a tail is taken up again.
	resumeLimit = 5000
	// maxRemembered is how many entries are remembered, so that what comes again after an interruption is not shown again.
	maxRemembered = 20_000
)

// tailer is a tail over all its connections.
type tailer struct {
	p      *printer
	last   int64 // the greatest time shown
	recent map[uint64]struct{}
	order  []uint64 // of recent, oldest first
}

// tail shows entries as they arrive. When the connection ends it begins another one where the first has stopped.
func tail(ctx context.Context, c *client.Client, r client.TailRequest, p *printer) error {
	t := &tailer{p: p, recent: map[uint64]struct{}{}}
	retry := retryMin
	connected := false
	for {
		err := c.Tail(ctx, r, func() {
			if connected {
				p.note("connected again")
			}
			connected, retry = true, retryMin
		}, t.frame)
		var refused *client.Error
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case cli.Closed(err), errors.Is(err, client.ErrTailRefused):
			return err
		case !connected, errors.As(err, &refused) && refused.Status/100 == 4 && refused.Status != 429:
			return err
		}
		p.note(fmt.Sprintf("%s; trying again in %s", err, retry))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(retry):
		}
		retry = min(2*retry, retryMax)
		r.Limit = resumeLimit
		if t.last > 0 {
			r.Start = t.last
		}
	}
}

func (t *tailer) frame(f client.Frame) error {
	for i := range f.Entries {
		e := &f.Entries[i]
		if !t.remember(e) {
			continue
		}
		t.last = max(t.last, e.Timestamp)
		if err := t.p.entry(e, nil); err != nil {
			return err
		}
	}
	if f.Dropped > 0 {
		t.p.note(fmt.Sprintf("%s came too fast and are not shown; narrow the query", cli.Plural(int64(f.Dropped), "entry")))
	}
	return t.p.out.Flush()
}

// remember reports whether an entry is new, and remembers it.
func (t *tailer) remember(e *client.Entry) bool {
	h := e.Labels.Hash() ^ xxhash.Sum64String(e.Line)*31 ^ uint64(e.Timestamp)
	if _, ok := t.recent[h]; ok {
		return false
	}
	if len(t.order) >= maxRemembered {
		for _, old := range t.order[:maxRemembered/2] {
			delete(t.recent, old)
		}
		t.order = append(t.order[:0], t.order[maxRemembered/2:]...)
	}
	t.recent[h] = struct{}{}
	t.order = append(t.order, h)
	return true
}
