package httpapi

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/ingest"
	"github.com/cambium-logs/cambium/pkg/query"
	"github.com/cambium-logs/cambium/pkg/tenant"
)

// Querier answers queries. *query.Engine is one.
type Querier interface {
	Query(ctx context.Context, p query.Params) (*query.Result, error)
	Labels(ctx context.Context, s query.Selection) ([]string, error)
	LabelValues(ctx context.Context, s query.Selection, name string) ([]string, error)
	Series(ctx context.Context, s query.Selection, selectors [][]*labels.Matcher) ([]labels.Labels, error)
	IndexStats(ctx context.Context, s query.Selection) (query.IndexStats, error)
	Volume(ctx context.Context, p query.VolumeParams) (*query.Result, error)
	VolumeRange(ctx context.Context, p query.VolumeParams) (*query.Result, error)
	DetectedLabels(ctx context.Context, s query.Selection) ([]query.DetectedLabel, error)
	DetectedFields(ctx context.Context, p query.FieldsParams) ([]query.DetectedField, error)
	DetectedFieldValues(ctx context.Context, p query.FieldsParams, name string) ([]string, error)
	Patterns(ctx context.Context, p query.PatternParams) ([]query.Pattern, error)
}

// Flusher writes what is only in memory and in the write-ahead log to segments.
type Flusher interface {
	// Flush returns when everything that was acknowledged before the call is in segments.
	Flush(ctx context.Context) error
}

// Status describes what is stored of a tenant. Times are nanoseconds since the epoch, 0 where there is nothing.
type Status struct {
	Location     string // where the data lies, for people
	Bytes        int64  // as stored
	RawBytes     int64  // lines and structured metadata as pushed
	Entries      int64
	Streams      int64
	Oldest       int64 // smallest timestamp
	Newest       int64 // largest timestamp
	LastReceived int64 // when an entry was accepted last
}

// Reporter tells what is stored.
type Reporter interface {
	TenantStatus(ctx context.Context, tenant string) (Status, error)
}

// Readiness tells whether requests can be served; an error says why not.
type Readiness interface{ Ready() error }

// Options of the API. Query, Limits and Sink are needed for the routes that use them; what is nil makes its routes answer 404.
type Options struct {
	// Authorizer finds out who asks. Default: the Principal in the request's context.
	Authorizer Authorizer
	// Query answers queries and metadata requests.
	Query Querier
	// Sink takes what is pushed.
	Sink ingest.Sink
	// Limits gives a tenant's limits. Default: tenant.DefaultLimits for all.
	Limits func(tenant string) *tenant.Limits
	// Bounds of push bodies.
	Bounds ingest.Bounds
	// MaxForm is the largest body of a query, in bytes. Default 10 MiB.
	MaxForm int64

	Flusher   Flusher
	Reporter  Reporter
	Readiness Readiness
	Deletes   Deletes
	// DeleteMaxInterval bounds the max_interval of delete requests; 0 = 24 h.
	DeleteMaxInterval time.Duration
	Tailer            Tailer
	// TailMaxDuration is the longest life of a tail. Default 1 h.
	TailMaxDuration time.Duration
	// WriteTimeout is how long a client may keep a part of an answer waiting. Default: for ever.
	WriteTimeout time.Duration

	// Collector says what happens to what arrives at the routes of collectors, /api/v1/push and /loki/api/v1/raw.
	Collector ingest.Collector
	// Extensions lets queries use PromQL's functions, subqueries and @ unless they say extensions=false; without it they must say
	// extensions=true.
	Extensions bool
	// MultiTenant allows reads of several tenants at once.
	MultiTenant bool
	// Config writes the running configuration for /config; mode is "", "diff" or "defaults".
	Config func(mode string) ([]byte, error)
	// LogLevel and SetLogLevel are the level of the process's log.
	LogLevel    func() string
	SetLogLevel func(level string) error
	// Services lists the parts of the process and their state, for /services. Default: one line.
	Services func() map[string]string

	// Registerer takes the metrics of the API, Gatherer gives what /metrics shows. Default: none.
	Registerer prometheus.Registerer
	Gatherer   prometheus.Gatherer
	// Profiles serves /debug/pprof to admins.
	Profiles bool
	// Build describes the executable.
	Build Build
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Build describes an executable.
type Build struct {
	Version, Revision, Branch, User, Date string
}

// defaultMaxForm is the default of Options.MaxForm.
const defaultMaxForm = 10 << 20

// EnsureDefaults fills in what has a default.
func (o *Options) EnsureDefaults() {
	if o.Authorizer == nil {
		o.Authorizer = AuthorizerFunc(fromContext)
	}
	if o.Limits == nil {
		limits := tenant.DefaultLimits()
		o.Limits = func(string) *tenant.Limits { return &limits }
	}
	o.Bounds.EnsureDefaults()
	if o.MaxForm <= 0 {
		o.MaxForm = defaultMaxForm
	}
	if o.TailMaxDuration <= 0 {
		o.TailMaxDuration = time.Hour
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Build.Version == "" {
		o.Build.Version = "dev"
	}
}

// API is the handler of all routes.
type API struct {
	options  Options
	receiver *ingest.Receiver
	routes   *routes
	metrics  *metrics
	tails    *tailCounts
	memory   *ingest.Memory // of the pushes that are being read
	prepared *atomic.Bool   // a shutdown was announced
}

var _ http.Handler = (*API)(nil)

// New returns the handler.
func New(options Options) *API {
	options.EnsureDefaults()
	a := &API{options: options, metrics: newMetrics(options.Registerer), tails: new(tailCounts), prepared: new(atomic.Bool)}
	a.memory = ingest.NewMemory(max(ingest.DefaultMemory, 2*options.Bounds.MaxDecompressed))
	if options.Sink != nil {
		a.receiver = ingest.NewReceiver(options.Sink, ingest.Options{Limits: options.Limits, Registerer: options.Registerer, Now: options.Now})
	}
	a.routes = newRoutes(a.table())
	return a
}

// With returns the same API for callers that another Authorizer knows.
func (a *API) With(authorizer Authorizer) *API {
	other := *a
	other.options.Authorizer = authorizer
	return &other
}
