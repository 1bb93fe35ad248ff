package ingest

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/tenant"
)

// Sink stores accepted streams.
type Sink interface {
	// Append stores streams and returns nil when they are durable. It copies what it keeps: the streams and all they refer to are
	// reused after it returns.
	Append(ctx context.Context, tenant string, streams []Stream) error
	// ActiveStreams is the number of streams that count against the tenant's stream limit.
	ActiveStreams(tenant string) int
	// HasStream reports whether a stream is active, so that it passes the limit.
	HasStream(tenant string, stream labels.Labels) bool
}

// Options of a Receiver. Zero values give what the comments say.
type Options struct {
	// Limits gives the limits of a tenant; they must not change behind the pointer. Default: tenant.DefaultLimits for all.
	Limits func(tenant string) *tenant.Limits
	// Registerer takes the metrics. Default: none.
	Registerer prometheus.Registerer
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Receiver checks the content of requests against the limits of their tenant and hands what is accepted to a Sink.
// It is safe for concurrent use.
type Receiver struct {
	sink    Sink
	options Options
	metrics *Metrics

	mu      sync.Mutex // guards what follows
	tenants map[string]*tenantState
}

// tenantState is what the Receiver remembers of a tenant between requests.
type tenantState struct {
	cache *labelCache
	rates *rates
	otlp  atomic.Pointer[otlpRules] // for cache.limits
}

// otlpRules gives the rules for attributes; they are compiled at their first use.
func (s *tenantState) otlpRules() *otlpRules {
	if rules := s.otlp.Load(); rules != nil {
		return rules
	}
	rules := newOTLPRules(&s.cache.limits.OTLPConfig)
	s.otlp.Store(rules)
	return rules
}

// NewReceiver returns a Receiver in front of sink.
func NewReceiver(sink Sink, options Options) *Receiver {
	if options.Limits == nil {
		limits := tenant.DefaultLimits()
		options.Limits = func(string) *tenant.Limits { return &limits }
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	return &Receiver{sink: sink, options: options, metrics: NewMetrics(options.Registerer), tenants: map[string]*tenantState{}}
}

// maxTenants is how many tenants a Receiver remembers.
const maxTenants = 10_000

func (r *Receiver) state(user string) *tenantState {
	limits := r.options.Limits(user)
	r.mu.Lock()
	defer r.mu.Unlock()
	state := r.tenants[user]
	switch {
	case state == nil:
		if len(r.tenants) >= maxTenants {
			clear(r.tenants)
		}
		state = &tenantState{cache: newLabelCache(limits), rates: new(rates)}
		r.tenants[user] = state
	case state.cache.limits != limits:
		state = &tenantState{cache: newLabelCache(limits), rates: state.rates}
		r.tenants[user] = state
	}
	return state
}

// Receive stores what is valid in batch and returns nil, or an *Error that says what was refused; what was valid is stored then too,
// unless the whole request was refused (unparsable labels, rate limit, blocked ingestion). Errors of the Sink are returned as they are.
// The content of batch is changed.
func (r *Receiver) Receive(ctx context.Context, user string, batch *Batch) error {
	if len(batch.Streams) == 0 {
		return errNoStreams()
	}
	state := r.state(user)
	c := &check{
		receiver: r, user: user, batch: batch, state: state, limits: state.cache.limits, levels: state.cache.levels, now: r.options.Now(),
	}
	c.window()
	if err := c.labels(); err != nil {
		return err
	}
	if err := c.streams(); err != nil {
		return err
	}
	if err := c.admit(); err != nil {
		return err
	}
	if len(c.accepted) > 0 {
		if err := r.sink.Append(ctx, user, c.accepted); err != nil {
			return err
		}
	}
	return c.verdict()
}

// check is the examination of one request.
type check struct {
	receiver *Receiver
	user     string
	batch    *Batch
	state    *tenantState
	limits   *tenant.Limits
	levels   *levelDetector
	now      time.Time
	oldest   int64 // entries before are too old
	newest   int64 // entries after are too new

	sets     []*labelSet // of batch.Streams; nil for streams without entries
	accepted []Stream
	hashes   []uint64 // of accepted
	sizes    []int    // bytes of accepted
	lines    int
	bytes    int
	invalid  groupedErrors
	refused  *Error // a refusal for rate or number of streams, the first
}

// labels resolves the labels of all streams. A text that cannot be parsed refuses the request.
func (c *check) labels() error {
	c.sets = make([]*labelSet, len(c.batch.Streams))
	for i := range c.batch.Streams {
		stream := &c.batch.Streams[i]
		if len(stream.Entries) == 0 {
			continue
		}
		set, err := c.state.cache.get(stream.Labels)
		if err != nil {
			c.receiver.metrics.discard(reasonInvalidLabels, c.user, c.batch.Format, c.batch.Entries(), 0)
			return badRequest("couldn't parse labels: %s", bounded(err.Error()))
		}
		c.sets[i] = set
	}
	return nil
}

// streams validates the entries and collects what is valid.
func (c *check) streams() error {
	c.accepted = make([]Stream, 0, len(c.batch.Streams))
	for i := range c.batch.Streams {
		set, entries := c.sets[i], c.batch.Streams[i].Entries
		if set == nil {
			continue
		}
		refused := set.refused
		if refused == nil && len(c.limits.EnforcedLabels) > 0 {
			refused = checkEnforced(set, c.user, c.limits)
		}
		if refused != nil {
			c.invalid.add(refused.message, 1)
			c.receiver.metrics.discard(refused.reason, c.user, c.batch.Format, len(entries), entriesSize(entries))
			continue
		}
		valid, size, err := c.entries(set, entries)
		if err != nil {
			return err
		}
		if len(valid) > 0 {
			c.accepted = append(c.accepted, Stream{Labels: set.labels, Entries: valid})
			c.hashes = append(c.hashes, set.hash)
			c.sizes = append(c.sizes, size)
			c.lines += len(valid)
			c.bytes += size
		}
	}
	return nil
}

func entriesSize(entries []chunk.Entry) int {
	n := 0
	for i := range entries {
		line, metadata := entrySize(&entries[i])
		n += line + metadata
	}
	return n
}

// entrySize is what an entry counts against rates, and which part of it is metadata. Call it before a detected level is added.
func entrySize(e *chunk.Entry) (line, metadata int) {
	for _, l := range e.Metadata {
		metadata += len(l.Name) + len(l.Value)
	}
	return len(e.Line), metadata
}

// verdict is what the sender is told after the valid part was stored.
func (c *check) verdict() error {
	if c.refused != nil {
		return c.refused
	}
	if c.invalid.total > 0 {
		return &Error{Status: http.StatusBadRequest, Message: c.invalid.String()}
	}
	return nil
}

// admit applies the limits that count over time. It refuses the request, or removes streams from what is accepted.
func (c *check) admit() error {
	if err := c.blocked(); err != nil {
		return err
	}
	if c.lines == 0 {
		return nil
	}
	m := c.receiver.metrics
	m.receivedBytes.WithLabelValues(c.user, c.batch.Format).Add(float64(c.bytes))
	m.receivedLines.WithLabelValues(c.user, c.batch.Format).Add(float64(c.lines))
	rate, burst := c.limits.IngestionRateMB*(1<<20), c.limits.IngestionBurstSizeMB*(1<<20)
	if rate > 0 {
		if ok, wait := c.state.rates.takeTotal(c.now, float64(c.bytes), rate, burst); !ok {
			m.discard(reasonRateLimited, c.user, c.batch.Format, c.lines, c.bytes)
			return &Error{
				Status: http.StatusTooManyRequests, RetryAfter: wait,
				Message: fmt.Sprintf("ingestion rate limit exceeded for user %s (limit: %d bytes/sec) while attempting to ingest '%d' lines totaling '%d' bytes, "+
					"reduce log volume or contact your Loki administrator to see if the limit can be increased", c.user, int64(rate), c.lines, c.bytes),
			}
		}
	}
	c.limitStreams()
	return nil
}

// blocked refuses everything while ingestion is blocked. An entry that is invalid is told first.
func (c *check) blocked() error {
	until := time.Time(c.limits.BlockIngestionUntil)
	if until.IsZero() || !c.now.Before(until) {
		return nil
	}
	c.receiver.metrics.discard(reasonBlocked, c.user, c.batch.Format, c.lines, c.bytes)
	c.accepted, c.lines = nil, 0
	if c.invalid.total > 0 || c.limits.BlockIngestionStatusCode == http.StatusOK {
		return nil
	}
	return &Error{
		Status: c.limits.BlockIngestionStatusCode,
		Message: fmt.Sprintf("ingestion blocked for user '%s' until '%s' with status code '%d'", c.user, until.UTC().Format(time.RFC3339),
			c.limits.BlockIngestionStatusCode),
	}
}
