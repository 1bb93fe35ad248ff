package plugin

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/query"
)

// seriesFrames makes one frame per series of a range query.
func seriesFrames(series []query.Series, p *plannedQuery) data.Frames {
	frames := make(data.Frames, 0, len(series))
	for _, s := range series {
		times := make([]time.Time, len(s.Points))
		values := make([]float64, len(s.Points))
		for i, point := range s.Points {
			times[i], values[i] = time.Unix(0, point.Timestamp).UTC(), point.Value
		}
		frames = append(frames, metricFrame(data.FrameTypeTimeSeriesMulti, times, values, s.Labels, p))
	}
	return frames
}

// numberFrames makes one frame with one row per element of an instant query.
func numberFrames(samples []query.Sample, p *plannedQuery) data.Frames {
	frames := make(data.Frames, 0, len(samples))
	for _, s := range samples {
		frames = append(frames, metricFrame(data.FrameTypeNumericMulti,
			[]time.Time{time.Unix(0, s.Timestamp).UTC()}, []float64{s.Value}, s.Labels, p))
	}
	return frames
}

func metricFrame(kind data.FrameType, times []time.Time, values []float64, ls labels.Labels, p *plannedQuery) *data.Frame {
	set := data.Labels(ls.Map())
	name := legend(p.legend, set)
	value := data.NewField(data.TimeSeriesValueFieldName, set, values)
	value.Config = &data.FieldConfig{DisplayNameFromDS: name}
	at := data.NewField(data.TimeSeriesTimeFieldName, nil, times)
	if kind == data.FrameTypeTimeSeriesMulti {
		at.Config = &data.FieldConfig{Interval: float64(p.step.Milliseconds())}
	}
	frame := data.NewFrame(name, at, value)
	frame.Meta = &data.FrameMeta{Type: kind, TypeVersion: data.FrameTypeVersion{0, 1}}
	if kind == data.FrameTypeNumericMulti {
		frame.Meta.PreferredVisualization = data.VisTypeTable
	}
	return frame
}

var legendLabel = regexp.MustCompile(`\{\{\s*(.+?)\s*\}\}`)

// legend names a series: the template with {{label}} filled in, else its label set as Loki writes it.
func legend(template string, set data.Labels) string {
	if template != "" && template != "__auto" {
		text := legendLabel.ReplaceAllStringFunc(template, func(match string) string {
			return set[legendLabel.FindStringSubmatch(match)[1]]
		})
		if len(text) > maxLegend {
			text = strings.ToValidUTF8(text[:maxLegend], "")
		}
		return text
	}
	names := sortedNames(set)
	parts := make([]string, len(names))
	for i, name := range names {
		parts[i] = fmt.Sprintf("%s=%q", name, set[name])
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
