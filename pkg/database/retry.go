package database

import (
	"context"
	"errors"
	"time"

	"github.com/cambium-logs/cambium/pkg/engine"
	"github.com/cambium-logs/cambium/pkg/storage/bucket"
)

// RetryEvery is the time between two attempts of Retry.
const RetryEvery = 4 * time.Second

// Retry attempts to open something until that succeeds or the context ends. Each failure is told to again, which may give up: then Retry
// returns that failure.
func Retry(ctx context.Context, attempt func(context.Context) error, again func(error) bool) error {
	for {
		err := attempt(ctx)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !again(err):
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(RetryEvery):
		}
	}
}

// Passes reports whether a failure of Open may go away by itself: the bucket does not answer, or refuses.
func Passes(err error) bool {
	var probe *bucket.ProbeError
	return errors.As(err, &probe) || errors.Is(err, engine.ErrUnavailable)
}
