package plugin

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/query"
)

// volumeUnknown is the level of lines that tell none.
const volumeUnknown = "unknown"

// volume answers the histogram query: lines per level and bucket of a log query. A bucket is stamped with its start; the first and the
// last one are cut by the range.
func (c *call) volume(ctx context.Context, p *plannedQuery, expr logql.Expr) backend.DataResponse {
	log, ok := expr.(*logql.LogExpr)
	if !ok {
		return errorResponse(&query.Error{Status: http.StatusBadRequest, Message: "the log volume is defined for log queries only"})
	}
	stages := slices.Clone(log.Stages)
	if len(stages) > 0 {
		// A line that a parser fails on is a line all the same. Without stages, lines are counted without being read.
		stages = append(stages, &logql.DropLabels{Selectors: []logql.LabelSelector{{Name: "__error__"}, {Name: "__error_details__"}}})
	}
	counted := &logql.VectorAggregation{
		Op:       "sum",
		Grouping: &logql.Grouping{Labels: slices.Clone(levelNames)},
		Expr: &logql.RangeAggregation{
			Op: "count_over_time",
			Range: &logql.LogRange{
				Range: p.step,
				Log: &logql.LogExpr{
					Matchers: log.Matchers,
					Stages:   stages,
				},
			},
		},
	}
	params := c.params(p, counted)
	// A point at t counts the lines of (t-step, t]: the bucket that starts at t-step.
	step := int64(p.step)
	params.Start = floor(params.Start, step) + step
	params.End = floor(params.End-1, step) + step
	result, err := c.db.Query(ctx, params)
	if err != nil {
		return errorResponse(err)
	}
	frames := volumeFrames(result.Matrix, p)
	if len(frames) == 0 {
		frames = data.Frames{emptyFrame(p)}
	}
	first := frames[0].Meta
	first.ExecutedQueryString = "Expr: " + params.Expr + "\nStep: " + formatDuration(p.step)
	first.Stats = queryStats(result.Stats)
	first.Notices = notices(result.Warnings)
	return backend.DataResponse{Status: backend.StatusOK, Frames: frames}
}

// floor rounds down to a multiple of step.
func floor(t, step int64) int64 {
	rest := t % step
	if rest < 0 {
		rest += step
	}
	return t - rest
}

// volumeFrames adds up the series by level and makes one frame of each level, sorted by name. Every frame has every bucket that any has.
func volumeFrames(series []query.Series, p *plannedQuery) data.Frames {
	counts := map[string]map[int64]float64{}
	var buckets []int64
	for _, s := range series {
		level := levelOf(s.Labels)
		if counts[level] == nil {
			counts[level] = map[int64]float64{}
		}
		for _, point := range s.Points {
			at := point.Timestamp - int64(p.step)
			counts[level][at] += point.Value
			buckets = append(buckets, at)
		}
	}
	slices.Sort(buckets)
	buckets = slices.Compact(buckets)
	levels := make([]string, 0, len(counts))
	for level := range counts {
		levels = append(levels, level)
	}
	slices.Sort(levels)
	var frames data.Frames
	for _, level := range levels {
		times := make([]time.Time, len(buckets))
		values := make([]float64, len(buckets))
		for i, at := range buckets {
			times[i], values[i] = time.Unix(0, at).UTC(), counts[level][at]
		}
		frame := metricFrame(data.FrameTypeTimeSeriesMulti, times, values, labels.FromStrings("level", level), p)
		frame.Name, frame.RefID = level, p.refID
		frame.Fields[1].Config.DisplayNameFromDS = level
		frames = append(frames, frame)
	}
	return frames
}

// levelOf is the level that a series counts lines of, in lower case.
func levelOf(ls labels.Labels) string {
	for _, name := range levelNames {
		if value := ls.Get(name); value != "" {
			return strings.ToLower(value)
		}
	}
	return volumeUnknown
}
