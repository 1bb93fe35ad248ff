package query

import (
	"context"

	"github.com/cambium-logs/cambium/pkg/storage"
)

// PatternParams asks for the patterns of a selection's lines.
type PatternParams struct {
	Selection
	Step int64 // width of the buckets that are counted, > 0
}

// Pattern is a shape of lines, with "<_>" for what varies, and how many lines had it per bucket.
type Pattern struct {
	Pattern string
	Level   string
	Points  []Point // Timestamp is the start of the bucket, a multiple of Step; Value a count
}

const (
	// patternRows is how many lines are looked at; of a larger selection every k-th line is, and counts k times. Lines whose template and
	// dictionaries say everything about their pattern are all counted and do not count here.
	patternRows = 500_000
	// maxPatterns is how many patterns an answer holds.
	maxPatterns = 300
	levelLabel  = "detected_level"
)

// Patterns finds out what the lines of a selection have in common, most frequent patterns first. It takes two steps: lines are counted by their
// signature, from the templates of their chunks where there are any; then signatures that differ little are made one pattern. The first is
// exact, and the second looks at the counts alone: the same lines give the same patterns, however they are stored.
func (e *Engine) Patterns(ctx context.Context, p PatternParams) ([]Pattern, error) {
	if p.Step <= 0 {
		return nil, badRequest("zero or negative query resolution step widths are not accepted. Try a positive integer")
	}
	all := newSignatures(p.Step)
	err := e.with(ctx, p.Selection, func(ctx context.Context, s Selection, snap storage.Snapshot) error {
		streams, err := snap.Select(ctx, s.Start, s.End, s.Matchers...)
		if err != nil {
			return err
		}
		var runs []run
		var before []int // rows of earlier runs
		rows := 0
		var bytes int64
		for i, st := range streams {
			for _, r := range streamRuns(i, st) {
				before = append(before, rows)
				rows += r.rows
				bytes += r.rawBytes
				runs = append(runs, r)
			}
		}
		if err := s.Limits.checkBytes(bytes); err != nil {
			return err
		}
		workers := e.workers
		if n := s.Limits.Parallelism; n > 0 {
			workers = min(n, workers)
		}
		stride := rows/patternRows + 1
		memory := newMemory(s.Limits.maxMemory(), e.memory)
		defer memory.release()
		return ordered(ctx, workers, len(runs), func(ctx context.Context, i int) (*signatures, error) {
			w := newPatternWalk(p.Step, stride, before[i])
			return w.found, w.walk(ctx, &runs[i], s.Start, s.End, memory)
		}, func(_ int, found *signatures) error {
			all.merge(found)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return all.patterns(), nil
}

// patternWalk counts the lines of one run by signature.
type patternWalk struct {
	found  *signatures
	shapes shapeSignatures
	stride int
	n      int // rows before the current one
	buf    []byte
}

func newPatternWalk(step int64, stride, before int) *patternWalk {
	return &patternWalk{found: newSignatures(step), stride: stride, n: before}
}

func (w *patternWalk) walk(ctx context.Context, r *run, mint, maxt int64, m *memory) error {
	level := r.labels.Get(levelLabel)
	cur := newCursor(ctx, r, mint, maxt, false, nil, &counters{}, m)
	for cur.next() {
		w.n++
		looked := w.n%w.stride == 0
		sh, at := w.shapes.find(cur)
		if !looked && (sh == nil || !sh.cheap()) {
			continue
		}
		own := lineLevel(level, cur)
		switch {
		case sh == nil:
			w.buf = reduce(w.buf[:0], cur.line())
			w.found.get(own, w.buf).add(cur.ts, w.found.step, float64(w.stride))
		case sh.cheap():
			sh.signature(w.found, own, at).add(cur.ts, w.found.step, 1)
		default:
			sh.signature(w.found, own, at).add(cur.ts, w.found.step, float64(w.stride))
		}
		if w.found.full() {
			w.found.fold()
			w.shapes = shapeSignatures{}
		}
	}
	return cur.close()
}

func lineLevel(level string, c *cursor) string {
	if level != "" {
		return level
	}
	for _, l := range c.metadata() {
		if l.Name == levelLabel {
			return l.Value
		}
	}
	return ""
}
