package wal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/wlog"

	"github.com/cambium-logs/cambium/pkg/internal/cursor"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// ReplayStats says what a replay found.
type ReplayStats struct {
	Files, Records, Series int
	Entries                int64
	Bytes                  int64 // of the files
	TornTails              int   // files that ended within a record
	Damages                int   // other places that could not be read
	LostBytes              int64 // of those places
	Undeclared             int64 // entries whose stream's declaration was lost
	Order                  uint64
}

// Handler receives the entries of one series from one record. Labels are the handler's to keep; the lines and the slice are not.
// known is what the handler returned the last time for this series of this file, nil at first.
type Handler func(tenant string, ls labels.Labels, known any, entries []chunk.Entry) (any, error)

// replaySeries is a declaration in the file being replayed.
type replaySeries struct {
	labels labels.Labels
	known  any
}

// Replay gives all entries in the order of the log, repairs torn ends, and reports damage to the logger and in the stats.
// The error is the handler's, the context's, or that of a disk that cannot be read; never that of a damaged file.
func (l *Log) Replay(ctx context.Context, handle Handler) (ReplayStats, error) {
	var stats ReplayStats
	files, err := listFiles(l.opts.Dir)
	if err != nil {
		return stats, fmt.Errorf("list the write-ahead log: %w", err)
	}
	for _, n := range files {
		if err := l.replayFile(ctx, n, handle, &stats); err != nil {
			return stats, fmt.Errorf("replay %s: %w", wlog.SegmentName(l.opts.Dir, n), err)
		}
	}
	stats.Files = len(files)
	l.mu.Lock()
	l.order = stats.Order
	l.mu.Unlock()
	l.metrics.replayed.Add(float64(stats.Entries))
	l.metrics.lostEntries.Add(float64(stats.Undeclared))
	return stats, nil
}

func (l *Log) replayFile(ctx context.Context, n int, handle Handler, stats *ReplayStats) error {
	name := wlog.SegmentName(l.opts.Dir, n)
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	r := newRecordReader(f)
	fr := fileReplay{tenants: map[string]map[uint64]*replaySeries{}, handle: handle, stats: stats}
	for {
		rec, err := r.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		err = fr.record(rec)
		switch {
		case errors.Is(err, errRecord):
			r.damages = append(r.damages, Damage{Offset: r.begin, Bytes: r.soundEnd - r.begin, Err: err})
		case err != nil:
			return err
		}
		stats.Records++
	}
	if st, err := f.Stat(); err == nil {
		stats.Bytes += st.Size()
	}
	return l.report(name, r, stats)
}

// report tells of a file's damages, sets aside a copy where they are more than an unfinished write, and cuts off what no record follows.
func (l *Log) report(name string, r *recordReader, stats *ReplayStats) error {
	var torn, cut bool
	var damages int
	var lost int64
	for _, d := range r.damages {
		cut = cut || d.Tail
		if d.Torn {
			torn = true
			l.opts.Logger.Warn("The write-ahead log ends within a record, as it does when a process dies while it writes: such a push was not acknowledged. The end is cut off",
				"file", name, "offset", d.Offset, "bytes", d.Bytes)
			continue
		}
		damages++
		lost += d.Bytes
		l.opts.Logger.Error("The write-ahead log is damaged: entries that were acknowledged may be lost. All sound records were kept",
			"file", name, "offset", d.Offset, "bytes", d.Bytes, "error", d.Err, "copy", damagedName(name))
	}
	stats.Damages += damages
	stats.LostBytes += lost
	l.metrics.damages.Add(float64(damages))
	l.metrics.lostBytes.Add(float64(lost))
	if torn {
		stats.TornTails++
		l.metrics.tornTails.Inc()
	}
	if l.opts.ReadOnly {
		return nil
	}
	if damages > 0 {
		// Truncation deletes the file after the next flush; the copy is for whoever wants to look at it.
		if err := copyFile(name, damagedName(name)); err != nil {
			l.opts.Logger.Warn("A damaged file of the write-ahead log could not be set aside, and stays as it is", "file", name, "error", err)
			return nil
		}
	}
	if !cut {
		return nil
	}
	if err := os.Truncate(name, r.soundEnd); err != nil {
		l.opts.Logger.Warn("The end of the write-ahead log that cannot be read could not be cut off", "file", name, "error", err)
	}
	return nil
}

// damagedName is where a damaged file is set aside. Nothing deletes it.
func damagedName(name string) string { return name + ".damaged" }

// copyFile copies a file, unless the copy is there already. A copy that could not be finished is removed.
func copyFile(from, to string) error {
	if _, err := os.Stat(to); err == nil {
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to+".tmp", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err == nil {
		err = out.Sync()
	}
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(to+".tmp", to)
	}
	if err != nil {
		_ = os.Remove(to + ".tmp")
	}
	return err
}

var errVersion = errors.New("written by a newer version")

// fileReplay decodes the records of one file.
type fileReplay struct {
	tenants map[string]map[uint64]*replaySeries // series by tenant and reference
	handle  Handler
	stats   *ReplayStats
	body    []byte
	entries []chunk.Entry
}

func (fr *fileReplay) record(rec []byte) error {
	if len(rec) == 0 {
		return fmt.Errorf("%w: empty", errRecord)
	}
	switch rec[0] {
	case kindHeader:
		return fr.header(rec)
	case kindSeries, kindEntries:
	default:
		return fmt.Errorf("%w: unknown kind %d", errRecord, rec[0])
	}
	f, err := readFrame(rec, fr.body)
	if err != nil {
		return err
	}
	if cap(f.body) > cap(fr.body) && len(f.body) <= maxPooled {
		if !sharesArray(f.body, rec) {
			fr.body = f.body
		}
	}
	fr.stats.Order = max(fr.stats.Order, f.order)
	series := fr.tenants[f.tenant]
	if series == nil {
		series = map[uint64]*replaySeries{}
		fr.tenants[f.tenant] = series
	}
	if rec[0] == kindSeries {
		return readSeries(f.body, func(ref uint64, ls labels.Labels) {
			if known := series[ref]; known != nil && labels.Equal(known.labels, ls) {
				return // it is declared again
			}
			fr.stats.Series++
			series[ref] = &replaySeries{labels: ls}
		})
	}
	var failed error
	err = readEntries(f.body, &fr.entries, func(ref uint64, entries []chunk.Entry) {
		s := series[ref]
		if s == nil {
			fr.stats.Undeclared += int64(len(entries))
			return
		}
		if failed == nil {
			s.known, failed = fr.handle(f.tenant, s.labels, s.known, entries)
			fr.stats.Entries += int64(len(entries))
		}
	})
	if failed != nil {
		return failed
	}
	return err
}

// sharesArray reports whether a is a part of b's array: an uncompressed body lies in its record.
func sharesArray(a, b []byte) bool {
	return len(a) > 0 && len(b) >= len(a) && &a[len(a)-1] == &b[len(b)-1]
}

func (fr *fileReplay) header(rec []byte) error {
	c := cursor.Cursor{Rest: rec[1:]}
	magic := c.Bytes(uint64(len(headerMagic)))
	version := c.Bytes(1)
	order := c.Uint64()
	if c.Bad() || string(magic) != headerMagic {
		return fmt.Errorf("%w: header", errRecord)
	}
	if version[0] > Version {
		return fmt.Errorf("format version %d, at most %d can be read: %w", version[0], Version, errVersion)
	}
	fr.stats.Order = max(fr.stats.Order, order)
	return nil
}
