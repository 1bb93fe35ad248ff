package query

import (
	"context"

	"github.com/cambium-logs/cambium/pkg/tools/client"
)

// pages runs a query. The entries of a log query are asked for in batches until limit of them are shown (0 = all) or there are no more.
func pages(ctx context.Context, q querier, r client.Request, limit, batch int, p *printer) error {
	shown := 0
	boundary := map[string]bool{} // entries shown at the time at which the next batch begins
	var at int64
	for first := true; ; first = false {
		r.Limit = batch
		if limit > 0 {
			r.Limit = min(batch, limit-shown+len(boundary))
		}
		result, err := q.Query(ctx, r)
		if err != nil {
			return err
		}
		p.warn(result.Warnings)
		if result.Kind != client.KindStreams {
			return p.series(result)
		}
		full := len(result.Entries) >= r.Limit
		fresh := result.Entries[:0]
		for _, e := range result.Entries {
			if e.Timestamp != at || !boundary[key(e)] {
				fresh = append(fresh, e)
			}
		}
		if limit > 0 {
			fresh = fresh[:min(len(fresh), limit-shown)]
		}
		shown += len(fresh)
		if err := p.entries(fresh, first && (!full || shown == limit)); err != nil {
			return err
		}
		if !full || shown == limit {
			return nil
		}
		if len(fresh) == 0 {
			batch *= 2 // everything in the batch has one time and was shown
			continue
		}
		last := fresh[len(fresh)-1].Timestamp
		if last != at {
			clear(boundary)
			at = last
		}
		for _, e := range fresh {
			if e.Timestamp == at {
				boundary[key(e)] = true
			}
		}
		if r.Forward {
			r.Start = at
		} else {
			r.End = at + 1
		}
	}
}

// key tells entries of one time apart.
func key(e client.Entry) string { return e.Labels.String() + "\x00" + e.Line }
