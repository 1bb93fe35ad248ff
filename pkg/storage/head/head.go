package head

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend/log"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// Options of a Head. The zero value of each field means its default.
type Options struct {
	// MaxBytes bounds the memory of entries and, separately, their raw bytes, which is what a start has to replay. Default 96 MiB.
	// What identifies streams is not in it: that is bounded by the tenants' stream limits.
	MaxBytes int64
	// ChunkBytes is the raw size at which a stream's chunk is cut and encoded. Default 2 MiB.
	ChunkBytes int64
	// ChunkRows is the number of entries at which a chunk is cut. Default 262,144.
	ChunkRows int
	Encoding  chunk.Encoding // default: columnar, or plain where that is smaller
	Encoders  int            // goroutines that encode; default half of GOMAXPROCS, at least 1
	// StreamIdle is how long a stream counts as active after its last push, at least until its entries are flushed. Default 1 h.
	StreamIdle time.Duration
	// Hash identifies label sets; equal hashes are told apart by comparing labels. Default HashLabels.
	Hash       func(labels.Labels) uint64
	Logger     log.Logger            // nil = none
	Registerer prometheus.Registerer // of this head alone; nil = none
}

func (o *Options) ensureDefaults() {
	if o.MaxBytes <= 0 {
		o.MaxBytes = 96 << 20
	}
	if o.ChunkBytes <= 0 {
		o.ChunkBytes = 2 << 20
	}
	if o.ChunkRows <= 0 {
		o.ChunkRows = 1 << 18
	}
	if o.Encoders <= 0 {
		o.Encoders = max(1, runtime.GOMAXPROCS(0)/2)
	}
	if o.StreamIdle <= 0 {
		o.StreamIdle = time.Hour
	}
	if o.Hash == nil {
		o.Hash = HashLabels
	}
	if o.Logger == nil {
		o.Logger = log.NewNullLogger()
	}
}

// encodingBest leaves the choice to chunk.EncodeBest.
const encodingBest = chunk.EncodingHead

// Errors of Reserve.
var (
	ErrFull     = errors.New("head is full")
	ErrTooLarge = errors.New("push is larger than the head")
)

// Head holds the entries of all tenants that are not in a segment yet. Its methods may be called concurrently, except for Seal.
type Head struct {
	opts    Options
	metrics *metrics
	encoder *encoder

	mu      sync.RWMutex // guards tenants
	tenants map[string]*tenant

	current atomic.Pointer[Generation]

	lastRef   atomic.Uint64
	lastOrder atomic.Uint64
	memory    atomic.Int64 // of all living generations, and reservations
	raw       atomic.Int64 // raw bytes of all living generations, and reservations
}

// New makes an empty head.
func New(opts Options) *Head {
	opts.ensureDefaults()
	h := &Head{opts: opts, tenants: map[string]*tenant{}}
	h.metrics = newMetrics(opts.Registerer, h)
	h.current.Store(newGeneration(h))
	h.encoder = newEncoder(h, opts.Encoders)
	return h
}

// Close stops the encoders. Snapshots stay readable.
func (h *Head) Close() { h.encoder.close() }

// nextOrder gives a number above all before it, and, as long as the clock does not go back, above those of earlier processes:
// nanoseconds since the epoch where they are ahead.
func (h *Head) nextOrder() uint64 {
	for {
		last := h.lastOrder.Load()
		next := max(last+1, uint64(time.Now().UnixNano()))
		if h.lastOrder.CompareAndSwap(last, next) {
			return next
		}
	}
}

// Order is the highest order given so far.
func (h *Head) Order() uint64 { return h.lastOrder.Load() }

// RaiseOrder makes all further orders higher than this one.
func (h *Head) RaiseOrder(order uint64) {
	for last := h.lastOrder.Load(); last < order && !h.lastOrder.CompareAndSwap(last, order); last = h.lastOrder.Load() {
	}
}

func (h *Head) tenant(id string) *tenant {
	h.mu.RLock()
	t := h.tenants[id]
	h.mu.RUnlock()
	if t != nil {
		return t
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if t = h.tenants[id]; t == nil {
		t = newTenant(h, id)
		h.tenants[id] = t
	}
	return t
}

// known returns a tenant, or nil.
func (h *Head) known(id string) *tenant {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.tenants[id]
}

// Tenants returns the ids of the tenants that were pushed to or are listened to, sorted.
func (h *Head) Tenants() []string {
	h.mu.RLock()
	defer h.mu.RUnlock()
	out := make([]string, 0, len(h.tenants))
	for id := range h.tenants {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

// Reservation is room for a push.
type Reservation struct {
	memory, raw int64
}

// Reserve takes room for entries of this many bytes, or gives ErrFull, or ErrTooLarge when they can never fit.
// The reservation is given to Apply or to Release.
func (h *Head) Reserve(entries int, rawBytes int64) (Reservation, error) {
	r := Reservation{memory: rawBytes + int64(entries)*entryBytes, raw: rawBytes}
	if r.memory > h.opts.MaxBytes {
		return Reservation{}, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, r.memory, h.opts.MaxBytes)
	}
	// Never refuse a push into an empty head: what it takes may exceed what it was thought to take.
	if h.memory.Load() > 0 && (h.memory.Load()+r.memory > h.opts.MaxBytes || h.raw.Load()+r.raw > h.opts.MaxBytes) {
		return Reservation{}, ErrFull
	}
	h.take(r)
	return r, nil
}

func (h *Head) take(r Reservation) {
	h.memory.Add(r.memory)
	h.raw.Add(r.raw)
}

// Release gives a reservation back.
func (h *Head) Release(r Reservation) {
	h.memory.Add(-r.memory)
	h.raw.Add(-r.raw)
}

// Resolve finds or makes the series of label sets, which must be valid and not empty.
func (h *Head) Resolve(tenantID string, sets []labels.Labels) []*Series {
	for {
		if out, ok := h.tenant(tenantID).resolve(time.Now().UnixNano(), sets, h.opts.Hash, make([]*Series, 0, len(sets))); ok {
			return out
		}
	}
}

// Apply makes a push visible, all of it at once. Lines and metadata are copied. It must not run while Seal does.
func (h *Head) Apply(tenantID string, r Reservation, batches []Batch) {
	g := h.current.Load()
	memory := h.tenant(tenantID).apply(g, time.Now().UnixNano(), batches)
	h.memory.Add(memory)
	h.Release(r)
}

// Memory and RawBytes are what counts against MaxBytes.
func (h *Head) Memory() int64   { return h.memory.Load() }
func (h *Head) RawBytes() int64 { return h.raw.Load() }

// Current describes the generation that is being filled: its memory and raw bytes and when its first entries came (zero: none did).
func (h *Head) Current() (memory, raw int64, since time.Time) {
	g := h.current.Load()
	return g.memory.Load(), g.raw.Load(), g.Since()
}

// CurrentEmpty reports whether nothing was applied to the generation that is being filled.
func (h *Head) CurrentEmpty() bool { return h.current.Load().Empty() }

// MaxBytes is the bound in force.
func (h *Head) MaxBytes() int64 { return h.opts.MaxBytes }

// Seal begins a new generation and returns the one before. The caller keeps Apply from running meanwhile.
func (h *Head) Seal() *Generation {
	old := h.current.Load()
	h.current.Store(newGeneration(h))
	h.forgetIdle()
	return old
}

func (h *Head) forgetIdle() {
	h.mu.RLock()
	tenants := make([]*tenant, 0, len(h.tenants))
	for _, t := range h.tenants {
		tenants = append(tenants, t)
	}
	h.mu.RUnlock()
	before := time.Now().Add(-h.opts.StreamIdle).UnixNano()
	for _, t := range tenants {
		t.mu.Lock()
		t.forget(before)
		t.mu.Unlock()
		h.forgetUnused(t)
	}
}

// forgetUnused forgets a tenant of which there was never anything, once nobody looks at it any more: who asks decides what its name is.
func (h *Head) forgetUnused(t *tenant) {
	t.mu.RLock()
	unused := t.unused()
	t.mu.RUnlock()
	if !unused {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.unused() {
		t.forgotten = true
		delete(h.tenants, t.id)
	}
}

// ActiveStreams counts the tenant's active streams.
func (h *Head) ActiveStreams(tenantID string) int {
	t := h.known(tenantID)
	if t == nil {
		return 0
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.byRef)
}

// HasStream reports whether a stream is active.
func (h *Head) HasStream(tenantID string, ls labels.Labels) bool {
	t := h.known(tenantID)
	if t == nil {
		return false
	}
	hash := h.opts.Hash(ls)
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.find(hash, ls) != nil
}

// Stats describes what is in memory of a tenant, and when it last received entries (zero: not since the start).
func (h *Head) Stats(tenantID string) (Stats, time.Time) {
	var out Stats
	t := h.known(tenantID)
	if t == nil {
		return out, time.Time{}
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, d := range t.data {
		out.add(d.stats)
	}
	if t.lastReceived == 0 {
		return out, time.Time{}
	}
	return out, time.Unix(0, t.lastReceived)
}
