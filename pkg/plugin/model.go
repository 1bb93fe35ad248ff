package plugin

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/prometheus/common/model"

	"github.com/cambium-logs/cambium/pkg/query"
)

// Query types. An empty type is a range query.
const (
	queryRange   = "range"
	queryInstant = "instant"
	queryVolume  = "volume" // lines per level over time, made by the data source for the histogram above the lines
)

// maxLegend bounds what a legend template may grow to.
const maxLegend = 1 << 10

// queryModel is a query as the editor saves it.
type queryModel struct {
	Expr         string      `json:"expr"`
	QueryType    string      `json:"queryType"`
	MaxLines     flexibleInt `json:"maxLines"`
	Direction    string      `json:"direction"`
	Step         string      `json:"step"`
	LegendFormat string      `json:"legendFormat"`
	Instant      bool        `json:"instant"` // of queries saved for another Loki-like data source
	Range        bool        `json:"range"`
	Explain      bool        `json:"explain"`
	SampleLine   bool        `json:"sampleLine"` // instant metric queries only
}

// plannedQuery is a query with everything that Grafana's variables stand for filled in.
type plannedQuery struct {
	refID     string
	kind      string // queryRange, queryInstant or queryVolume
	expr      string
	legend    string
	maxLines  int
	direction query.Direction
	from, to  time.Time
	step      time.Duration
	explain   bool
	sample    bool // a line for each element of an instant query
}

// planQuery reads one query of a request.
func planQuery(q backend.DataQuery, maxLines int) (*plannedQuery, error) {
	var m queryModel
	if err := json.Unmarshal(q.JSON, &m); err != nil {
		return nil, fmt.Errorf("the query is not valid: %w", err)
	}
	p := &plannedQuery{
		refID: q.RefID, kind: m.QueryType, legend: m.LegendFormat, maxLines: int(m.MaxLines),
		from: q.TimeRange.From, to: q.TimeRange.To, explain: m.Explain, sample: m.SampleLine,
	}
	if p.kind == "" {
		p.kind = queryRange
		if m.Instant && !m.Range {
			p.kind = queryInstant
		}
	}
	switch p.kind {
	case queryRange, queryInstant, queryVolume:
	default:
		return nil, fmt.Errorf("query type %q is not range, instant or volume", p.kind)
	}
	if p.maxLines <= 0 {
		p.maxLines = maxLines
	}
	if !p.to.After(p.from) {
		return nil, fmt.Errorf("the time range is empty: it ends at %s and starts at %s", p.to.UTC().Format(time.RFC3339Nano), p.from.UTC().Format(time.RFC3339Nano))
	}
	var err error
	if p.direction, err = query.ParseDirection(m.Direction); err != nil {
		return nil, err
	}
	interval := max(q.Interval, time.Millisecond)
	if p.step, err = step(m.Step, interval, p.to.Sub(p.from)); err != nil {
		return nil, err
	}
	p.expr = strings.TrimSpace(interpolate(m.Expr, p.to.Sub(p.from), interval, p.step))
	if p.expr == "" {
		return nil, fmt.Errorf("the query is empty")
	}
	return p, nil
}

// step is the resolution of a metric query: what the query asks for, else Grafana's interval; coarser where the range would have too
// many points.
func step(text string, interval, span time.Duration) (time.Duration, error) {
	chosen := interval
	if text = strings.TrimSpace(interpolate(text, span, interval, interval)); text != "" {
		d, err := parseStep(text)
		if err != nil {
			return 0, err
		}
		chosen = d
	}
	if least := span / query.MaxPoints; chosen <= least {
		chosen = least.Truncate(time.Millisecond) + time.Millisecond
	}
	return chosen, nil
}

// parseStep reads a duration such as 30s or 1m30s, or a number of seconds.
func parseStep(text string) (time.Duration, error) {
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds > 0 && seconds < 1e9 {
		return time.Duration(seconds * float64(time.Second)), nil
	}
	d, err := model.ParseDuration(text)
	if err == nil && d > 0 {
		return time.Duration(d), nil
	}
	if g, err := time.ParseDuration(text); err == nil && g > 0 {
		return g, nil
	}
	return 0, fmt.Errorf("step %q is not a duration such as 30s or 5m", text)
}

var variable = regexp.MustCompile(`\$\{?__(interval_ms|interval|rate_interval_ms|rate_interval|auto|range_ms|range_s|range)\b(?::\w+)?\}?`)

// interpolate fills in the variables that depend on the time range only. The frontend does this for what a person looks at; alert rules
// and other callers of Grafana's send the query as it is saved.
func interpolate(text string, span, interval, step time.Duration) string {
	if !strings.Contains(text, "$") {
		return text
	}
	return variable.ReplaceAllStringFunc(text, func(match string) string {
		switch name := variable.FindStringSubmatch(match)[1]; name {
		case "interval_ms":
			return strconv.FormatInt(interval.Milliseconds(), 10)
		case "interval":
			return formatDuration(interval)
		case "rate_interval_ms":
			return strconv.FormatInt(rateInterval(step).Milliseconds(), 10)
		case "rate_interval":
			return formatDuration(rateInterval(step))
		case "auto":
			return formatDuration(max(step, time.Second))
		case "range_ms":
			return strconv.FormatInt(span.Milliseconds(), 10)
		case "range_s":
			return strconv.FormatInt(int64(math.Round(span.Seconds())), 10)
		default:
			return strconv.FormatInt(int64(math.Round(span.Seconds())), 10) + "s"
		}
	})
}

// rateInterval is a window for rate that no line falls between: lines have no scrape interval, so one step is enough, but less than a
// few seconds is noise.
func rateInterval(step time.Duration) time.Duration { return max(step, 5*time.Second) }

// formatDuration writes a duration in one unit, as LogQL reads it.
func formatDuration(d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return strconv.FormatInt(int64(d/time.Hour), 10) + "h"
	case d%time.Minute == 0:
		return strconv.FormatInt(int64(d/time.Minute), 10) + "m"
	case d%time.Second == 0:
		return strconv.FormatInt(int64(d/time.Second), 10) + "s"
	}
	return strconv.FormatInt(max(d.Milliseconds(), 1), 10) + "ms"
}
