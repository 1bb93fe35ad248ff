package engine

import (
	"context"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/compact"
	"github.com/cambium-logs/cambium/pkg/storage/deletes"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

// eraser tells compaction what is past its retention and what was deleted. It implements compact.Eraser.
type eraser struct{ *Engine }

// Plan implements compact.Eraser.
func (e eraser) Plan(ctx context.Context, tenant string, day segment.Day) (compact.Plan, error) {
	keep, err := e.retentionOf(ctx, tenant)
	if err != nil {
		return nil, err
	}
	p := &erasure{engine: e.Engine, retention: keep, now: e.now()}
	if !e.erases(tenant) {
		return p, nil
	}
	requests, err := e.deletes.Active(ctx, tenant, day.Start(), day.End())
	if err != nil {
		return nil, err
	}
	for _, a := range requests {
		if e.deleteDue(&a.Request) {
			p.requests = append(p.requests, a)
		}
	}
	return p, nil
}

// Urgent implements compact.Eraser.
func (e eraser) Urgent(ctx context.Context, tenant string, day segment.Day) (bool, error) {
	if !e.erases(tenant) {
		return false, nil
	}
	requests, err := e.deletes.Active(ctx, tenant, day.Start(), day.End())
	for _, a := range requests {
		// Those that are processed linger, for what comes late; days' ordinary turns are enough for that.
		if e.deleteDue(&a.Request) && !e.maintenance.processed[deleteKey{tenant, a.ID}] {
			return true, err
		}
	}
	return false, err
}

// erasure is what is to be erased of one tenant's day. It implements compact.Plan.
type erasure struct {
	engine    *Engine
	retention *retention
	requests  []*deletes.Active
	now       time.Time
}

// Expired implements compact.Plan.
func (p *erasure) Expired(n segment.Name) bool { return expired(n.MaxT, p.retention.longest, p.now) }

// Rewrite implements compact.Plan. Streams that expire before others are erased when all of the day is past their period, so that a
// segment is written again for them once.
func (p *erasure) Rewrite(ctx context.Context, r *segment.Reader) (bool, error) {
	for _, a := range p.requests {
		if touched, err := p.engine.touches(ctx, a, r.Name()); err != nil || touched {
			return touched && err == nil, err
		}
	}
	end := r.Name().Day.End()
	if len(p.retention.rules) == 0 || !expired(end, p.retention.shortest, p.now) {
		return false, nil
	}
	shortest, err := p.shortestIn(ctx, r)
	return expired(end, shortest, p.now), err
}

// shortestIn gives the shortest period of the streams in a segment; 0 = none of them ever goes.
func (p *erasure) shortestIn(ctx context.Context, r *segment.Reader) (time.Duration, error) {
	m := p.engine.maintenance
	id := r.Name().ID
	if known, ok := m.periods[id]; ok && known.retention == p.retention {
		return known.shortest, nil
	}
	var shortest time.Duration
	err := r.Streams(ctx, func(s segment.Stream) error {
		if period := p.retention.of(s.Labels); period > 0 && (shortest == 0 || period < shortest) {
			shortest = period
		}
		return nil
	})
	if err == nil {
		m.periods[id] = segmentPeriod{p.retention, shortest}
	}
	return shortest, err
}

// segmentPeriod is the shortest period of the streams in a segment, by a retention.
type segmentPeriod struct {
	retention *retention
	shortest  time.Duration
}

// Deletes implements compact.Plan.
func (p *erasure) Deletes() []string {
	var ids []string
	for _, a := range p.requests {
		ids = append(ids, a.ID)
	}
	return ids
}

// Chunk implements compact.Plan.
func (p *erasure) Chunk(ctx context.Context, stream labels.Labels, c segment.ChunkRef) (compact.Decision, compact.KeepRow, error) {
	if expired(c.Meta().MaxT, p.retention.of(stream), p.now) {
		return compact.EraseAll, nil, nil
	}
	var touching []*deletes.Active
	for _, a := range p.requests {
		if !a.Matches(stream) {
			continue
		}
		switch verdict, err := a.Judge(ctx, stream, c); {
		case err != nil:
			return compact.KeepAll, nil, err
		case verdict == deletes.All:
			return compact.EraseAll, nil, nil
		case verdict == deletes.Some:
			touching = append(touching, a)
		}
	}
	if len(touching) == 0 {
		return compact.KeepAll, nil, nil
	}
	keep := deletes.Keep(stream, touching)
	return compact.EraseRows, func(r chunk.Reader, row int) bool { return keep(r, row) }, nil
}

// touchKey names a segment and a delete request.
type touchKey struct {
	segment ulid.ULID
	request string
}
