package plugin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/log"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/httpapi"
	"github.com/cambium-logs/cambium/pkg/query"
)

// Bounds of a live stream.
const (
	tailHistory  = 100                    // rows that a subscriber starts with
	tailSince    = time.Hour              // how far back they are looked for
	tailResume   = 30 * time.Second       // how far back a stream starts that the plugin's end has interrupted
	tailBatch    = 1000                   // rows of one frame
	tailInterval = 100 * time.Millisecond // between two frames
	tailIdle     = 5 * time.Second        // a frame without rows when nothing comes
)

// SubscribeStream implements backend.SubscribeStreamHandler. Grafana asks for each subscriber and has checked no more than that a user is
// signed in. The answer holds the newest rows; what comes after them is in the stream.
func (i *Instance) SubscribeStream(ctx context.Context, req *backend.SubscribeStreamRequest) (*backend.SubscribeStreamResponse, error) {
	request, err := parseTail(req.Path, req.Data)
	if errors.Is(err, errChannel) {
		return &backend.SubscribeStreamResponse{Status: backend.SubscribeStreamStatusNotFound}, nil
	}
	if err != nil {
		return nil, err
	}
	c, err := i.call(ctx, req.PluginContext)
	if err != nil {
		return nil, err
	}
	if !c.mayTail(request.Scope) {
		return &backend.SubscribeStreamResponse{Status: backend.SubscribeStreamStatusPermissionDenied}, nil
	}
	expr, err := c.tailQuery(request)
	if err != nil {
		return nil, backend.DownstreamError(err)
	}
	history, tail, err := c.db.Tail(ctx, c.tailParams(expr.String(), tailHistory, tailSince))
	if err != nil {
		return nil, err
	}
	// Grafana runs the stream of a channel's first subscriber a little later. What is accepted until then waits in this tail.
	i.parked.park(c.parkingKey(req.Path), tail)
	initial, err := backend.NewInitialFrame(logFrame(history, &data.FrameMeta{}), data.IncludeAll)
	if err != nil {
		return nil, fmt.Errorf("tail: %w", err)
	}
	return &backend.SubscribeStreamResponse{Status: backend.SubscribeStreamStatusOK, InitialData: initial}, nil
}

// PublishStream implements backend.PublishStreamHandler: logs come in by push only.
func (i *Instance) PublishStream(context.Context, *backend.PublishStreamRequest) (*backend.PublishStreamResponse, error) {
	return &backend.PublishStreamResponse{Status: backend.PublishStreamStatusPermissionDenied}, nil
}

// RunStream implements backend.RunStreamHandler: one run for all subscribers of a channel on this Grafana.
func (i *Instance) RunStream(ctx context.Context, req *backend.RunStreamRequest, sender *backend.StreamSender) error {
	request, err := parseTail(req.Path, req.Data)
	if err != nil {
		return err
	}
	c, err := i.call(ctx, req.PluginContext)
	if err != nil {
		return err
	}
	if !c.mayTail(request.Scope) {
		return errors.New("tail: permission denied")
	}
	expr, err := c.tailQuery(request)
	if err != nil {
		return err
	}
	tail := i.parked.take(c.parkingKey(req.Path))
	if tail == nil {
		// The run goes on after a break of the plugin or of the settings: what came meanwhile first. Rows that were shown
		// already have the ids that they had.
		var missed []query.Entry
		if missed, tail, err = c.db.Tail(ctx, c.tailParams(expr.String(), tailBatch, tailResume)); err != nil {
			return err
		}
		defer tail.Close()
		if err := sender.SendFrame(logFrame(missed, &data.FrameMeta{}), data.IncludeAll); err != nil {
			return err
		}
		return sendTail(ctx, tail, sender, true)
	}
	defer tail.Close()
	return sendTail(ctx, tail, sender, false)
}

func (c *call) tailParams(expr string, history int, since time.Duration) httpapi.TailParams {
	return httpapi.TailParams{
		Tenant: c.tenant, Expr: expr, Limits: query.LimitsOf(*c.db.Limits(c.tenant)), History: history, Since: time.Now().Add(-since).UnixNano(),
	}
}

func (c *call) parkingKey(path string) string { return c.tenant + " " + path }

// sendTail sends what a tail gives until ctx ends: few large frames rather than many small ones, and an empty one now and then, so that
// who is behind a proxy stays connected. described tells whether the schema has been sent; it never changes.
func sendTail(ctx context.Context, tail httpapi.Tail, sender *backend.StreamSender, described bool) error {
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-next.C:
		}
		next.Reset(tailInterval)
		waiting, cancel := context.WithTimeout(ctx, tailIdle)
		entries, dropped, err := tail.Next(waiting)
		idle := waiting.Err() != nil && ctx.Err() == nil
		cancel()
		if err != nil && !idle {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return err
		}
		if dropped > 0 {
			entries = append(entries, droppedNotice(dropped))
		}
		for first := true; first || len(entries) > 0; first = false {
			part := entries[:min(len(entries), tailBatch)]
			entries = entries[len(part):]
			include := data.IncludeDataOnly
			if !described {
				include, described = data.IncludeAll, true
			}
			if err := sender.SendFrame(logFrame(part, &data.FrameMeta{}), include); err != nil {
				log.DefaultLogger.Debug("A live stream ended", "error", err)
				return err
			}
		}
	}
}

// droppedNotice is a row that tells a reader what it did not get.
func droppedNotice(lines int64) query.Entry {
	return query.Entry{
		Timestamp: time.Now().UnixNano(),
		Line:      fmt.Sprintf("%d lines were left out here: they came faster than this view can take them. Narrow the query to see all of them.", lines),
		Labels:    &query.EntryLabels{Stream: labels.FromStrings("cambium_notice", "dropped", "level", "warn")},
	}
}
