package query

import (
	"context"
	"sort"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/logql/pipeline"
)

const (
	taskBytes = 4 << 20 // raw bytes that a task reads at least, unless it runs out of runs
	taskRuns  = 512     // runs in a task at most
)

// fold reads the chunks of one leaf into partials.
type fold struct {
	*execution
	leaf     *leaf
	grid     *grid
	sampler  *pipeline.Sampler
	plain    bool // only counts entries or bytes: where the stream alone decides about the series, no entry is looked into
	ofBytes  bool // counts bytes, not entries; when plain only
	presence bool // only whether a window holds a sample matters
	newPart  func() part
	texts    *texts

	mint, maxt int64
}

// tasks cuts runs, in their order, into tasks of about taskBytes. The cut does not depend on the number of workers, so neither does the result.
func tasks(runs []run) [][]run {
	var out [][]run
	for len(runs) > 0 {
		n, bytes := 0, int64(0)
		for n < len(runs) && n < taskRuns && (n == 0 || bytes+runs[n].rawBytes <= taskBytes) {
			bytes += runs[n].rawBytes
			n++
		}
		out = append(out, runs[:n])
		runs = runs[n:]
	}
	return out
}

// run reads all runs and merges their partials in order.
func (f *fold) run(ctx context.Context, runs []run) (part, error) {
	all := f.newPart()
	todo := tasks(runs)
	err := ordered(ctx, f.workers(), len(todo), func(ctx context.Context, i int) (part, error) {
		f.counters.tasks.Add(1)
		p := f.newPart()
		for j := range todo[i] {
			if err := f.read(ctx, &todo[i][j], p); err != nil {
				p.release()
				return nil, err
			}
		}
		return p, nil
	}, func(_ int, p part) error {
		all.absorb(p)
		return all.failure()
	})
	return all, err
}

func (f *fold) read(ctx context.Context, r *run, p part) error {
	if f.plain {
		if ls, ok := f.streamGroup(r); ok {
			return f.count(ctx, r, p, ls)
		}
	}
	return f.sample(ctx, r, p)
}

// streamGroup gives the series that all entries of a run belong to, when that follows from the stream's labels alone.
func (f *fold) streamGroup(r *run) (labels.Labels, bool) {
	g := f.leaf.group
	if f.presence {
		return labels.EmptyLabels(), true
	}
	if g == nil || g.Without {
		for _, c := range r.chunks {
			if m := c.Meta(); m.RawBytes != m.LineBytes {
				return labels.EmptyLabels(), false
			}
		}
		if g == nil {
			return r.labels, true
		}
		return labels.NewBuilder(r.labels).Del(g.Labels...).Labels(), true
	}
	for _, name := range g.Labels {
		if r.labels.Has(name) {
			continue
		}
		for _, c := range r.chunks {
			if m := c.Meta(); m.RawBytes != m.LineBytes {
				return labels.EmptyLabels(), false
			}
		}
	}
	return labels.NewBuilder(r.labels).Keep(g.Labels...).Labels(), true
}

// count adds a run's entries or bytes to one series: from the chunk directory when its only chunk lies in one cell, from timestamps when
// entries are counted, else row by row.
func (f *fold) count(ctx context.Context, r *run, p part, ls labels.Labels) error {
	if m := r.chunks[0].Meta(); len(r.chunks) == 1 && !m.Inexact && r.minT >= f.mint && r.maxT <= f.maxt {
		c := f.grid.locate(r.minT)
		if c.holds(r.maxT) {
			f.counters.chunksCounted.Add(1)
			if c.inside {
				n := float64(m.Rows)
				if f.ofBytes {
					n = float64(m.LineBytes)
				}
				if s := p.series(ls); s >= 0 {
					p.add(s, c.index, r.maxT, n)
				}
				f.counters.matched.Add(int64(m.Rows))
			}
			return p.failure()
		}
	}
	if len(r.chunks) == 1 && !f.ofBytes {
		return f.countTimestamps(ctx, r, p, ls)
	}
	cur := newCursor(ctx, r, f.mint, f.maxt, false, nil, f.counters, f.memory)
	var c cell
	series := -1
	matched := int64(0)
	for cur.next() {
		if !c.holds(cur.ts) {
			c = f.grid.locate(cur.ts)
		}
		if !c.inside {
			continue
		}
		if series < 0 {
			if series = p.series(ls); series < 0 {
				break
			}
		}
		n := 1.0
		if f.ofBytes {
			n = float64(len(cur.line()))
		}
		p.add(series, c.index, cur.ts, n)
		matched++
	}
	f.counters.matched.Add(matched)
	if err := cur.close(); err != nil {
		return err
	}
	return p.failure()
}

func (f *fold) countTimestamps(ctx context.Context, r *run, p part, ls labels.Labels) error {
	ch := r.chunks[0]
	reader, err := ch.Open(ctx)
	if err != nil {
		return err
	}
	defer reader.Close()
	f.counters.opened(ch.Meta())
	n := reader.Len()
	row := sort.Search(n, func(i int) bool { return reader.Timestamp(i) >= f.mint })
	first := row
	for row < n {
		ts := reader.Timestamp(row)
		if ts > f.maxt {
			break
		}
		c := f.grid.locate(ts)
		end := min(c.hi, f.maxt)
		next := row + sort.Search(n-row, func(i int) bool { return reader.Timestamp(row+i) > end })
		if c.inside {
			if s := p.series(ls); s >= 0 {
				p.add(s, c.index, ts, float64(next-row))
			}
			f.counters.matched.Add(int64(next - row))
		}
		row = next
	}
	f.counters.scanned(ch.Meta(), row-first)
	return p.failure()
}

// sample passes every entry of a run through the sampler.
func (f *fold) sample(ctx context.Context, r *run, p part) error {
	stream := f.sampler.ForStream(r.labels)
	bySeries := map[*pipeline.LabelsResult]int{}
	var (
		last    *pipeline.LabelsResult
		series  int
		c       cell
		matched int64
		failure error
	)
	var columns shapes
	if stream.Shapes() {
		columns.of = stream.Shape
	}
	cur := newCursor(ctx, r, f.mint, f.maxt, false, f.texts, f.counters, f.memory)
	for cur.next() {
		if !c.holds(cur.ts) {
			c = f.grid.locate(cur.ts)
		}
		if !c.inside {
			continue
		}
		value, result, keep := sampleRow(cur, stream, &columns)
		if !keep {
			continue
		}
		matched++
		if result != last {
			known := false
			if series, known = bySeries[result]; !known {
				if failure = f.check(result); failure != nil {
					break
				}
				series = p.series(f.seriesLabels(result))
				bySeries[result] = series
			}
			last = result
		}
		if series >= 0 {
			p.add(series, c.index, cur.ts, value)
		}
		if failure = p.failure(); failure != nil {
			break
		}
	}
	f.counters.matched.Add(matched)
	if err := cur.close(); err != nil {
		return err
	}
	return failure
}

// check fails when a sample carries an error that the query does not ask for.
func (f *fold) check(result *pipeline.LabelsResult) error {
	if f.presence {
		return nil
	}
	return result.Error()
}

// seriesLabels gives the series that a sample with these labels belongs to.
func (f *fold) seriesLabels(result *pipeline.LabelsResult) labels.Labels {
	if f.presence {
		return labels.EmptyLabels()
	}
	return groupLabels(result.Merged, f.leaf.group)
}

// groupLabels applies a grouping to a label set; labels with empty values are kept.
func groupLabels(ls labels.Labels, g *logql.Grouping) labels.Labels {
	if g == nil {
		return ls
	}
	var out []labels.Label
	ls.Range(func(l labels.Label) {
		listed := false
		for _, n := range g.Labels {
			listed = listed || n == l.Name
		}
		if listed != g.Without {
			out = append(out, l)
		}
	})
	return labels.New(out...)
}
