package database

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cambium-logs/cambium/pkg/engine"
	"github.com/cambium-logs/cambium/pkg/httpapi"
	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/query"
	"github.com/cambium-logs/cambium/pkg/storage"
)

// tailAhead is how far in the future an entry of the past may be: pushes are accepted with clocks that are a little fast.
const tailAhead = 15 * time.Minute

// Tail implements httpapi.Tailer.
func (d *Database) Tail(ctx context.Context, p httpapi.TailParams) ([]query.Entry, httpapi.Tail, error) {
	tailer, err := query.NewTailer(p.Expr, p.Limits)
	if err != nil {
		return nil, nil, err
	}
	log, err := logql.ParseLog(p.Expr)
	if err != nil {
		return nil, nil, err
	}
	end := time.Now().Add(tailAhead).UnixNano()
	snap, subscription, err := d.engine.SnapshotAndSubscribe(ctx, p.Tenant, p.Since, end, 0, log.Matchers...)
	if err != nil {
		return nil, nil, fmt.Errorf("tail: %w", err)
	}
	defer snap.Close()
	past := query.New(query.Options{Source: heldSnapshot{snap}})
	result, err := past.Query(ctx, query.Params{Tenant: p.Tenant, Expr: p.Expr, Start: p.Since, End: end, Limit: p.History, Limits: p.Limits})
	if err != nil {
		subscription.Close()
		return nil, nil, err
	}
	slices.Reverse(result.Entries) // the newest were asked for, and are shown in order
	return result.Entries, &engineTail{subscription: subscription, tailer: tailer}, nil
}

// engineTail is a tail over an engine's subscription.
type engineTail struct {
	subscription *engine.Subscription
	tailer       *query.Tailer
}

// Next implements httpapi.Tail.
func (t *engineTail) Next(ctx context.Context) ([]query.Entry, int64, error) {
	var lost int64
	for {
		events, dropped, err := t.subscription.Next(ctx)
		if err != nil {
			return nil, lost, err
		}
		lost += dropped
		var entries []query.Entry
		for _, event := range events {
			for i := range event.Entries {
				if entry, keep := t.tailer.Process(event.Labels, &event.Entries[i]); keep {
					entries = append(entries, entry)
				}
			}
		}
		if len(entries) > 0 || lost > 0 {
			return entries, lost, nil
		}
	}
}

// Close implements httpapi.Tail.
func (t *engineTail) Close() { t.subscription.Close() }

// heldSnapshot gives one snapshot to a query and leaves it open.
type heldSnapshot struct{ snap storage.Snapshot }

// Snapshot implements query.Source.
func (h heldSnapshot) Snapshot(context.Context, string, int64, int64) (storage.Snapshot, error) {
	return keptOpen{h.snap}, nil
}

// keptOpen is a snapshot that its owner closes.
type keptOpen struct{ storage.Snapshot }

// Close implements storage.Snapshot.
func (keptOpen) Close() {}
