package plugin

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/cambium-logs/cambium/pkg/httpapi"
	"github.com/cambium-logs/cambium/pkg/query"
	"github.com/cambium-logs/cambium/pkg/tenant"
)

// fakeDB is a Database that answers with what a test gives it and remembers what it was asked.
type fakeDB struct {
	mu        sync.Mutex // guards what follows
	queries   []query.Params
	retention map[string]time.Duration
	flushed   int // before it was closed
	closed    int

	answer  func(query.Params) (*query.Result, error)
	handler http.HandlerFunc
	status  httpapi.Status
	ready   error
	probe   error
	history []query.Entry
	tail    httpapi.Tail
}

var _ Database = (*fakeDB)(nil)

func (f *fakeDB) Handler() http.Handler { return f.handler }

func (f *fakeDB) Query(_ context.Context, p query.Params) (*query.Result, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queries = append(f.queries, p)
	if f.answer == nil {
		return &query.Result{Type: query.ResultStreams}, nil
	}
	return f.answer(p)
}

func (f *fakeDB) Tail(context.Context, httpapi.TailParams) ([]query.Entry, httpapi.Tail, error) {
	return f.history, f.tail, nil
}

func (f *fakeDB) TenantStatus(context.Context, string) (httpapi.Status, error) { return f.status, nil }

func (f *fakeDB) Limits(string) *tenant.Limits {
	limits := tenant.DefaultLimits()
	return &limits
}

func (f *fakeDB) SetRetention(tenant string, keep time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.retention == nil {
		f.retention = map[string]time.Duration{}
	}
	f.retention[tenant] = keep
}

func (f *fakeDB) Retains() bool { return true }

func (f *fakeDB) Ready() error { return f.ready }

func (f *fakeDB) Probe(context.Context) error { return f.probe }

func (f *fakeDB) Flush(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed == 0 {
		f.flushed++
	}
	return nil
}

func (f *fakeDB) Close(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed++
	return nil
}
