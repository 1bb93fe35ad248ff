package query

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"strings"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/storage"
)

// reuse says what a run contributes to a leaf independently of the query's range, so that the contribution can be kept: chunks that never
// change, all of whose entries are wanted, folded by cells whose edges do not depend on where the query begins.
type reuse struct {
	key   cacheKey
	shift int64 // what is added to the numbers of kept cells to get those of the query's grid
}

// reusable gives how a run's contribution is kept; ok is false when it cannot be.
func (f *fold) reusable(r *run) (u reuse, ok bool) {
	if f.leafKey == "" || f.grid.base < math.MinInt64/2 || r.minT < f.mint || r.maxT > f.maxt {
		return u, false
	}
	h := sha256.New()
	field := func(s string) {
		var n [4]byte
		binary.BigEndian.PutUint32(n[:], uint32(len(s)))
		h.Write(n[:])
		h.Write([]byte(s))
	}
	field(f.params.Tenant)
	field(f.leafKey)
	field(string(r.labels.Bytes(nil)))
	var number [8]byte
	for _, v := range f.grid.alignment(r, &u.shift) {
		binary.BigEndian.PutUint64(number[:], uint64(v))
		h.Write(number[:])
	}
	for _, c := range r.chunks {
		named, ok := c.(storage.Identified)
		if !ok || named.ID() == "" {
			return u, false
		}
		field(named.ID())
	}
	h.Sum(u.key[:0])
	return u, true
}

// alignment gives what a run's cells depend on, and the shift between cells numbered without regard to the grid's start and the grid's own:
// nothing when all of the run lies in one cell, else the distances of cell edges and where they lie relative to the epoch.
func (g *grid) alignment(r *run, shift *int64) [4]int64 {
	if c := g.locate(r.minT); c.holds(r.maxT) && c.inside {
		*shift = c.index
		return [4]int64{}
	}
	perStep := int64(1)
	if g.edge != 0 {
		perStep = 2
	}
	first := floorTo(g.base, g.step)
	*shift = -first / g.step * perStep
	return [4]int64{g.step, g.edge, g.base - first, min(g.whole, 1)}
}

// reuseKey is what of a leaf decides about a run's contribution: not its selector, its range, its offset or the quantile that is asked for.
// It is empty when contributions depend on the clock.
func (l *leaf) reuseKey() string {
	for _, s := range l.agg.Range.Log.Stages {
		switch s.(type) {
		case *logql.LineFormat, *logql.LabelFormat:
			if strings.Contains(s.String(), "now") {
				return ""
			}
		}
	}
	agg, rng, log := *l.agg, *l.agg.Range, *l.agg.Range.Log
	agg.Param, agg.Range, agg.Grouping = nil, &rng, nil
	rng.Log, rng.Range, rng.Offset = &log, 1e9, 0
	log.Matchers = []*labels.Matcher{labels.MustNewMatcher(labels.MatchEqual, "a", "b")}
	text := agg.String() + "\x00" + l.pushed + "\x00"
	if g := l.group; g != nil {
		text += grouping(g) + "\x00" + strings.Join(g.Labels, "\x00")
	}
	return text
}

// readReused adds a run's contribution to p, from the cache where it is known. Without a cache the same is computed, so that a result is the same
// to the last bit.
func (f *fold) readReused(ctx context.Context, r *run, p part, u reuse) error {
	store := f.engine.cache
	if f.params.NoCache {
		store = nil
	}
	if store != nil {
		if kept, bytes := store.get(u.key); kept != nil {
			f.counters.cacheHits.Add(1)
			f.counters.cacheBytes.Add(bytes)
			f.counters.chunksReused.Add(int64(len(r.chunks)))
			p.absorbKept(kept, u.shift)
			return p.failure()
		}
		f.counters.cacheMisses.Add(1)
	}
	own := f.newPart()
	if err := f.readRun(ctx, r, own); err != nil {
		own.release()
		return err
	}
	if store != nil && own.failure() == nil && !own.truncated() {
		kept, bytes := own.keep(-u.shift)
		store.put(u.key, kept, bytes)
	}
	p.absorb(own)
	return p.failure()
}
