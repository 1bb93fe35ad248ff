package database

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/cambium-logs/cambium/pkg/engine"
	"github.com/cambium-logs/cambium/pkg/httpapi"
	"github.com/cambium-logs/cambium/pkg/storage/deletes"
)

// deleteRequests are an engine's delete requests in terms of HTTP. It implements httpapi.Deletes.
type deleteRequests struct {
	engine *engine.Engine
	cancel time.Duration // how long they can be taken back
}

// CreateDelete implements httpapi.Deletes.
func (d deleteRequests) CreateDelete(ctx context.Context, tenant string, r httpapi.DeleteRequest, split time.Duration) (string, error) {
	return d.engine.CreateDelete(ctx, tenant, deletes.Request{Query: r.Query, Start: r.Start, End: r.End, Created: r.Created, MaxInterval: split})
}

// ListDeletes implements httpapi.Deletes.
func (d deleteRequests) ListDeletes(ctx context.Context, tenant string) ([]httpapi.DeleteRequest, error) {
	list, err := d.engine.Deletes(ctx, tenant)
	out := make([]httpapi.DeleteRequest, len(list))
	for i, r := range list {
		out[i] = httpapi.DeleteRequest{ID: r.ID, Query: r.Query, Start: r.Start, End: r.End, Created: r.Created, Progress: r.Progress}
		if r.Processed == 0 {
			out[i].Progress = min(r.Progress, 0.99)
		}
	}
	return out, err
}

// CancelDelete implements httpapi.Deletes.
func (d deleteRequests) CancelDelete(ctx context.Context, tenant, id string, force bool) error {
	err := d.engine.CancelDelete(ctx, tenant, id, force)
	switch {
	case errors.Is(err, engine.ErrDeleteUnknown):
		return httpapi.ErrDeleteUnknown
	case errors.Is(err, engine.ErrDeleteProcessed):
		return httpapi.ErrDeleteProcessed
	case errors.Is(err, engine.ErrDeleteStarted):
		return &httpapi.Error{Status: http.StatusBadRequest, Message: fmt.Sprintf("Cancellation of partially completed delete request or delete request "+
			"past the deadline of %s since its creation is not allowed. To force, use the ?force query parameter", d.cancel)}
	}
	return err
}
