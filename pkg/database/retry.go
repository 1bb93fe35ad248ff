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

// Failures tells which failures of Retry are worth a line in the log: those that say something new, once a minute at most, because some stores give each
// failure a number of its own. It is for one goroutine.
type Failures struct {
	told string
	at   time.Time
}

// failuresEvery is how often they are at most.
const failuresEvery = time.Minute

// Worth reports whether a failure is to be told now.
func (f *Failures) Worth(err error) bool {
	text, now := err.Error(), time.Now()
	if text == f.told || !f.at.IsZero() && now.Sub(f.at) < failuresEvery {
		return false
	}
	f.told, f.at = text, now
	return true
}

// Passes reports whether a failure of Open may go away by itself: the bucket does not answer, or refuses.
func Passes(err error) bool {
	var probe *bucket.ProbeError
	return errors.As(err, &probe) || errors.Is(err, engine.ErrUnavailable)
}
