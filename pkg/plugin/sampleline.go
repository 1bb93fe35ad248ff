package plugin

import (
	"context"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"golang.org/x/sync/errgroup"

	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/query"
)

const (
	// sampleLabel is the label that carries a line, for the message of an alert.
	sampleLabel = "sample_line"
	// maxSampled is how many elements of an instant query get a line: each costs a log query.
	maxSampled = 20
	// maxSampleLine is the most bytes of a line that become a label value.
	maxSampleLine = 256
)

// addSampleLines gives elements of an instant query a label with the newest line that they were computed from: of the first range
// aggregation of the query. An element that no line is found for stays as it is, and so do those beyond the first maxSampled.
func (c *call) addSampleLines(ctx context.Context, p *plannedQuery, expr logql.Expr, vector []query.Sample) error {
	ranges := logql.LogRanges(expr)
	if len(ranges) == 0 {
		return nil
	}
	r := ranges[0]
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallelQueries)
	for i := range vector[:min(len(vector), maxSampled)] {
		g.Go(func() error {
			params := c.params(p, expr)
			params.Expr = r.Log.String() + labelStages(vector[i].Labels)
			// A window is (end-range, end], a log query [start, end).
			params.End = params.Time - int64(r.Offset) + 1
			params.Start = params.End - int64(r.Range)
			params.Direction, params.Limit = query.Backward, 1
			params.Instant, params.Explain = false, false
			result, err := c.db.Query(ctx, params)
			if err != nil || len(result.Entries) == 0 {
				return err
			}
			vector[i].Labels = labels.NewBuilder(vector[i].Labels).Set(sampleLabel, shortened(result.Entries[0].Line)).Labels()
			return nil
		})
	}
	return g.Wait()
}

// labelStages filters a log query down to the entries with these labels.
func labelStages(ls labels.Labels) string {
	var b strings.Builder
	ls.Range(func(l labels.Label) {
		b.WriteString(" | " + l.Name + "=" + strconv.Quote(l.Value))
	})
	return b.String()
}

// shortened is a line as a label value: valid UTF-8 of bounded length.
func shortened(line string) string {
	if len(line) > maxSampleLine {
		line = line[:maxSampleLine] + "…"
	}
	return strings.ToValidUTF8(line, "")
}
