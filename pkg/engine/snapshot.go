package engine

import (
	"context"

	"github.com/cambium-logs/cambium/pkg/storage"
	"github.com/cambium-logs/cambium/pkg/storage/catalog"
	"github.com/cambium-logs/cambium/pkg/storage/deletes"
	"github.com/cambium-logs/cambium/pkg/storage/head"
)

// snapshotTries is how often a snapshot is taken again because a flush moved entries meanwhile, before flushes are made to wait.
const snapshotTries = 4

// Snapshot gives everything of a tenant between mint and maxt (nanoseconds, inclusive) that was acknowledged before the call,
// without what is to be deleted.
// What is flushed while it is taken is in it once. The caller closes it.
func (e *Engine) Snapshot(ctx context.Context, tenant string, mint, maxt int64) (storage.Snapshot, error) {
	snap, _, err := e.snapshot(ctx, tenant, mint, maxt, func() *head.Snapshot { return e.head.Snapshot(tenant) })
	return snap, err
}

// snapshot also gives the part of it that lies in segments.
func (e *Engine) snapshot(ctx context.Context, tenant string, mint, maxt int64, take func() *head.Snapshot) (storage.Snapshot, *catalog.Snapshot, error) {
	// Asked for first: what has ended by now has left nothing in the segments that are pinned afterwards.
	hidden, err := e.deletes.Active(ctx, tenant, mint, maxt)
	if err != nil {
		return nil, nil, err
	}
	for try := 0; ; try++ {
		e.view.RLock()
		before := e.published
		hs := take()
		last := try == snapshotTries
		if !last {
			e.view.RUnlock()
		}
		cs, err := e.catalog.Snapshot(ctx, tenant, mint, maxt)
		if !last {
			e.view.RLock()
		}
		same := e.published == before
		e.view.RUnlock()
		switch {
		case err != nil:
			hs.Close()
			return nil, nil, err
		case same:
			return deletes.Hide(storage.Merge(cs, hs), hidden), cs, nil
		}
		hs.Close()
		cs.Close()
	}
}
