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
	asked   []Erasure
}

// record is one entry, however often it was pushed.
type record struct {
	id       string
	ts       int64
	labels   labels.Labels
	acked    map[int]int64 // when, by whom; the first time each
	erased   map[int]int64 // likewise; from then on it must not come out
	back     map[int]int64 // when its erasing was taken back, likewise; from then on it must come out if it was acknowledged
	erasable bool          // its erasing was tried, or it came again afterwards: it may or may not come out
}

// Erasure is a deletion that was asked for.
type Erasure struct {
	ID         string // tells it from others; only needed to take it back
	Tenant     string
	Selects    func(stream labels.Labels) bool
	MinT, MaxT int64 // nanoseconds, inclusive
}

func (e *Erasure) hits(tenant string, r *record) bool {
	return tenant == e.Tenant && r.ts >= e.MinT && r.ts <= e.MaxT && e.Selects(r.labels)
}

// Knows says of what somebody did at a time whether the reader has to know of it; nil = of everything.
type Knows func(by int, at int64) bool

func (k Knows) any(of map[int]int64) bool {
	for by, at := range of {
		if k == nil || k(by, at) {
			return true
		}
	}
	return false
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
				r = &record{id: id, ts: s.Entries[k].Timestamp, labels: s.Labels, acked: map[int]int64{}, erased: map[int]int64{}}
				l.entries[tenant+" "+id] = r
				l.tenants[tenant] = append(l.tenants[tenant], r)
			}
			f(r)
		}
	}
}

// Tried notes that a push is about to be made: its entries may come out from now on. Those that a deletion selects may come out or not: it
// goes on selecting for a while.
func (l *Ledger) Tried(tenant string, streams []ingest.Stream) {
	l.each(tenant, streams, func(r *record) {
		for i := range l.asked {
			if l.asked[i].hits(tenant, r) {
				r.erasable = true
				clear(r.erased)
			}
		}
	})
}

// Acked notes that a push was acknowledged by somebody at a time: its entries have to come out.
func (l *Ledger) Acked(tenant string, streams []ingest.Stream, by int, at int64) {
	l.each(tenant, streams, func(r *record) {
		if _, ok := r.acked[by]; !ok {
			r.acked[by] = at
		}
	})
}

// Erasing notes that a deletion is about to be asked for: what it selects may come out or not.
func (l *Ledger) Erasing(e Erasure) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = append(l.asked, e)
	for _, r := range l.tenants[e.Tenant] {
		r.erasable = r.erasable || e.hits(e.Tenant, r)
	}
}

// Erased notes that a deletion was acknowledged by somebody at a time: nothing that was pushed before it and that it selects may come out again.
func (l *Ledger) Erased(e Erasure, by int, at int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.tenants[e.Tenant] {
		if _, ok := r.erased[by]; !ok && e.hits(e.Tenant, r) {
			r.erased[by] = at
		}
	}
}

// TakenBack notes that an acknowledged deletion was taken back by somebody at a time, or with certain false that this was tried: what it selects, and
// no other deletion, has to come out again, or may.
func (l *Ledger) TakenBack(e Erasure, by int, at int64, certain bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if certain {
		l.asked = slices.DeleteFunc(l.asked, func(x Erasure) bool { return x.ID == e.ID })
	}
	for _, r := range l.tenants[e.Tenant] {
		if !e.hits(e.Tenant, r) {
			continue
		}
		clear(r.erased)
		r.back = map[int]int64{by: at}
		r.erasable = slices.ContainsFunc(l.asked, func(x Erasure) bool { return x.hits(e.Tenant, r) })
	}
}

// Len is the number of entries that were tried.
func (l *Ledger) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.entries)
}

// Check holds what came out of a tenant between two times (inclusive) against the ledger: every acknowledged entry that has to be there, no
// entry twice, none that was erased or never tried. Acks and erasures, also those taken back, say what the reader has to know of.
func (l *Ledger) Check(tenant string, mint, maxt int64, got []string, acks, erasures Knows) error {
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
		case erasures.any(r.erased):
			return fmt.Errorf("tenant %s: this was deleted (by whom and when: %v): %s", tenant, r.erased, id)
		case r.ts < mint || r.ts > maxt:
			return fmt.Errorf("tenant %s: this is outside of %d to %d: %s", tenant, mint, maxt, id)
		}
	}
	var lost []string
	for _, r := range l.tenants[tenant] {
		if count[r.id] == 0 && !r.erasable && r.ts >= mint && r.ts <= maxt && acks.any(r.acked) && (r.back == nil || erasures.any(r.back)) {
			lost = append(lost, fmt.Sprintf("%s (acknowledged by whom and when: %v)", r.id, r.acked))
		}
	}
	if len(lost) > 0 {
		slices.Sort(lost)
		return fmt.Errorf("tenant %s: %d acknowledged entries are lost, first: %s", tenant, len(lost), lost[0])
	}
	return nil
}
