package query

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/cambium-logs/cambium/pkg/query"
	"github.com/cambium-logs/cambium/pkg/tools/client"
	"github.com/cambium-logs/cambium/pkg/tools/store"
)

// local answers queries from a data directory or a bucket.
type local struct {
	store  *store.Store
	source *store.Source
	engine *query.Engine
	tenant string
}

func openLocal(ctx context.Context, location store.Location, tenant string) (*local, error) {
	s, err := store.Open(location, false)
	if err != nil {
		return nil, err
	}
	if tenant == "" {
		tenant, err = onlyTenant(ctx, s)
	}
	var source *store.Source
	if err == nil {
		source, err = s.OpenSource(ctx, tenant)
	}
	if err != nil {
		_ = s.Close()
		if errors.Is(err, store.ErrInUse) {
			return nil, fmt.Errorf("%w. Ask it with -addr, or stop it", err)
		}
		return nil, err
	}
	return &local{store: s, source: source, engine: query.New(query.Options{Source: source}), tenant: tenant}, nil
}

// onlyTenant is the tenant where there is one.
func onlyTenant(ctx context.Context, s *store.Store) (string, error) {
	tenants, err := s.Tenants(ctx)
	switch {
	case err != nil:
		return "", err
	case len(tenants) == 0:
		return "", fmt.Errorf("%s holds no logs", s.Shown)
	case len(tenants) > 1:
		return "", fmt.Errorf("name one of the tenants with -tenant: %s", strings.Join(tenants, ", "))
	}
	return tenants[0], nil
}

// Close lets go of the directory.
func (l *local) Close() {
	l.source.Close()
	_ = l.store.Close()
}

// defaultPoints is about how many points a metric query has whose step is not given.
const defaultPoints = 250

// Query implements querier.
func (l *local) Query(ctx context.Context, r client.Request) (*client.Result, error) {
	p := query.Params{
		Tenant: l.tenant, Expr: r.Expr, Instant: r.Instant, Time: r.Time, Start: r.Start, End: r.End, Step: int64(r.Step), Limit: r.Limit, Extensions: true,
	}
	if p.Step <= 0 {
		p.Step = max((r.End-r.Start)/defaultPoints/int64(time.Second), 1) * int64(time.Second)
	}
	if r.Forward {
		p.Direction = query.Forward
	}
	result, err := l.engine.Query(ctx, p)
	if err != nil {
		return nil, err
	}
	out := &client.Result{Kind: client.Kind(result.Type), Warnings: result.Warnings}
	for _, e := range result.Entries {
		out.Entries = append(out.Entries, client.Entry{Timestamp: e.Timestamp, Line: e.Line, Labels: e.Labels.All()})
	}
	for _, s := range result.Matrix {
		points := make([]client.Point, len(s.Points))
		for i, pt := range s.Points {
			points[i] = point(pt)
		}
		out.Series = append(out.Series, client.Series{Labels: s.Labels, Points: points})
	}
	for _, s := range result.Vector {
		out.Series = append(out.Series, client.Series{Labels: s.Labels, Points: []client.Point{point(s.Point)}})
	}
	if result.Type == query.ResultScalar {
		out.Series = []client.Series{{Points: []client.Point{point(result.Scalar)}}}
	}
	return out, nil
}

func point(p query.Point) client.Point {
	return client.Point{Timestamp: p.Timestamp, Value: model.SampleValue(p.Value).String()}
}
