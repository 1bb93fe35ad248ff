package metamorphic

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/engine"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/deletes"
	"github.com/cambium-logs/cambium/pkg/storage/faultbucket"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
	"github.com/cambium-logs/cambium/pkg/trials"
)

// operation is something that a process does, or that happens to it.
type operation struct {
	name   string
	weight int
	run    func(w *world, p *process) error
}

var operations = []operation{
	{"push", 40, func(w *world, p *process) error {
		tenant, streams := w.push()
		err := w.append(p, tenant, streams, time.Duration(1+w.r.IntN(60))*time.Second)
		if err != nil {
			w.say("  %v", err)
		}
		if err != nil && !errors.Is(err, engine.ErrUnavailable) && !errors.Is(err, engine.ErrBusy) && !errors.Is(err, context.DeadlineExceeded) {
			return fmt.Errorf("push: %w", err)
		}
		return nil
	}},
	{"query", 12, func(w *world, p *process) error {
		now := time.Now().UnixNano()
		mint := now - w.r.Int64N(int64(60*time.Hour))
		return w.read(p, tenants[w.r.IntN(len(tenants))], mint, mint+w.r.Int64N(int64(60*time.Hour)))
	}},
	{"query all", 6, func(w *world, p *process) error {
		mint, maxt := span()
		return w.read(p, tenants[w.r.IntN(len(tenants))], mint, maxt)
	}},
	{"flush", 8, func(w *world, p *process) error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := p.engine.Flush(ctx); err != nil {
			w.say("  %v", err)
		}
		return nil
	}},
	{"compact", 12, func(w *world, p *process) error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(1+w.r.IntN(600))*time.Second)
		defer cancel()
		result, err := p.engine.Maintain(ctx)
		w.say("  %+v, %v", result, err)
		w.totals.Merges += result.Merges
		w.totals.Removed += result.Deleted
		return nil
	}},
	{"delete", 3, func(w *world, p *process) error {
		tenant, app := tenants[w.r.IntN(len(tenants))], fmt.Sprint(w.r.IntN(4))
		maxt := time.Now().Add(-time.Duration(w.r.Int64N(int64(50 * time.Hour)))).UnixNano()
		if w.r.IntN(2) == 0 {
			maxt = time.Now().UnixNano()
		}
		w.asked++
		e := trials.Erasure{
			ID: fmt.Sprint(w.asked), Tenant: tenant, MinT: maxt - w.r.Int64N(int64(20*time.Hour)), MaxT: maxt,
			Selects: func(ls labels.Labels) bool { return ls.Get("app") == app },
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		w.ledger.Erasing(e)
		id, err := p.engine.CreateDelete(ctx, tenant, deletes.Request{Query: `{app="` + app + `"}`, Start: e.MinT, End: e.MaxT})
		w.say("  tenant %s, app %s, %d to %d: %v", tenant, app, e.MinT, e.MaxT, err)
		if err == nil {
			w.ledger.Erased(e, p.id, time.Now().UnixNano())
			w.totals.Deletions++
			w.requests = append(w.requests, request{e, id})
		}
		return nil
	}},
	{"take a deletion back", 3, func(w *world, p *process) error {
		if len(w.requests) == 0 {
			return nil
		}
		i := w.r.IntN(len(w.requests))
		r := w.requests[i]
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		err := p.engine.CancelDelete(ctx, r.Tenant, r.id, false)
		w.say("  tenant %s, %s: %v", r.Tenant, r.id, err)
		switch {
		case errors.Is(err, engine.ErrDeleteStarted), errors.Is(err, engine.ErrDeleteUnknown), errors.Is(err, engine.ErrDeleteProcessed):
			return nil
		case err == nil:
			w.totals.TakenBack++
		}
		w.ledger.TakenBack(r.Erasure, p.id, time.Now().UnixNano(), err == nil)
		w.requests = slices.Delete(w.requests, i, i+1)
		return nil
	}},
	{"restart", 3, func(w *world, p *process) error {
		if err := w.close(p); err != nil {
			w.say("  %v", err)
		}
		return w.replace(p)
	}},
	{"kill", 4, func(w *world, p *process) error {
		w.kill(p)
		return w.replace(p)
	}},
	{"wait", 8, func(w *world, _ *process) error {
		time.Sleep(time.Duration(w.r.IntN(3000)) * time.Millisecond)
		return nil
	}},
	{"wait long", 4, func(w *world, _ *process) error {
		time.Sleep(time.Duration(w.r.Int64N(int64(grace * 3 / 2))))
		return nil
	}},
	{"faults", 8, func(w *world, p *process) error {
		p.set(w.faults())
		w.say("  %+v", p.faults)
		return nil
	}},
	{"calm", 6, func(_ *world, p *process) error {
		p.set(faultbucket.Faults{})
		return nil
	}},
	{"outage", 1, func(_ *world, p *process) error {
		p.outage(10 * time.Minute)
		return nil
	}},
	{"little space", 1, func(w *world, _ *process) error {
		w.store.SetSpace(w.store.Used() + w.r.Int64N(10_000))
		return nil
	}},
	{"much space", 3, func(w *world, _ *process) error {
		w.store.SetSpace(0)
		return nil
	}},
	{"damage", 3, func(w *world, _ *process) error {
		if w.r.Float64() >= w.damage {
			return nil
		}
		return w.damageOne()
	}},
}

// span is the range that holds all entries.
func span() (mint, maxt int64) {
	now := time.Now()
	return now.Add(-100 * time.Hour).UnixNano(), now.Add(time.Hour).UnixNano()
}

func (w *world) faults() faultbucket.Faults {
	some := func() float64 {
		if w.r.IntN(3) > 0 {
			return 0
		}
		return w.r.Float64() * 0.4
	}
	return faultbucket.Faults{
		Fail: some(), Stall: some() / 4, Lost: some(), Truncate: some() / 2, Flip: some() / 2, Stale: some() * 2,
		StallFor: time.Duration(1+w.r.IntN(100)) * time.Second,
	}
}

// replace starts a process in the place of one that has ended.
func (w *world) replace(p *process) error {
	next, err := w.start(p.slot)
	if err != nil {
		return err
	}
	w.procs[p.slot] = next
	return nil
}

// damageOne changes a byte of a segment, or cuts its end off.
func (w *world) damageOne() error {
	var segments []string
	for _, n := range w.store.Names() {
		if strings.HasSuffix(n, segment.Extension) && w.damaged[n] == nil {
			segments = append(segments, n)
		}
	}
	if len(segments) == 0 {
		return nil
	}
	name := segments[w.r.IntN(len(segments))]
	content, err := w.store.Object(context.Background(), name)
	if err != nil {
		return err
	}
	w.damaged[name] = append([]byte(nil), content...)
	if w.r.IntN(4) == 0 {
		content = content[:w.r.IntN(len(content))]
	} else {
		content = append([]byte(nil), content...)
		content[w.r.IntN(len(content))] ^= 1 << w.r.IntN(8)
	}
	w.say("  %s", name)
	w.totals.Damaged++
	return w.store.Replace(context.Background(), name, content)
}

// finish ends all faults and holds what is there against the ledger: at once, after compaction, and from a process that has just started.
func (w *world) finish() error {
	w.store.SetSpace(0)
	for _, p := range w.procs {
		p.set(faultbucket.Faults{})
	}
	time.Sleep(grace)
	for _, p := range w.procs {
		mint, maxt := span()
		for _, tenant := range tenants {
			if err := w.read(p, tenant, mint, maxt); err != nil {
				return fmt.Errorf("after the faults, process %d: %w", p.id, err)
			}
		}
	}
	for _, p := range w.procs {
		if err := p.engine.Flush(context.Background()); err != nil {
			return fmt.Errorf("flush after the faults: %w", err)
		}
	}
	time.Sleep(2 * time.Second)
	if err := w.readAll("with what is damaged"); err != nil {
		return err
	}
	if err := w.restore(); err != nil {
		return err
	}
	if err := w.readAll("after the faults"); err != nil {
		return err
	}
	if err := w.tidy(); err != nil {
		return err
	}
	if err := w.readAll("after compaction"); err != nil {
		return err
	}
	// Delete requests end while nobody is there, and what once arrived damaged is read again.
	if err := w.restart(2 * time.Hour); err != nil {
		return err
	}
	if err := w.readAll("after a restart"); err != nil {
		return err
	}
	if err := w.tidy(); err != nil {
		return err
	}
	if err := w.readAll("after delete requests have ended"); err != nil {
		return err
	}
	return w.verify()
}

// restart closes all processes and starts them again after a while.
func (w *world) restart(after time.Duration) error {
	for _, p := range w.procs {
		if err := w.close(p); err != nil {
			return fmt.Errorf("close: %w", err)
		}
	}
	time.Sleep(after)
	for _, p := range w.procs {
		if err := w.replace(p); err != nil {
			return err
		}
	}
	return nil
}

// restore puts damaged objects back that are still there. Who found them damaged has to start again to look at all of them again.
func (w *world) restore() error {
	if len(w.damaged) == 0 {
		return nil
	}
	for _, n := range w.store.Names() {
		if content := w.damaged[n]; content != nil {
			if err := w.store.Replace(context.Background(), n, content); err != nil {
				return err
			}
		}
	}
	clear(w.damaged)
	return w.restart(0)
}

// tidy compacts until there is nothing left to do.
func (w *world) tidy() error {
	for range 4 {
		for _, p := range w.procs {
			time.Sleep(10*time.Second + 2*w.skew) // so that a lease ends
			result, err := p.engine.Maintain(context.Background())
			w.say("  process %d: %+v, %v", p.id, result, err)
			if err != nil {
				return fmt.Errorf("compact after the faults: %w", err)
			}
			w.totals.Merges += result.Merges
			w.totals.Removed += result.Deleted
		}
		time.Sleep(grace + time.Second)
	}
	return nil
}

// readAll reads everything of all tenants in all processes.
func (w *world) readAll(when string) error {
	mint, maxt := span()
	for _, p := range w.procs {
		for _, tenant := range tenants {
			if err := w.readExactly(p, tenant, mint, maxt); err != nil {
				return fmt.Errorf("%s, process %d: %w", when, p.id, err)
			}
		}
	}
	return nil
}

func (w *world) readExactly(p *process, tenant string, mint, maxt int64) error {
	got, err := trials.Read(context.Background(), p.query, tenant, mint, maxt)
	if err != nil {
		return w.excuse(p, err)
	}
	if err := w.ledger.Check(tenant, mint, maxt, got, nil, nil); err != nil {
		return err
	}
	n, err := trials.Count(context.Background(), p.query, tenant, mint, maxt)
	if err != nil {
		return w.excuse(p, err)
	}
	if n != len(got) {
		return fmt.Errorf("tenant %s: %d entries are counted, %d come out", tenant, n, len(got))
	}
	return nil
}

// verify reads every segment that is there to its last byte, and looks for what should not be there any more.
func (w *world) verify() error {
	ctx := context.Background()
	conn := w.store.Connect(0)
	for _, n := range w.store.Names() {
		switch {
		case strings.HasSuffix(n, segment.Extension):
			name, err := segment.ParsePath(n)
			if err != nil {
				return err
			}
			r, err := segment.Open(ctx, conn, name, 0)
			if err != nil {
				return err
			}
			if err := r.Verify(ctx); err != nil {
				return err
			}
			if err := w.verifyErased(ctx, r); err != nil {
				return err
			}
		case strings.HasSuffix(n, segment.GoneExtension):
			return fmt.Errorf("a marker was left: %s", n)
		}
	}
	return nil
}

// verifyErased reads all that a segment stores: what was deleted is not even there.
func (w *world) verifyErased(ctx context.Context, r *segment.Reader) error {
	stored := map[string]struct{}{}
	err := r.Streams(ctx, func(s segment.Stream) error {
		for _, c := range s.Chunks {
			reader, err := c.Open(ctx)
			if err != nil {
				return err
			}
			entries := chunk.ReadAll(nil, reader)
			for i := range entries {
				stored[trials.Identity(s.Labels, &entries[i])] = struct{}{}
			}
			reader.Close()
		}
		return nil
	})
	if err != nil {
		return err
	}
	mint, maxt := span()
	nothing := func(int, int64) bool { return false }
	if err := w.ledger.Check(r.Name().Tenant, mint, maxt, slices.Collect(maps.Keys(stored)), nothing, nil); err != nil {
		return fmt.Errorf("stored in segment %s: %w", r.Name(), err)
	}
	return nil
}
