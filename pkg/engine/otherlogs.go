package engine

import (
	"context"
	"errors"
	"time"

	"github.com/cambium-logs/cambium/pkg/storage/deletes"
)

// logsOnBucket is what the logs of all processes on the bucket were known to be in one round.
type logsOnBucket struct{ marks map[string]deletes.LogMark }

// logsOf gives the logs, which are asked for once a round.
func (e *Engine) logsOf(ctx context.Context) (map[string]deletes.LogMark, error) {
	m := e.maintenance
	if m.logs == nil {
		marks, err := e.deletes.Logs(ctx)
		if err != nil {
			return nil, err
		}
		m.logs = &logsOnBucket{marks}
	}
	return m.logs.marks, nil
}

// forgotten reports that a log has not moved for so long that nobody waits for it.
func (e *Engine) forgotten(l deletes.LogMark) bool {
	return e.sinceClean(time.Unix(0, l.Clean)) > forgetLog
}

// logsClean reports whether everything that any process on the bucket accepted before a time is in segments. The first time that requests wait
// for a log it is told whose.
func (e *Engine) logsClean(ctx context.Context, before time.Time) (bool, error) {
	if ahead, err := e.logHoldsSegments(ctx); err != nil || ahead {
		return false, err
	}
	marks, err := e.logsOf(ctx)
	if err != nil {
		return false, err
	}
	clean := true
	for id, l := range marks {
		if l.Clean < before.UnixNano() && e.mark != nil && id == e.mark.id {
			if l.Clean, err = e.cleanLog(ctx); err != nil {
				return false, err
			}
			marks[id] = l
		}
		if l.Clean >= before.UnixNano() || e.forgotten(l) {
			continue
		}
		clean = false
		if !e.maintenance.awaited[id] && e.now().Sub(time.Unix(0, l.Clean)) > 2*markEvery {
			e.maintenance.awaited[id] = true
			e.opts.Logger.Info("Delete requests go on hiding until a write-ahead log is flushed; when its process does not come back, remove the object",
				"object", deletes.LogsDir+id+".json", "host", l.Host, "dir", l.Dir, "flushedUntil", time.Unix(0, l.Clean).UTC())
		}
	}
	return clean, nil
}

// logHoldsSegments reports whether this engine's own log holds what is in segments as well: a flush is under way or fails half-way, or its files
// could not be removed. A start would read that again, whatever has become of the segments. So it would what pushes left that were refused half-way.
func (e *Engine) logHoldsSegments(ctx context.Context) (bool, error) {
	if e.wal == nil {
		return false, nil
	}
	if err := e.flusher.lock(ctx); err != nil {
		return false, err
	}
	defer e.flusher.unlock()
	return e.flusher.sealed != nil || e.flusher.untruncated || e.wal.Unsure(), nil
}

// lateListing is how much later than it was written a segment of another process may be found: listings are not new, and stores may list late.
const lateListing = 5 * time.Minute

// allListed reports whether everything that the logs held before they were found clean is listed by now. It is asked in each round in which they are.
func (m *maintenance) allListed(key deleteKey, now time.Time) bool {
	since, known := m.cleanSince[key]
	if !known || now.Before(since) {
		m.cleanSince[key] = now
		return false
	}
	return now.Sub(since) >= lateListing
}

// cleanLog flushes this engine's own log, tells so, and gives until when it is flushed.
func (e *Engine) cleanLog(ctx context.Context) (int64, error) {
	if err := e.Flush(ctx); err != nil {
		return 0, err
	}
	if err := e.tellMark(ctx); err != nil {
		return 0, err
	}
	return e.mark.toldUntil().UnixNano(), nil
}

// forgetLogs removes what is known of logs that nobody waits for any more.
func (e *Engine) forgetLogs(ctx context.Context) error {
	marks, err := e.logsOf(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for id, l := range marks {
		if e.forgotten(l) {
			failed = append(failed, e.deletes.RemoveLog(ctx, id))
		}
	}
	return errors.Join(failed...)
}
