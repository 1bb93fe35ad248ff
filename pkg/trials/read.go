package trials

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/query"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// Selector selects all streams that trials push: they have this label.
const Selector = `{app=~".+"}`

// Read gives the identities of all entries of a tenant between two times (inclusive), as a log query shows them.
func Read(ctx context.Context, q *query.Engine, tenant string, mint, maxt int64) ([]string, error) {
	r, err := q.Query(ctx, query.Params{Tenant: tenant, Expr: Selector, Start: mint, End: maxt + 1, Direction: query.Forward})
	if err != nil {
		return nil, err
	}
	out := make([]string, len(r.Entries))
	for i := range r.Entries {
		e := &r.Entries[i]
		if i > 0 && e.Timestamp < r.Entries[i-1].Timestamp {
			return nil, fmt.Errorf("entries are not in order: %d after %d", e.Timestamp, r.Entries[i-1].Timestamp)
		}
		entry := chunk.Entry{Timestamp: e.Timestamp, Line: []byte(e.Line)}
		e.Labels.Metadata.Range(func(l labels.Label) { entry.Metadata = append(entry.Metadata, l) })
		out[i] = Identity(e.Labels.Stream, &entry)
	}
	return out, nil
}

// Count gives the number of entries of a tenant between two times (inclusive), as a metric query counts them.
func Count(ctx context.Context, q *query.Engine, tenant string, mint, maxt int64) (int, error) {
	span := (maxt - mint + int64(time.Millisecond)) / int64(time.Millisecond) * int64(time.Millisecond)
	r, err := q.Query(ctx, query.Params{
		Tenant: tenant, Expr: fmt.Sprintf(`sum(count_over_time(%s[%dms]))`, Selector, span/int64(time.Millisecond)), Instant: true, Time: maxt,
	})
	if err != nil {
		return 0, err
	}
	if len(r.Vector) == 0 {
		return 0, nil
	}
	return int(math.Round(r.Vector[0].Value)), nil
}
