package database

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/cambium-logs/cambium/pkg/engine"
	"github.com/cambium-logs/cambium/pkg/ingest"
)

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
