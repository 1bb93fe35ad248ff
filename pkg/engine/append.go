package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/ingest"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/head"
	"github.com/cambium-logs/cambium/pkg/storage/wal"
)

// maxEntryBytes bounds one entry, so that every chunk fits the limits of its encoding whatever the tenant's limits are.
const maxEntryBytes = 64 << 20

// busyRetry is what a refused sender is told to wait when the head is being emptied.
const busyRetry = time.Second

// Append stores the entries of a push. When it returns nil they survive what the sync mode says and every later Snapshot has them, all of them
// at once. Streams and entries have been validated; they are not kept. The errors wrap ErrBusy, ErrUnavailable, ErrTooLarge or ErrInvalid.
// The context is only looked at before the push is written; with WALInBucket it also ends the wait for the acknowledgement, and the push may
// be stored nevertheless.
func (e *Engine) Append(ctx context.Context, tenant string, streams []ingest.Stream) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	n, raw, err := measure(streams)
	if err != nil || n == 0 {
		return err
	}
	room, err := e.head.Reserve(n, raw)
	if err != nil {
		return e.refuse(err)
	}
	c, err := e.accept(tenant, streams, room)
	if err != nil {
		e.head.Release(room)
		return err
	}
	if c != nil {
		if err := c.wait(ctx); err != nil {
			return err
		}
	}
	e.noteActivity()
	e.metrics.appendedEntries.Add(float64(n))
	e.metrics.appendedBytes.Add(float64(raw))
	e.flushIfFull()
	return nil
}

// accept writes a push to log and head, or with WALInBucket to the head only, and returns the commit to wait for. Only when it fails is
// the reservation still the caller's.
func (e *Engine) accept(tenant string, streams []ingest.Stream, room head.Reservation) (*commit, error) {
	e.gate.RLock()
	defer e.gate.RUnlock()
	if e.closed {
		return nil, ErrClosed
	}
	if e.wal == nil {
		if err := e.FlushError(); err != nil {
			e.metrics.refused.WithLabelValues("bucket").Inc()
			return nil, fmt.Errorf("%w: the bucket cannot be written: %w", ErrUnavailable, err)
		}
	}
	batches, records := e.resolve(tenant, streams)
	if e.wal != nil {
		if err := e.wal.Append(tenant, e.head.Order(), records); err != nil {
			e.metrics.refused.WithLabelValues("wal").Inc()
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
	e.head.Apply(tenant, room, batches)
	if e.wal == nil {
		return e.commit, nil
	}
	return nil, nil
}

// resolve finds the series of a push.
func (e *Engine) resolve(tenant string, streams []ingest.Stream) ([]head.Batch, []wal.Stream) {
	sets := make([]labels.Labels, 0, len(streams))
	batches := make([]head.Batch, 0, len(streams))
	records := make([]wal.Stream, 0, len(streams))
	for i := range streams {
		if len(streams[i].Entries) > 0 {
			sets = append(sets, streams[i].Labels)
			batches = append(batches, head.Batch{Entries: streams[i].Entries})
		}
	}
	for i, s := range e.head.Resolve(tenant, sets) {
		batches[i].Series = s
		records = append(records, wal.Stream{Series: s.WAL(), Entries: batches[i].Entries})
	}
	return batches, records
}

// refuse explains why there is no room.
func (e *Engine) refuse(err error) error {
	if errors.Is(err, head.ErrTooLarge) {
		e.metrics.refused.WithLabelValues("too_large").Inc()
		return fmt.Errorf("%w: %w; raise head.max_bytes or push less at once", ErrTooLarge, err)
	}
	e.metrics.refused.WithLabelValues("full").Inc()
	e.wakeFlusher()
	busy := &BusyError{RetryAfter: busyRetry, HeadBytes: max(e.head.Memory(), e.head.RawBytes()), MaxBytes: e.head.MaxBytes(), FlushError: e.FlushError()}
	if busy.FlushError != nil {
		busy.RetryAfter = flushRetryMax / 3
	}
	return busy
}

// measure counts entries and raw bytes, and checks what the chunk encodings rely on.
func measure(streams []ingest.Stream) (n int, raw int64, err error) {
	for i := range streams {
		for k := range streams[i].Entries {
			en := &streams[i].Entries[k]
			if err := checkEntry(en); err != nil {
				return 0, 0, fmt.Errorf("%w of stream %s: %w", ErrInvalid, streams[i].Labels, err)
			}
			raw += int64(len(en.Line))
			for _, l := range en.Metadata {
				raw += int64(len(l.Name) + len(l.Value))
			}
		}
		n += len(streams[i].Entries)
	}
	return n, raw, nil
}

func checkEntry(e *chunk.Entry) error {
	size := len(e.Line)
	for i, l := range e.Metadata {
		if l.Name == "" || l.Value == "" || (i > 0 && e.Metadata[i-1].Name >= l.Name) {
			return fmt.Errorf("structured metadata is empty or not sorted at %q", l.Name)
		}
		size += len(l.Name) + len(l.Value)
	}
	if size > maxEntryBytes {
		return fmt.Errorf("%d bytes, at most %d are possible", size, maxEntryBytes)
	}
	return nil
}

// ActiveStreams counts the tenant's streams that were pushed to lately or have entries in the head.
func (e *Engine) ActiveStreams(tenant string) int { return e.head.ActiveStreams(tenant) }

// HasStream reports whether ActiveStreams counts this stream.
func (e *Engine) HasStream(tenant string, ls labels.Labels) bool { return e.head.HasStream(tenant, ls) }
