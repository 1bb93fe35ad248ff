package query

import (
	"sort"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/util/annotations"
)

// seriesSet shows evaluated leaves to promql.Engine: step k of a series is a sample at start+k·step milliseconds.
type seriesSet struct {
	series      []leafSeries
	start, step int64
	at          int
}

func newSeriesSet(series []leafSeries, start, step int64) *seriesSet {
	return &seriesSet{series: series, start: start, step: step, at: -1}
}

func (s *seriesSet) Next() bool {
	s.at++
	return s.at < len(s.series)
}

func (s *seriesSet) At() storage.Series {
	return &stepSeries{leafSeries: &s.series[s.at], start: s.start, step: s.step}
}

func (s *seriesSet) Err() error                        { return nil }
func (s *seriesSet) Warnings() annotations.Annotations { return nil }

type stepSeries struct {
	*leafSeries
	start, step int64
}

func (s *stepSeries) Labels() labels.Labels { return s.labels }

func (s *stepSeries) Iterator(it chunkenc.Iterator) chunkenc.Iterator {
	if reused, ok := it.(*stepIterator); ok {
		*reused = stepIterator{series: s, at: -1}
		return reused
	}
	return &stepIterator{series: s, at: -1}
}

// millis are milliseconds, as promql counts time. (An alias, because a method Seek(int64) is taken for an io.Seeker's.)
type millis = int64

type stepIterator struct {
	series *stepSeries
	at     int
}

func (i *stepIterator) valid() chunkenc.ValueType {
	if i.at < len(i.series.steps) {
		return chunkenc.ValFloat
	}
	return chunkenc.ValNone
}

func (i *stepIterator) Next() chunkenc.ValueType {
	if i.at < len(i.series.steps) {
		i.at++
	}
	return i.valid()
}

func (i *stepIterator) Seek(t millis) chunkenc.ValueType {
	i.at = max(i.at, 0)
	if i.at < len(i.series.steps) && i.time(i.at) < t {
		rest := len(i.series.steps) - i.at
		if rest > 1 && i.time(i.at+1) >= t {
			i.at++
		} else {
			from := i.at
			i.at += sort.Search(rest, func(n int) bool { return i.time(from+n) >= t })
		}
	}
	return i.valid()
}

func (i *stepIterator) time(n int) int64 {
	return i.series.start + int64(i.series.steps[n])*i.series.step
}

func (i *stepIterator) At() (int64, float64) { return i.time(i.at), i.series.values[i.at] }
func (i *stepIterator) AtT() int64           { return i.time(i.at) }
func (i *stepIterator) AtST() int64          { return 0 }
func (i *stepIterator) Err() error           { return nil }

func (i *stepIterator) AtHistogram(*histogram.Histogram) (int64, *histogram.Histogram) { return 0, nil }

func (i *stepIterator) AtFloatHistogram(*histogram.FloatHistogram) (int64, *histogram.FloatHistogram) {
	return 0, nil
}
