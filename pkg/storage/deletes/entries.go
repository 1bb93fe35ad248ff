package deletes

import (
	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// KeepEntries gives the entries of a stream that no request selects. Entries is not changed, and given itself when all are kept.
func KeepEntries(stream labels.Labels, entries []chunk.Entry, requests []*Active) []chunk.Entry {
	for _, a := range requests {
		if a.Matches(stream) {
			entries = a.keepEntries(stream, entries)
		}
	}
	return entries
}

func (a *Active) keepEntries(stream labels.Labels, entries []chunk.Entry) []chunk.Entry {
	var decide Rows
	var kept []chunk.Entry
	dropped := false
	for i := range entries {
		e := &entries[i]
		selected := e.Timestamp >= a.Start && e.Timestamp <= a.End
		if selected && !a.query.Everything() {
			if decide == nil {
				decide = a.query.Rows(stream)
			}
			selected = decide.Selects(e.Timestamp, e.Line, e.Metadata)
		}
		switch {
		case selected && !dropped:
			dropped = true
			kept = append(kept, entries[:i]...)
		case !selected && dropped:
			kept = append(kept, *e)
		}
	}
	if !dropped {
		return entries
	}
	return kept
}
