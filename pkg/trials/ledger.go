package trials

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/ingest"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// Ledger is what has to come out of a database: every entry that was ever tried, and what became of the tries. It is safe for concurrent use.
type Ledger struct {
	mu      sync.Mutex
	entries map[string]*record // by identity
	tenants map[string][]*record
}

// record is one entry, however often it was pushed.
type record struct {
	id       string
	ts       int64
	stream   string
	acked    map[int]int64 // when, by whom; the first time each
	erased   bool          // it must not come out any more
	erasable bool          // its erasing was tried: it may or may not come out
}

// NewLedger makes an empty ledger.
func NewLedger() *Ledger {
	return &Ledger{entries: map[string]*record{}, tenants: map[string][]*record{}}
}

// Identity tells entries apart as a database does.
func Identity(stream labels.Labels, e *chunk.Entry) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d %q", stream, e.Timestamp, e.Line)
	for _, l := range e.Metadata {
		fmt.Fprintf(&b, " %s=%q", l.Name, l.Value)
	}
	return b.String()
}

func (l *Ledger) each(tenant string, streams []ingest.Stream, f func(*record)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range streams {
		s := &streams[i]
		for k := range s.Entries {
			id := Identity(s.Labels, &s.Entries[k])
			r := l.entries[tenant+" "+id]
			if r == nil {
				r = &record{id: id, ts: s.Entries[k].Timestamp, stream: s.Labels.String(), acked: map[int]int64{}}
				l.entries[tenant+" "+id] = r
				l.tenants[tenant] = append(l.tenants[tenant], r)
			}
			f(r)
		}
	}
}

// Tried notes that a push is about to be made: its entries may come out from now on. What is pushed again after it was erased may too.
func (l *Ledger) Tried(tenant string, streams []ingest.Stream) {
	l.each(tenant, streams, func(*record) {})
}

// Acked notes that a push was acknowledged by somebody at a time: its entries have to come out.
func (l *Ledger) Acked(tenant string, streams []ingest.Stream, by int, at int64) {
	l.each(tenant, streams, func(r *record) {
		if _, ok := r.acked[by]; !ok {
			r.acked[by] = at
		}
	})
}

// Erase notes that entries of a stream between two times (inclusive) are being deleted; done says that this was acknowledged.
func (l *Ledger) Erase(tenant, stream string, mint, maxt int64, done bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.tenants[tenant] {
		if r.stream == stream && r.ts >= mint && r.ts <= maxt {
			r.erasable = true
			r.erased = r.erased || done
		}
	}
}

// Len is the number of entries that were tried.
func (l *Ledger) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.entries)
}

// Check holds what came out of a tenant between two times (inclusive) against the ledger: every acknowledged entry that has to be there once,
// no entry twice, none that was erased or never tried. Has says of an acknowledgement whether the reader has to know of it; nil = of all.
func (l *Ledger) Check(tenant string, mint, maxt int64, got []string, has func(by int, at int64) bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	count := make(map[string]int, len(got))
	for _, id := range got {
		if count[id]++; count[id] > 1 {
			return fmt.Errorf("tenant %s: this came out twice: %s", tenant, id)
		}
		switch r := l.entries[tenant+" "+id]; {
		case r == nil:
			return fmt.Errorf("tenant %s: nobody pushed this: %s", tenant, id)
		case r.erased:
			return fmt.Errorf("tenant %s: this was deleted: %s", tenant, id)
		case r.ts < mint || r.ts > maxt:
			return fmt.Errorf("tenant %s: this is outside of %d to %d: %s", tenant, mint, maxt, id)
		}
	}
	var lost []string
	for _, r := range l.tenants[tenant] {
		if count[r.id] > 0 || r.erasable || r.ts < mint || r.ts > maxt {
			continue
		}
		for by, at := range r.acked {
			if has == nil || has(by, at) {
				lost = append(lost, fmt.Sprintf("%s (acknowledged by %d at %d)", r.id, by, at))
				break
			}
		}
	}
	if len(lost) > 0 {
		slices.Sort(lost)
		return fmt.Errorf("tenant %s: %d acknowledged entries are lost, first: %s", tenant, len(lost), lost[0])
	}
	return nil
}
