package query

import (
	"context"

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
	leafKey  string // what of the leaf decides about a run's contribution; empty when contributions are not kept

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

// read adds what a run contributes to p.
func (f *fold) read(ctx context.Context, r *run, p part) error {
	if f.plain {
		if ls, ok := f.streamGroup(r); ok && f.countedWhole(r, p, ls) {
			return p.failure()
		}
	}
	if u, ok := f.reusable(r); ok {
		return f.readReused(ctx, r, p, u)
	}
	return f.readRun(ctx, r, p)
}

func (f *fold) readRun(ctx context.Context, r *run, p part) error {
	if f.plain {
		if ls, ok := f.streamGroup(r); ok {
			return f.count(ctx, r, p, ls)
		}
	}
	return f.sample(ctx, r, p)
}

// resultSeries remembers the series of results: the first ones in a list, which is searched faster than a map as long as it is short.
type resultSeries struct {
	few  []*pipeline.LabelsResult
	of   []int
	many map[*pipeline.LabelsResult]int
}

// fewResults is how many results the list holds.
const fewResults = 24

func (s *resultSeries) get(r *pipeline.LabelsResult) (series int, ok bool) {
	for i, known := range s.few {
		if known == r {
			return s.of[i], true
		}
	}
	series, ok = s.many[r]
	return series, ok
}

func (s *resultSeries) put(r *pipeline.LabelsResult, series int) {
	switch {
	case len(s.few) < fewResults:
		s.few, s.of = append(s.few, r), append(s.of, series)
	case s.many == nil:
		s.many = map[*pipeline.LabelsResult]int{r: series}
	default:
		s.many[r] = series
	}
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
