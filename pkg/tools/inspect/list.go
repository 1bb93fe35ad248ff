package inspect

import (
	"context"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/sync/errgroup"

	"github.com/cambium-logs/cambium/pkg/storage/segment"
	"github.com/cambium-logs/cambium/pkg/tools/cli"
	"github.com/cambium-logs/cambium/pkg/tools/store"
)

// readers is how many footers are read at a time.
const readers = 8

// listed is a segment in a list.
type listed struct {
	Segment string      `json:"segment"`
	State   store.State `json:"state"`
	Size    int64       `json:"size"`
	Error   string      `json:"error,omitempty"` // why the footer cannot be read; then what follows is from the name

	Level       int       `json:"level"`
	MinTime     time.Time `json:"minTime"`
	MaxTime     time.Time `json:"maxTime"`
	Streams     int       `json:"streams"`
	Chunks      int       `json:"chunks"`
	Rows        int64     `json:"rows"`
	RawBytes    int64     `json:"rawBytes"`
	StoredBytes int64     `json:"storedBytes"` // of the chunks

	id      ulid.ULID
	sources []ulid.ULID
}

// list shows the segments of a scope, day by day.
func list(ctx context.Context, s *store.Store, scope store.Scope, o options, out *cli.Output) error {
	days := 0
	err := store.Walk(ctx, s.Bucket, scope, store.Listing{Day: func(d store.Day) error {
		segments, err := readFooters(ctx, s, &d)
		if err != nil {
			return err
		}
		if len(segments) == 0 {
			return nil
		}
		days++
		if o.json {
			for _, g := range segments {
				if err := writeJSON(out, g); err != nil {
					return err
				}
			}
			return out.Flush()
		}
		if days > 1 {
			fmt.Fprintln(out)
		}
		if err := writeDay(out, &d, segments); err != nil {
			return err
		}
		return out.Flush()
	}})
	if err == nil && days == 0 && !o.json {
		fmt.Fprintf(out, "There are no segments in %s.\n", where(s, scope))
	}
	return err
}

func where(s *store.Store, scope store.Scope) string {
	switch {
	case scope.Tenant == "":
		return s.Shown
	case scope.Day == "":
		return s.Shown + " of tenant " + scope.Tenant
	}
	return s.Shown + " of tenant " + scope.Tenant + " on " + scope.Day
}

func readFooters(ctx context.Context, s *store.Store, d *store.Day) ([]listed, error) {
	out := make([]listed, len(d.Segments))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	for i, n := range d.Segments {
		group.Go(func() error {
			g := listed{Segment: n.Path(), id: n.ID, Level: n.Level, MinTime: utc(n.MinT), MaxTime: utc(n.MaxT)}
			footer, size, err := segment.ReadFooter(ctx, s.Bucket, n, 0)
			g.Size = size
			switch {
			case err == nil:
				g.Streams, g.Chunks, g.Rows = footer.Streams, footer.Chunks, footer.Rows
				g.RawBytes, g.StoredBytes, g.sources = footer.RawBytes, footer.StoredBytes, footer.Sources
			case ctx.Err() != nil:
				return ctx.Err()
			default:
				g.Error = err.Error()
			}
			out[i] = g
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	sources := map[ulid.ULID][]ulid.ULID{}
	for _, g := range out {
		sources[g.id] = g.sources
	}
	states := d.States(sources)
	for i := range out {
		out[i].State = states[out[i].id]
	}
	return out, nil
}

func utc(ns int64) time.Time { return time.Unix(0, ns).UTC() }

// clock shows a time within the day that stands above it.
func clock(t time.Time) string { return t.Format("15:04:05.000") }

func writeDay(out *cli.Output, d *store.Day, segments []listed) error {
	var size, rows, raw int64
	table := make([][]string, 0, len(segments))
	for _, g := range segments {
		size += g.Size
		if g.State == store.Visible {
			rows, raw = rows+g.Rows, raw+g.RawBytes
		}
		if g.Error != "" {
			table = append(table, []string{fmt.Sprint(g.Level), clock(g.MinTime), clock(g.MaxTime), "?", "?", "?", "?", cli.Bytes(g.Size), "?", "unreadable", g.Segment})
			continue
		}
		table = append(table, []string{fmt.Sprint(g.Level), clock(g.MinTime), clock(g.MaxTime), cli.Count(int64(g.Streams)), cli.Count(int64(g.Chunks)),
			cli.Count(g.Rows), cli.Bytes(g.RawBytes), cli.Bytes(g.Size), cli.Ratio(g.RawBytes, g.Size), string(g.State), g.Segment})
	}
	fmt.Fprintf(out, "%s %s: %s of %s; visible: %s, %s raw\n", d.Tenant, d.Day, cli.Plural(int64(len(segments)), "segment"), cli.Bytes(size), cli.Plural(rows, "row"), cli.Bytes(raw))
	return cli.Table(out, []string{">LEVEL", "FROM", "TO", ">STREAMS", ">CHUNKS", ">ROWS", ">RAW", ">SIZE", ">RATIO", "STATE", "SEGMENT"}, table)
}
