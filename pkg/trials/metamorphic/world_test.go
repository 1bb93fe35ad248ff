package metamorphic

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/thanos-io/objstore"

	"github.com/cambium-logs/cambium/pkg/engine"
	"github.com/cambium-logs/cambium/pkg/ingest"
	"github.com/cambium-logs/cambium/pkg/query"
	"github.com/cambium-logs/cambium/pkg/storage/bucket"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/faultbucket"
	"github.com/cambium-logs/cambium/pkg/storage/head"
	"github.com/cambium-logs/cambium/pkg/trials"
)

// grace is the compactors' grace period: longer than any staleness of a catalog, however far clocks are apart.
const (
	grace    = 10 * time.Minute
	maxMerge = 10 * time.Minute
	// maxSkew is how far apart the clocks of two processes may be.
	maxSkew = 5 * time.Minute
)

var tenants = []string{"org-1", "org-2"}

// world is one sequence: a store, the processes on it, and what has to be in it.
type world struct {
	seed   uint64
	r      *rand.Rand
	store  *faultbucket.Store
	ledger *trials.Ledger
	procs  []*process
	dir    string
	say    func(format string, args ...any)

	inBucket bool           // of the first processes
	moves    bool           // of a log, when a process starts in the place of another
	options  engine.Options // of every process, but for directory and bucket
	skew     time.Duration  // how far a process' clock may be wrong
	retries  bool           // requests are repeated, as with real stores
	cache    int64          // bytes of the cache on the disk; 0 = none
	next     int            // number of the last process
	slots    map[int]int    // by number of the process
	shared   map[int]bool   // likewise
	last     map[string][]ingest.Stream
	damaged  map[string][]byte // what damaged objects were before
	damage   float64           // how often an object is damaged
	totals   *totals
	asked    int          // deletions
	requests []request    // that were acknowledged and not taken back
	acked    atomic.Int64 // pushes
}

// request is a deletion that was asked for.
type request struct {
	trials.Erasure
	id string
}

// process is one engine with its connection, from its start to its end.
type process struct {
	id     int
	slot   int
	shared bool // its log is in the bucket
	conn   *faultbucket.Bucket
	engine *engine.Engine
	query  *query.Engine
	faults faultbucket.Faults
	calm   time.Time // when the last fault that leaves traces ended
}

func newWorld(seed uint64, dir string, say func(string, ...any)) *world {
	r := rand.New(rand.NewPCG(seed, 5))
	w := &world{
		seed: seed, r: r, store: faultbucket.NewStore(objstore.NewInMemBucket()), ledger: trials.NewLedger(), dir: dir, say: say,
		inBucket: r.IntN(2) == 0, retries: r.IntN(2) == 0, last: map[string][]ingest.Stream{}, slots: map[int]int{}, shared: map[int]bool{}, damaged: map[string][]byte{},
	}
	if r.IntN(2) == 0 {
		w.cache = 10_000 + r.Int64N(1_000_000)
	}
	if r.IntN(5) == 0 {
		w.damage = 0.5
	}
	if r.IntN(2) == 0 {
		w.skew = maxSkew / 2
	}
	w.moves = r.IntN(3) == 0
	w.options = engine.Options{
		Head:           head.Options{ChunkBytes: 1 + r.Int64N(3000), MaxBytes: 200_000, Encoders: 1, Encoding: []chunk.Encoding{0, chunk.EncodingPlain}[r.IntN(2)]},
		FlushBytes:     500 + r.Int64N(20_000),
		FlushAge:       time.Duration(1+r.IntN(300)) * time.Second,
		CommitInterval: time.Duration(100+r.IntN(900)) * time.Millisecond,
	}
	w.options.Compaction = engine.Compaction{Interval: time.Second, Grace: grace, MaxMerge: maxMerge, Settle: time.Duration(1+r.IntN(4)) * time.Minute}
	if r.IntN(2) == 0 {
		w.options.Compaction.CancelPeriod = time.Duration(r.IntN(5)) * time.Minute
	}
	w.say("log in bucket: %t, moves: %t, retries: %t, cache: %d, damage: %v, skew: %s", w.inBucket, w.moves, w.retries, w.cache, w.damage, w.skew)
	return w
}

// start starts a process in a slot, with the directory of those before it there.
func (w *world) start(slot int) (*process, error) {
	w.next++
	w.slots[w.next] = slot
	p := &process{id: w.next, slot: slot, shared: w.inBucket, conn: w.store.Connect(w.seed*1000 + uint64(w.next))}
	opts := w.options
	if w.moves {
		p.shared = w.r.IntN(2) == 0
	}
	if w.shared[p.id] = p.shared; p.shared {
		opts.WALLocation = engine.WALInBucket
	}
	opts.Bucket = p.conn
	opts.DataDir = filepath.Join(w.dir, fmt.Sprint("process-", slot))
	if w.skew > 0 {
		wrong := time.Duration(w.r.Int64N(int64(2*w.skew))) - w.skew
		opts.SetClock(func() time.Time { return time.Now().Add(wrong) })
		w.say("  process %d: its clock is wrong by %s", p.id, wrong)
	}
	var err error
	if w.retries {
		b := bucket.Wrap(p.conn, bucket.Limits{Attempts: 3, Request: 20 * time.Second}, nil)
		opts.Bucket = b
		if w.cache > 0 {
			if opts.Bucket, err = b.Cached(bucket.CacheOptions{Dir: filepath.Join(opts.DataDir, "cache"), MaxBytes: w.cache}, nil); err != nil {
				return nil, err
			}
		}
	}
	p.engine, err = engine.Open(context.Background(), opts)
	if w.moves && errors.Is(err, engine.ErrUnavailable) {
		w.say("  %v", err)
		w.store.SetSpace(0) // for what is left in the log on the disk
		p.engine, err = engine.Open(context.Background(), opts)
	}
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	p.query = query.New(query.Options{Source: p.engine, Workers: 2})
	return p, nil
}

// kill ends a process without anything that it would do at its end reaching the store. Its log, if it has one, stays as it is.
func (w *world) kill(p *process) {
	var pushes sync.WaitGroup
	for range w.r.IntN(3) {
		tenant, streams := w.push()
		pushes.Go(func() { _ = w.append(p, tenant, streams, time.Minute) })
	}
	if w.r.IntN(2) == 0 {
		time.Sleep(time.Duration(w.r.IntN(500)) * time.Millisecond)
	}
	p.conn.Cut()
	w.close(p)
	pushes.Wait()
}

func (w *world) close(p *process) error {
	w.totals.Faults += len(p.conn.Injected())
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	return p.engine.Close(ctx)
}

// push makes up a push. Now and then it is one that was made before.
func (w *world) push() (tenant string, streams []ingest.Stream) {
	tenant = tenants[w.r.IntN(len(tenants))]
	if w.r.IntN(8) == 0 && w.last[tenant] != nil {
		return tenant, w.last[tenant]
	}
	now := time.Now().UnixNano()
	for range 1 + w.r.IntN(3) {
		s := ingest.Stream{Labels: labels.FromStrings("app", fmt.Sprint(w.r.IntN(4)), "env", []string{"a", "b"}[w.r.IntN(2)])}
		at := now - w.r.Int64N(int64(time.Minute))
		if w.r.IntN(6) == 0 {
			at -= w.r.Int64N(int64(50 * time.Hour))
		}
		for range 1 + w.r.IntN(8) {
			e := chunk.Entry{Timestamp: at, Line: fmt.Appendf(nil, "level=info id=%d %s", w.r.IntN(1e6), strings.Repeat("x", w.r.IntN(60)))}
			if w.r.IntN(3) == 0 {
				e.Metadata = []labels.Label{{Name: "trace", Value: fmt.Sprint(w.r.IntN(9))}}
			}
			s.Entries = append(s.Entries, e)
			if w.r.IntN(3) > 0 {
				at += w.r.Int64N(int64(time.Second))
			}
		}
		streams = append(streams, s)
	}
	w.last[tenant] = streams
	return tenant, streams
}

func (w *world) append(p *process, tenant string, streams []ingest.Stream, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	w.ledger.Tried(tenant, streams)
	err := p.engine.Append(ctx, tenant, streams)
	if err == nil {
		w.ledger.Acked(tenant, streams, p.id, time.Now().UnixNano())
		w.acked.Add(1)
	}
	return err
}

// read reads a tenant between two times and holds what comes out against the ledger. An error of the query counts only when nothing excuses it.
func (w *world) read(p *process, tenant string, mint, maxt int64) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	asked := time.Now().UnixNano()
	got, err := trials.Read(ctx, p.query, tenant, mint, maxt)
	if err != nil {
		w.say("  %v", err)
		return w.excuse(p, err)
	}
	return w.ledger.Check(tenant, mint, maxt, got,
		func(by int, at int64) bool { return w.knows(p, by, at, asked) },
		func(by int, at int64) bool { return by == p.id || p.lists() && at < asked-int64(time.Second) })
}

// lists reports that lists have shown the process what is there for a while.
func (p *process) lists() bool { return p.faults.Stale == 0 && time.Since(p.calm) >= 3*time.Minute }

// knows reports whether a process that is asked at one time has to show what another acknowledged at a time.
func (w *world) knows(p *process, by int, at, asked int64) bool {
	switch {
	case by == p.id:
		return at <= asked
	case !p.lists():
		return false // it is shown when a list shows it
	case w.shared[by]:
		return at < asked-int64(2*time.Second)
	default: // what others have in their logs is theirs until they flush it; the log of those before this one is its own
		return w.slots[by] == p.slot
	}
}

// excuse gives nil for an error that faults explain.
func (w *world) excuse(p *process, err error) error {
	if p.troubled() {
		return nil
	}
	for name := range w.damaged {
		if strings.Contains(err.Error(), name) {
			return nil
		}
	}
	return err
}

// troubled reports that requests may fail now.
func (p *process) troubled() bool {
	f := p.faults
	return f.Fail+f.Truncate+f.Flip+f.Stall+f.Lost > 0
}

func (p *process) set(f faultbucket.Faults) {
	p.faults, p.calm = f, time.Now()
	p.conn.Set(f)
}

// outage makes the whole store unreachable for a process.
func (p *process) outage(d time.Duration) {
	p.conn.Down(errors.New("bucket is unreachable"))
	time.Sleep(d)
	p.conn.Down(nil)
	p.calm = time.Now()
}
