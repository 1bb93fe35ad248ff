package plugin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/cambium-logs/cambium/pkg/engine"
	"github.com/cambium-logs/cambium/pkg/httpapi"
	"github.com/cambium-logs/cambium/pkg/ingest"
	"github.com/cambium-logs/cambium/pkg/query"
	"github.com/cambium-logs/cambium/pkg/storage/bucket"
	"github.com/cambium-logs/cambium/pkg/tenant"
)

// store is a Database over one engine.
type store struct {
	*query.Engine
	engine   *engine.Engine
	location string
	handler  http.Handler

	hide      func()       // takes the metrics away
	closeRest func() error // of what the engine uses; nil: nothing

	mu       sync.RWMutex // guards what follows
	limits   *tenant.Overrides
	retained map[string]*tenant.Limits // limits of tenants whose data source sets a retention
}

var _ Database = (*store)(nil)

// storeOptions say how a store is opened.
type storeOptions struct {
	Engine   engine.Options // without Logger and Registerer
	Location string         // for people
	Name     string         // label of the store's metrics
	Registry *prometheus.Registry
	Limits   *tenant.Overrides
	Close    func() error // of what the engine uses; nil: nothing
}

// openStore opens an engine and puts the query engine and the HTTP API on it.
func openStore(ctx context.Context, o storeOptions) (*store, error) {
	if o.Limits == nil {
		o.Limits = tenant.NewOverrides(tenant.DefaultLimits())
	}
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	o.Engine.Logger, o.Engine.Registerer = log.DefaultLogger, o.Registry
	e, err := engine.Open(ctx, o.Engine)
	if err != nil {
		return nil, err
	}
	s := &store{
		Engine: query.New(query.Options{Source: e}), engine: e, location: o.Location, limits: o.Limits, retained: map[string]*tenant.Limits{},
		closeRest: o.Close,
	}
	s.handler = httpapi.New(httpapi.Options{
		Query: s.Engine, Sink: sink{e}, Limits: s.Limits, Flusher: e, Reporter: s, Readiness: s, Registerer: o.Registry,
		Build: httpapi.Build{Version: Version},
	})
	shown := prometheus.WrapRegistererWith(prometheus.Labels{"store": o.Name}, prometheus.DefaultRegisterer)
	if err := shown.Register(o.Registry); err != nil {
		return nil, errors.Join(fmt.Errorf("metrics: %w", err), e.Close(ctx))
	}
	s.hide = func() { shown.Unregister(o.Registry) }
	return s, nil
}

// Handler implements Database.
func (s *store) Handler() http.Handler { return s.handler }

// Limits implements Database.
func (s *store) Limits(id string) *tenant.Limits {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if l := s.retained[id]; l != nil {
		return l
	}
	return s.limits.Of(id)
}

// SetRetention implements Database.
func (s *store) SetRetention(id string, keep time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if keep == 0 {
		delete(s.retained, id)
		return
	}
	l := *s.limits.Of(id)
	l.RetentionPeriod = tenant.Duration(keep)
	s.retained[id] = &l
}

// TenantStatus implements Database.
func (s *store) TenantStatus(ctx context.Context, id string) (httpapi.Status, error) {
	stats, err := s.engine.Stats(ctx, id)
	if err != nil {
		return httpapi.Status{}, err
	}
	return httpapi.Status{
		Location: s.location, Bytes: stats.StoredBytes, RawBytes: stats.RawBytes, Entries: stats.Entries, Streams: int64(stats.Streams),
		Oldest: nanos(stats.Oldest), Newest: nanos(stats.Newest), LastReceived: nanos(stats.LastReceived),
	}, nil
}

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// Ready implements Database.
func (s *store) Ready() error {
	if err := s.engine.FlushError(); err != nil {
		return fmt.Errorf("segments cannot be written: %w", err)
	}
	return nil
}

// Close implements Database.
func (s *store) Close(ctx context.Context) error {
	s.hide()
	err := s.engine.Close(ctx)
	if s.closeRest != nil {
		err = errors.Join(err, s.closeRest())
	}
	return err
}

// sink tells what the engine refuses in terms of HTTP.
type sink struct{ *engine.Engine }

// Append implements ingest.Sink.
func (s sink) Append(ctx context.Context, tenant string, streams []ingest.Stream) error {
	err := s.Engine.Append(ctx, tenant, streams)
	if err == nil {
		return nil
	}
	refused := &ingest.Error{Message: err.Error()}
	var busy *engine.BusyError
	if errors.As(err, &busy) {
		refused.RetryAfter = busy.RetryAfter
	}
	switch {
	case errors.Is(err, engine.ErrTooLarge):
		refused.Status = http.StatusRequestEntityTooLarge
	case errors.Is(err, engine.ErrInvalid):
		refused.Status = http.StatusBadRequest
	case errors.Is(err, engine.ErrUnavailable):
		refused.Status, refused.RetryAfter = http.StatusServiceUnavailable, max(refused.RetryAfter, time.Second)
	case errors.Is(err, engine.ErrBusy):
		refused.Status, refused.RetryAfter = http.StatusTooManyRequests, max(refused.RetryAfter, time.Second)
	default:
		return err
	}
	return refused
}

// OpenStore is the Opener of the plugin: the embedded store in a directory, and stores over buckets that data sources bring. The
// latter keep only their write-ahead log in the directory.
func OpenStore(dataDir func() (string, error)) Opener {
	return func(ctx context.Context, l Location) (Database, error) {
		dir, err := dataDir()
		if err != nil {
			return nil, err
		}
		if l.Key == "" {
			return openStore(ctx, storeOptions{Location: dir, Name: "embedded", Engine: engine.Options{DataDir: dir}})
		}
		registry := prometheus.NewRegistry()
		opened, err := bucket.Open(bucket.Options{Config: []byte(l.Bucket), Registerer: registry})
		if err != nil {
			return nil, err
		}
		if err := bucket.Probe(ctx, opened); err != nil {
			return nil, errors.Join(err, opened.Close())
		}
		s, err := openStore(ctx, storeOptions{
			Location: "the bucket " + opened.Name(), Name: l.Key, Registry: registry, Close: opened.Close,
			Engine: engine.Options{DataDir: filepath.Join(dir, "stores", l.Key), Bucket: opened},
		})
		if err != nil {
			return nil, errors.Join(err, opened.Close())
		}
		return s, nil
	}
}
