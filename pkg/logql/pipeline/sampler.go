package pipeline

import (
	"slices"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/logql"
)

// Sampler is the compiled operand of a range aggregation: it turns entries into samples. It is safe for concurrent use.
type Sampler struct {
	program
	bytes  bool
	unwrap *unwrapper
	group  *grouping // nil when a sample's series are all its labels
	// keepsErrors says that the errors of parsers stay a label of the group instead of failing the query.
	keepsErrors bool
}

// grouping is by (…), with slots, or without (…), whose labels are in needs.drop.
type grouping struct {
	slots   []int
	without bool
}

// CompileSamples builds the operand of a range aggregation. The series of its samples are the groups of the aggregation's own by or
// without; else, if needed is known, the groups by needed.Names (see NeededBy); else all labels. The unwrapped label belongs to the
// series only when it is named by by. It returns a *StageError or *ParserError when a stage cannot be built.
func CompileSamples(agg *logql.RangeAggregation, needed NeededLabels) (*Sampler, error) {
	s := &Sampler{bytes: agg.Op == "bytes_over_time" || agg.Op == "bytes_rate"}
	by := needed.Names
	known := needed.Known
	if g := agg.Grouping; g != nil {
		by, known = g.Labels, !g.Without
		s.group = &grouping{without: g.Without}
	} else if known {
		s.group = &grouping{}
	}

	c := &compiler{}
	var names map[string]struct{}
	if known {
		names = NeededLabels{Names: by}.set()
	}
	u := agg.Range.Unwrap
	if u != nil && known {
		names[u.Label] = struct{}{}
		for _, f := range u.PostFilters {
			addPredicateLabels(names, f)
		}
	}
	if u != nil {
		w, err := newUnwrapper(c, u)
		if err != nil {
			return nil, err
		}
		s.unwrap = w
	}
	if known {
		for _, name := range slices.Compact(slices.Sorted(slices.Values(by))) {
			s.group.slots = append(s.group.slots, c.slot(name))
			s.keepsErrors = s.keepsErrors || name == ErrorLabel
		}
	}
	prog, err := c.compile(agg.Range.Log.Stages, names, s.bytes, true)
	if err != nil {
		return nil, err
	}
	prog.slots = c.names
	if s.group == nil || s.group.without {
		drop := make(map[string]struct{})
		if s.group != nil {
			for _, l := range agg.Grouping.Labels {
				drop[l] = struct{}{}
			}
		}
		if u != nil {
			drop[u.Label] = struct{}{}
		}
		prog.needs.drop = drop
	}
	s.program = prog
	return s, nil
}

// StreamSampler runs a Sampler over the entries of one stream. It belongs to one goroutine.
type StreamSampler struct {
	sampler *Sampler
	entry   *entry
	results results
	// constant is the only result there can be, when no stage and no metadata can touch the series.
	constant *LabelsResult
}

// ForStream binds the sampler to a stream.
func (s *Sampler) ForStream(stream labels.Labels) *StreamSampler {
	p := &StreamSampler{sampler: s, entry: newEntry(stream, s.slots, s.needs)}
	if s.group != nil && !s.group.without && len(s.group.slots) == 0 && len(s.stages) == 0 && s.unwrap == nil {
		p.constant = &LabelsResult{}
		p.constant.Hash = p.constant.Merged.Hash()
	}
	return p
}

// Process runs the stages over one entry, like StreamPipeline.Process. It reports whether there is a sample, and if so its value
// and its series as result.Merged. A result whose Error is not nil fails the query; it has all labels of the entry.
func (p *StreamSampler) Process(ts int64, line []byte, metadata []labels.Label) (value float64, result *LabelsResult, keep bool) {
	s, e := p.sampler, p.entry
	if p.constant != nil {
		metadata = nil
	}
	if !s.run(e, ts, line, metadata) {
		return 0, nil, false
	}
	return p.sample()
}

// sample makes a sample of the entry that the stages have kept.
func (p *StreamSampler) sample() (value float64, result *LabelsResult, keep bool) {
	s, e := p.sampler, p.entry
	value = 1
	switch {
	case s.unwrap != nil:
		if value, keep = s.unwrap.value(e); !keep {
			return 0, nil, false
		}
	case s.bytes:
		value = float64(len(e.line))
	}
	switch {
	case p.constant != nil:
		return value, p.constant, true
	case e.errKind != "" && !(s.keepsErrors && parserError(e.errKind)):
		result = p.results.full(e)
	case s.group != nil && !s.group.without:
		result = p.results.grouped(e, s.group)
	default:
		result = p.results.series(e)
	}
	if e.overfull() {
		p.results.forget()
		e.forget(s.slots)
	}
	return value, result, true
}

// parserError reports whether grouping by __error__ makes a label of an error instead of failing.
func parserError(kind string) bool { return kind == ErrJSONParser || kind == ErrLogfmtParser }

// grouped returns the result for by (…).
func (r *results) grouped(e *entry, g *grouping) *LabelsResult {
	state := r.state[:0]
	var h uint64
	for _, slot := range g.slots {
		l := e.slots[slot]
		v, ok := e.get(l)
		switch {
		case l == e.err && e.errKind != "":
			v, ok = e.errKind, true
		case l == e.details && e.showsDetails():
			v, ok = e.errDetails, true
		}
		if !ok {
			continue
		}
		f := cachedField{field{l, v}, catGroup}
		state = append(state, f)
		h += mix(f.field, catGroup)
	}
	r.state = state
	if res := r.lookup(e, h); res != nil {
		return res
	}
	r.builder.Reset()
	for i := range state {
		r.builder.Add(state[i].label.name, state[i].value)
	}
	r.builder.Sort()
	res := &LabelsResult{Merged: r.builder.Labels()}
	res.Hash = res.Merged.Hash()
	r.store(h, res)
	return res
}

// series returns the result with all labels but the excluded ones.
func (r *results) series(e *entry) *LabelsResult {
	plain := len(e.parsed)+len(e.meta)+len(e.gone) == 0
	if plain && r.plain != nil {
		return r.plain
	}
	h := r.collect(e, false)
	if res := r.lookup(e, h); res != nil {
		return res
	}
	var all []labels.Label
	e.visible(func(l *label, value string) {
		if !l.excluded && !e.shadowed(l) {
			all = append(all, labels.Label{Name: l.name, Value: value})
		}
	})
	if e.showsDetails() {
		all = append(all, labels.Label{Name: ErrorDetailsLabel, Value: e.errDetails})
	}
	res := r.sharedSeries(&LabelsResult{Merged: r.build(all), errKind: e.sampleError()})
	if plain {
		r.plain = res
	}
	r.store(h, res)
	return res
}

// sharedSeries returns the earlier result with the same labels, if there is one: different entries may have the same series.
func (r *results) sharedSeries(res *LabelsResult) *LabelsResult {
	res.Hash = res.Merged.Hash()
	if r.byLabels == nil {
		r.byLabels = make(map[uint64][]*LabelsResult)
	}
	for _, old := range r.byLabels[res.Hash] {
		if labels.Equal(old.Merged, res.Merged) {
			return old
		}
	}
	r.byLabels[res.Hash] = append(r.byLabels[res.Hash], res)
	return res
}
