package query

import (
	"context"

	"github.com/cambium-logs/cambium/pkg/logql/pipeline"
)

// sampling passes the entries of a run through a sampler and adds the samples to a part.
type sampling struct {
	*fold
	part    part
	stream  *pipeline.StreamSampler
	columns shapes
	cursor  *cursor

	bySeries resultSeries
	last     *pipeline.LabelsResult
	series   int // of last
	cell     cell
	matched  int64

	lanes lanes
}

// minStretch is how many rows a stretch has at least for which a chunk is laid out.
const minStretch = 64

// sample passes every entry of a run through the sampler.
func (f *fold) sample(ctx context.Context, r *run, p part) error {
	s := &sampling{fold: f, part: p, stream: f.sampler.ForStream(r.labels)}
	if s.stream.Shapes() {
		s.columns.of, s.lanes.reads = s.stream.Shape, s.stream.MetadataRead()
	}
	s.cursor = newCursor(ctx, r, f.mint, f.maxt, false, f.texts, f.counters, f.memory)
	var failure error
	for failure == nil && s.cursor.next() {
		if failure = s.row(s.cursor.ts); failure == nil && s.columns.of != nil {
			failure = s.stretch()
		}
	}
	f.counters.matched.Add(s.matched)
	if err := s.cursor.close(); err != nil {
		return err
	}
	return failure
}

// row samples the entry at the cursor, whose time this is.
func (s *sampling) row(ts int64) error {
	if !s.cell.holds(ts) {
		s.cell = s.grid.locate(ts)
	}
	if !s.cell.inside {
		return nil
	}
	value, result, keep := sampleRow(s.cursor, s.stream, &s.columns)
	if !keep {
		return nil
	}
	s.matched++
	if result != s.last {
		series, err := s.seriesOf(result)
		if err != nil {
			return err
		}
		s.last, s.series = result, series
	}
	if s.series >= 0 {
		s.part.add(s.series, s.cell.index, ts, value)
	}
	return s.part.failure()
}

// seriesOf gives the series of the part that a result's samples belong to.
func (s *sampling) seriesOf(result *pipeline.LabelsResult) (int, error) {
	series, known := s.bySeries.get(result)
	if !known {
		if err := s.check(result); err != nil {
			return 0, err
		}
		series = s.part.series(s.seriesLabels(result))
		s.bySeries.put(result, series)
	}
	return series, nil
}

// stretch samples the rows that come next one after the other, as row does.
func (s *sampling) stretch() error {
	src, end := s.cursor.stretch()
	from := src.row
	if end-from < minStretch || !s.lanes.layOut(src) {
		return nil
	}
	times, layout := s.lanes.times(), s.lanes.layout
	for row := from; row < end; row++ {
		ts := times[row]
		if !s.cell.holds(ts) {
			s.cell = s.grid.locate(ts)
		}
		if !s.cell.inside {
			continue
		}
		id, at := layout.Shape(row)
		outcomes := s.lanes.outcomes(&s.columns, id, layout.Set(row))
		var value float64
		var outcome pipeline.Outcome
		ok := outcomes != nil
		if ok {
			value, outcome, ok = s.stream.SampleOutcome(ts, outcomes, at)
		}
		if !ok {
			s.cursor.take(rowRef{src, row}, ts)
			if err := s.row(ts); err != nil {
				return err
			}
			continue
		}
		if !outcome.Keep() {
			continue
		}
		s.matched++
		// The mark of an outcome is its series, from 2 on so that 1 stands for none.
		if outcome.Mark() == 0 {
			series, err := s.seriesOf(outcome.Result())
			if err != nil {
				return err
			}
			outcome.SetMark(series + 2)
		}
		if series := outcome.Mark() - 2; series >= 0 {
			s.part.add(series, s.cell.index, ts, value)
		}
	}
	s.cursor.pass(end)
	return s.part.failure()
}
