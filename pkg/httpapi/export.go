package httpapi

import (
	"net/http"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/query"
)

// exportPage is how many entries an export reads at once.
const exportPage = 5000

// export serves /cambium/v1/export: every entry of a log query over a range, oldest first, one JSON object a line:
//
//	{"timestamp":"<ns>","line":"…","stream":{…},"metadata":{…},"parsed":{…}}
//
// An error after the first line ends the answer with a line {"error":"…"}.
func (c *call) export() error {
	if err := c.form(); err != nil {
		return err
	}
	p := c.baseParams()
	p.Explain = false
	var err error
	if p.Start, p.End, err = c.parseOrderedRange(); err != nil {
		return err
	}
	p.Step, p.Direction, p.Limit = defaultStep(p.Start, p.End), query.Forward, exportPage
	p.Limits.MaxEntries = 0
	j := newJSONWriter(c.w)
	controller := http.NewResponseController(c.w)
	skip := 0 // entries at p.Start that are written already
	for started := false; ; {
		result, err := c.api.options.Query.Query(c.ctx(), p)
		if err == nil && result.Type != query.ResultStreams {
			err = query.ErrNotLogQuery
		}
		if err != nil {
			if !started {
				return err
			}
			j.raw(`{"error":`)
			j.str(err.Error())
			j.raw("}\n")
			j.flush()
			return nil
		}
		if !started {
			started = true
			c.w.json("application/x-ndjson")
		}
		entries := result.Entries
		for i := min(skip, len(entries)); i < len(entries); i++ {
			writeExported(j, &entries[i])
			j.room()
		}
		j.flush()
		if j.err != nil {
			return nil
		}
		_ = controller.Flush()
		if len(entries) < p.Limit {
			return nil
		}
		p.Start, skip, p.Limit = nextPage(entries, p.Limit)
	}
}

// nextPage says where to go on after a full page. Where a page has one timestamp only, the next one is larger.
func nextPage(entries []query.Entry, limit int) (start int64, skip, nextLimit int) {
	last := entries[len(entries)-1].Timestamp
	for skip < len(entries) && entries[len(entries)-1-skip].Timestamp == last {
		skip++
	}
	if skip == len(entries) {
		return last, skip, limit * 2
	}
	return last, skip, max(exportPage, skip*2)
}

func writeExported(j *jsonWriter, e *query.Entry) {
	j.raw(`{"timestamp":`)
	j.time(e.Timestamp)
	j.raw(`,"line":`)
	j.str(e.Line)
	part := func(name string, ls labels.Labels) {
		if !ls.IsEmpty() {
			j.raw(name)
			j.labels(ls)
		}
	}
	part(`,"stream":`, e.Labels.Stream)
	part(`,"metadata":`, e.Labels.Metadata)
	part(`,"parsed":`, e.Labels.Parsed)
	j.raw("}\n")
}
