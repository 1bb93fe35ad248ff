package query

import (
	"context"
	"slices"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/logql/pipeline"
	"github.com/cambium-logs/cambium/pkg/storage"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// fieldLines is how many lines are parsed for the fields of a range; of more, every k-th is. Lines whose template and columns say what a parser makes
// of them are all looked at and do not count here.
const fieldLines = 100_000

// fieldRange collects the fields of all entries of a log query's range, from templates and columns where these tell what a parser makes of lines.
type fieldRange struct {
	log      *logql.LogExpr
	own      []string // the query's parsers
	compiled *pipeline.Pipeline
	parsers  []logql.Stage // those whose labels can be had from skeletons, in the order in which they are tried
	wanted   string        // the field whose values are kept; empty: none
	keep     int
	stride   int
}

func newFieldRange(p *FieldsParams, wanted string) (*fieldRange, error) {
	parsed, err := logql.Parse(p.Expr, logql.ParseOptions{})
	if err != nil {
		return nil, err
	}
	log, ok := parsed.(*logql.LogExpr)
	if !ok {
		return nil, ErrNotLogQuery
	}
	f := &fieldRange{log: log, wanted: wanted, keep: p.FieldLimit}
	for _, s := range log.Stages {
		if name := parserName(s); name != "" && !slices.Contains(f.own, name) {
			f.own = append(f.own, name)
		}
	}
	switch {
	case len(log.Stages) == 0:
		f.parsers = []logql.Stage{&logql.JSONParser{}, &logql.LogfmtParser{Strict: true}}
	case len(log.Stages) == 1 && len(f.own) == 1 && pipeline.NewExtractor(log.Stages[0], labels.EmptyLabels()) != nil:
		f.parsers = log.Stages
	}
	f.compiled, err = pipeline.Compile(log.Stages, pipeline.Options{})
	return f, err
}

// rangeFields collects the fields of everything in the range.
func (e *Engine) rangeFields(ctx context.Context, p *FieldsParams, wanted string) (*fieldTable, error) {
	f, err := newFieldRange(p, wanted)
	if err != nil {
		return nil, asError(ctx, err)
	}
	q := p.Params
	q.Direction, q.Limit, q.Interval, q.Instant = Backward, 1, 0, false
	if _, err := prepare(q); err != nil {
		return nil, asError(ctx, err)
	}
	all := newFieldTable()
	s := Selection{Tenant: p.Tenant, Start: p.Start, End: p.End - 1, Matchers: f.log.Matchers, Limits: p.Limits, Now: p.Now}
	if p.Start >= p.End {
		return all, nil
	}
	err = e.with(ctx, s, func(ctx context.Context, s Selection, snap storage.Snapshot) error {
		streams, err := snap.Select(ctx, s.Start, s.End, s.Matchers...)
		if err != nil {
			return err
		}
		var runs []run
		var bytes int64
		rows := 0
		for i, st := range streams {
			for _, r := range streamRuns(i, st) {
				runs, rows, bytes = append(runs, r), rows+r.rows, bytes+r.rawBytes
			}
		}
		if err := s.Limits.checkBytes(bytes); err != nil {
			return err
		}
		workers := e.workers
		if n := s.Limits.Parallelism; n > 0 {
			workers = min(n, workers)
		}
		f.stride = rows/fieldLines + 1
		memory := newMemory(s.Limits.maxMemory(), e.memory)
		defer memory.release()
		skipped := false
		err = ordered(ctx, workers, len(runs), func(ctx context.Context, i int) (*fieldWalk, error) {
			w := f.walk(&runs[i])
			return w, w.read(ctx, s.Start, s.End, memory)
		}, func(_ int, w *fieldWalk) error {
			all.merge(w.found)
			skipped = skipped || w.skipped
			return nil
		})
		if skipped && p.Sampled != nil {
			p.Sampled(f.stride)
		}
		return err
	})
	return all, err
}

// fieldWalk is a walk over a run.
type fieldWalk struct {
	of         *fieldRange
	run        *run
	found      *fieldTable
	extractors []*pipeline.Extractor
	stream     *pipeline.StreamPipeline
	guess      *fieldSet // for lines of a query without parsers
	shapes     shapeMap[*shapeFields]
	last       *shapeFields
	lastShape  *chunk.Shape
	n          int
	skipped    bool // a line was not looked at
	buf        []byte
}

func (f *fieldRange) walk(r *run) *fieldWalk {
	w := &fieldWalk{of: f, run: r, found: newFieldTable(), stream: f.compiled.ForStream(r.labels)}
	if f.wanted != "" {
		w.found.of(f.wanted).keep = f.keep
	}
	for _, p := range f.parsers {
		w.extractors = append(w.extractors, pipeline.NewExtractor(p, r.labels))
	}
	return w
}

func (w *fieldWalk) read(ctx context.Context, mint, maxt int64, m *memory) error {
	cur := newCursor(ctx, w.run, mint, maxt, false, textsOf(w.of.log.Stages), &counters{}, m)
	var failure error
	for failure == nil && cur.next() {
		metadata := cur.metadata()
		shape, at := w.shape(cur)
		if shape != nil && !shape.collides(w.run.labels, metadata) {
			shape.add(w, at)
			w.addMetadata(metadata)
			continue
		}
		if w.n++; w.n%w.of.stride != 0 {
			w.skipped = true
			continue
		}
		failure = w.parse(cur, metadata)
	}
	if err := cur.close(); err != nil {
		return err
	}
	return failure
}

func (w *fieldWalk) addMetadata(metadata []labels.Label) {
	for _, l := range metadata {
		w.add(l.Name, []byte(l.Value), "", nil)
	}
}

func (w *fieldWalk) add(name string, value []byte, parser string, path []string) {
	if f := w.found.of(name); f != nil {
		f.add(value)
		f.addParser(parser, path)
	}
}

// parse passes the entry at the cursor through the query, and through json and logfmt where it has no parser.
func (w *fieldWalk) parse(cur *cursor, metadata []labels.Label) error {
	line, result, keep := w.stream.Process(cur.ts, cur.line(), metadata)
	if !keep {
		return nil
	}
	if w.guess == nil {
		set, err := newFieldSet(w.of.log.String())
		if err != nil {
			return err
		}
		w.guess = set
	}
	w.guess.byName = map[string]*field{}
	w.guess.addEntry(&Entry{Timestamp: cur.ts, Line: string(line), Labels: entryLabels(result)})
	for name, f := range w.guess.byName {
		for value := range f.values {
			w.add(name, []byte(value), "", nil)
		}
		if own := w.found.of(name); own != nil {
			for _, p := range f.parsers {
				own.addParser(p, f.path)
			}
		}
	}
	return nil
}

// shape gives what the parsers make of the skeleton of the line at the cursor; nil when the line must be parsed itself.
func (w *fieldWalk) shape(cur *cursor) (*shapeFields, int) {
	if len(w.extractors) == 0 || cur.src.shaper == nil {
		return nil, 0
	}
	shape, at := cur.src.shaper.Shape(cur.row)
	if shape == nil {
		return nil, 0
	}
	if shape == w.lastShape {
		return w.last, at
	}
	fields := w.shapes.get(cur.src, shape, func() *shapeFields { return w.shapeFields(shape) })
	w.last, w.lastShape = fields, shape
	return fields, at
}

func (w *fieldWalk) shapeFields(shape *chunk.Shape) *shapeFields {
	s := &shapeFields{shape: shape}
	for i, x := range w.extractors {
		if x.Barren(shape, len(w.of.own) == 0) {
			continue
		}
		list, ok := x.Extractions(shape)
		if !ok {
			return nil
		}
		certain := len(list) == 0 || i == len(w.extractors)-1
		for j := range list {
			certain = certain || list[j].Slot < 0 || !list[j].Token && !list[j].Filled
		}
		if !certain {
			return nil // perhaps it makes no label of some line, and the next parser counts
		}
		if len(list) == 0 {
			continue
		}
		s.use(w, parserName(w.of.parsers[i]), list)
		return s
	}
	return s
}
