package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/internal/fault"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/deletes"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
	"github.com/cambium-logs/cambium/pkg/storage/wal"
)

const (
	// markEvery is how often the others on a bucket are told how far this engine's log has become segments.
	markEvery = time.Hour
	// markLook is how often it is looked whether that is due, and markRetry how long a failure waits.
	markLook, markRetry = time.Second, time.Minute
	// markAtOpen and markAtClose bound what an open waits for the first mark, and a close for it to be taken back.
	markAtOpen, markAtClose = 3 * time.Second, 500 * time.Millisecond
	// forgetLog is the age of a mark from which delete requests do not wait for its log any more. The log itself is set aside a day earlier.
	forgetLog, forgetMargin = 30 * 24 * time.Hour, 24 * time.Hour
	// unknownAge is taken for the age of a log of which nobody knows when it was flushed.
	unknownAge = forgetLog / 2
	// maxSkew is how far apart the clocks of processes may be.
	maxSkew = 5 * time.Minute
)

// clocksSet is before every time that a clock shows that was ever set: some machines begin in 1970 until they are told better.
var clocksSet = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// logMark tells the other processes on a bucket how far this engine's log has become segments: delete requests do not end before. It is nil
// where nobody else is on the bucket, and where the log is in the bucket.
type logMark struct {
	path string // of the file that keeps id and clean from one start to the next
	id   string

	mu    sync.Mutex // guards what follows
	clean time.Time  // everything that was accepted before is in segments, and in the log no more; later than now where the clock went back
	told  time.Time  // what was clean when others were told last; zero = they know nothing of this log
	next  time.Time  // not before this time they are told again
}

// markFile is the content of the file.
type markFile struct {
	ID   string `json:"id"`
	Told int64  `json:"told,omitempty"` // nanoseconds; missing: the others know nothing of this log
}

const maxMarkFile = 1 << 10

// openMark reads what is kept of the log's mark, and sets aside a log that others have stopped waiting for.
func (e *Engine) openMark() error {
	id, err := segment.NewID()
	if err != nil {
		return err
	}
	m := &logMark{path: e.opts.markFile(), id: id.String()}
	e.mark = m
	kept, err := readMark(m.path)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		e.opts.Logger.Error("What others on the bucket know of the write-ahead log cannot be read; delete requests wait for the forgotten log for a month", "file", m.path, "error", err)
	default:
		m.id = kept.ID
		if kept.Told != 0 {
			m.told = time.Unix(0, kept.Told)
		}
	}
	m.clean = m.told
	if m.told.IsZero() || e.sinceClean(m.told) < forgetLog-forgetMargin {
		return nil
	}
	m.told = time.Time{}
	return e.setLogAside()
}

func readMark(path string) (f markFile, err error) {
	data, err := os.ReadFile(path)
	if err == nil && len(data) > maxMarkFile {
		err = fmt.Errorf("%d bytes are too many", len(data))
	}
	if err == nil {
		err = json.Unmarshal(data, &f)
	}
	if err == nil && f.ID == "" {
		err = errors.New("no id")
	}
	return f, err
}

// sinceClean is how long ago a log was clean, as its mark says.
func (e *Engine) sinceClean(clean time.Time) time.Duration {
	if clean.Before(clocksSet) {
		return unknownAge
	}
	return e.now().Sub(clean)
}

// setLogAside moves away a log that has lain so long that what was deleted meanwhile is forgotten, if anything is in it.
func (e *Engine) setLogAside() error {
	log, err := wal.Open(wal.Options{Dir: e.opts.walDir(), ReadOnly: true})
	if err != nil {
		return err
	}
	ignore := func(string, labels.Labels, any, []chunk.Entry) (any, error) { return nil, nil }
	stats, err := log.Replay(context.Background(), ignore)
	if errors.Is(err, os.ErrNotExist) || err == nil && stats.Entries == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	aside := e.opts.walDir() + e.now().UTC().Format("-aside-20060102T150405Z")
	if err := os.Rename(e.opts.walDir(), aside); err != nil {
		return fmt.Errorf("set the write-ahead log aside: %w", err)
	}
	e.opts.Logger.Error("The write-ahead log was not read: nothing of it was flushed for so long that delete requests of that time are forgotten, "+
		"and what they took would come back. It is set aside", "dir", aside, "entries", stats.Entries, "forgottenAfter", forgetLog)
	return nil
}

// cleanUntil notes that everything that was accepted before a time is in segments.
func (m *logMark) cleanUntil(t time.Time) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clean = t // it is later than the one before, unless the clock went back
}

// startMark tells others of a log that they do not know yet, before anything is accepted, and begins to tell them how it goes on.
func (e *Engine) startMark(ctx, background context.Context) {
	m := e.mark
	if m.clean.IsZero() && e.replayed.Entries > 0 {
		m.clean = e.now().Add(-unknownAge) // of a log that was written before there were marks
	}
	ctx, cancel := context.WithTimeout(ctx, markAtOpen)
	defer cancel()
	if !m.told.IsZero() && !e.markKnown(ctx) {
		m.told = time.Time{}
	}
	if m.told.IsZero() {
		if err := e.tellMark(ctx); err != nil {
			e.opts.Logger.Warn("The others on the bucket do not know of this write-ahead log yet; they are told later", "error", err)
		}
	}
	e.loops.Go(func() { e.markLoop(background) })
}

// markKnown reports whether the others on the bucket know of the log. It may have been told to those on another bucket, where this one was before, or
// somebody removed what was told.
func (e *Engine) markKnown(ctx context.Context) bool {
	known, err := e.deletes.KnowsLog(ctx, e.mark.id)
	return err == nil && known
}

// markIfEmpty notes it of an engine that has nothing.
func (e *Engine) markIfEmpty() {
	e.gate.Lock()
	defer e.gate.Unlock()
	if e.logEmpty() {
		e.mark.cleanUntil(e.now())
	}
}

// logEmpty reports whether a start would read nothing: of what was accepted all is in segments, and nothing is left of pushes that were refused
// half-way. The flusher's token is held, and appends do not run.
func (e *Engine) logEmpty() bool {
	return e.flusher.sealed == nil && !e.flusher.untruncated && e.head.CurrentEmpty() && !e.wal.Unsure()
}

// markLoop tells others every hour how far the log has become segments.
func (e *Engine) markLoop(ctx context.Context) {
	tick := time.NewTicker(markLook)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !e.mark.due(e.now()) {
			continue
		}
		if err := e.tellMark(ctx); err != nil && ctx.Err() == nil {
			e.opts.Logger.Warn("The others on the bucket were not told how far the write-ahead log is flushed; it is tried again", "error", err, "in", markRetry)
		}
	}
}

func (m *logMark) due(now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return !now.Before(m.next) || m.next.Sub(now) > markEvery // the clock went back
}

// toldUntil is what was clean when others were told last.
func (m *logMark) toldUntil() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.told
}

// tellMark writes the mark to the bucket, then to the disk: what is on the disk was told.
func (e *Engine) tellMark(ctx context.Context) error {
	m := e.mark
	if err := e.flusher.lock(ctx); err != nil {
		return err
	}
	e.markIfEmpty()
	e.flusher.unlock()
	m.mu.Lock()
	if m.clean.Sub(e.now()) > maxSkew {
		m.clean = e.now().Add(-unknownAge) // the clock went back, and what was accepted since seems to be flushed
	}
	clean, told := m.clean, m.told
	m.next = e.now().Add(markRetry)
	if clean.Equal(told) {
		m.next = e.now().Add(markEvery)
	}
	m.mu.Unlock()
	if clean.Equal(told) {
		return nil
	}
	if told.IsZero() {
		// The id first, so that what is written under it is found again.
		if err := m.keep(time.Time{}); err != nil {
			return err
		}
	}
	host, _ := os.Hostname()
	if err := e.deletes.MarkLog(ctx, m.id, deletes.LogMark{Host: host, Dir: e.opts.DataDir, Clean: clean.UnixNano()}); err != nil {
		return err
	}
	fault.Point("wal.marked")
	if err := m.keep(clean); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.next = e.now().Add(markEvery)
	return nil
}

// keep writes the file.
func (m *logMark) keep(told time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := markFile{ID: m.id}
	if !told.IsZero() {
		f.Told = told.UnixNano()
	}
	data, err := json.Marshal(f)
	if err != nil {
		return err
	}
	if err := writeSynced(m.path, data); err != nil {
		return fmt.Errorf("keep the mark of the write-ahead log: %w", err)
	}
	m.told = told
	return nil
}

func writeSynced(path string, data []byte) error {
	f, err := os.Create(path + ".tmp")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(path+".tmp", path)
	}
	return err
}

// unmark takes the mark back when nothing is in the log, so that delete requests do not wait for a process that may not come back.
// The loops have ended.
func (e *Engine) unmark(ctx context.Context) {
	if e.mark == nil || e.mark.toldUntil().IsZero() || !e.logEmpty() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, markAtClose)
	defer cancel()
	err := e.mark.keep(time.Time{})
	if err == nil {
		err = e.deletes.RemoveLog(ctx, e.mark.id)
	}
	if err != nil {
		e.opts.Logger.Warn("The mark of an empty write-ahead log is left in the bucket", "error", err)
	}
}
