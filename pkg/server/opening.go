package server

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend/log"

	"github.com/cambium-logs/cambium/pkg/config"
	"github.com/cambium-logs/cambium/pkg/database"
	"github.com/cambium-logs/cambium/pkg/httpapi"
)

// opening opens the database of a process. When that takes long, or the bucket does not answer, the listener is there before it, and says so.
type opening struct {
	config config.Config
	logger log.Logger
	// attempt opens the database.
	attempt func(ctx context.Context) (*database.Database, error)

	server *Server    // nil = there is no listener yet
	served chan error // how it ended
	reason atomic.Pointer[string]
}

// openPatience is how long opening may take before those who come are told that it does.
const openPatience = 3 * time.Second

// stillOpening is what they are told.
const stillOpening = "the database is still being opened: its bucket is tried, after a crash its log is read again, and another process may hold its directory"

// database opens the database. What may go away by itself is waited for; what does not is an error.
func (o *opening) database(ctx context.Context) (db *database.Database, err error) {
	o.because(stillOpening)
	var failures database.Failures
	failed := make(chan struct{}, 1)
	opened := make(chan error, 1)
	go func() {
		opened <- database.Retry(ctx, func(ctx context.Context) (err error) {
			db, err = o.attempt(ctx)
			return err
		}, func(err error) bool {
			if !database.Passes(err) {
				return false
			}
			o.because("the database cannot be opened: " + err.Error())
			if failures.Worth(err) {
				o.logger.Error("The database cannot be opened; it is tried again", "error", err, "every", database.RetryEvery)
			}
			select {
			case failed <- struct{}{}:
			default:
			}
			return true
		})
	}()
	patience := time.NewTimer(openPatience)
	defer patience.Stop()
	select {
	case err := <-opened:
		return db, err
	case <-failed:
	case <-patience.C:
	}
	o.wait(ctx)
	err = <-opened
	return db, err
}

func (o *opening) because(text string) { o.reason.Store(&text) }

// wait makes the listener answer that there is no database yet. Where that is not possible, because another process listens there which is about
// to end, say, it is tried again when the database is open.
func (o *opening) wait(ctx context.Context) {
	s, err := listen(o.config, o.logger)
	if err != nil {
		return
	}
	o.logger.Warn("Requests are answered with 503 until the database is open", "url", s.URL(), "reason", *o.reason.Load())
	s.set(httpapi.Waiting(database.RetryEvery, func() string { return *o.reason.Load() }))
	o.serve(ctx, s)
}

func (o *opening) serve(ctx context.Context, s *Server) {
	o.server, o.served = s, make(chan error, 1)
	go func() { o.served <- s.Run(ctx) }()
}

// show makes the listener answer for the database.
func (o *opening) show(ctx context.Context, db *database.Database) error {
	if o.server != nil {
		o.server.show(db.API())
		return nil
	}
	s, err := Listen(o.config, db.API(), o.logger)
	if err == nil {
		o.serve(ctx, s)
	}
	return err
}

// end waits for the listener to end, whose context has.
func (o *opening) end() error {
	if o.server == nil {
		return nil
	}
	return <-o.served
}
