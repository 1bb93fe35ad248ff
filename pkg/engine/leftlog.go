package engine

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/wal"
)

// moveLeftLog writes to the bucket what a process with WALOnDisk left in the data directory's log: it was acknowledged, and with WALInBucket nobody
// reads it. The options are those of the engine that is being opened. It costs no request when nothing is left.
func moveLeftLog(ctx context.Context, opts Options) error {
	if opts.DataDir == "" || !opts.logLeft(ctx) {
		return nil
	}
	opts.WALLocation, opts.Registerer, opts.Compaction.Enabled = WALOnDisk, nil, false
	e, err := Open(ctx, opts)
	if err == nil {
		if err = e.Flush(ctx); err != nil {
			err = fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		err = errors.Join(err, e.Close(ctx))
	}
	if err != nil {
		return fmt.Errorf("write what is left in the log of data directory %s to the bucket: %w", opts.DataDir, err)
	}
	opts.Logger.Info("What was left in the write-ahead log on the disk is in the bucket", "dir", opts.walDir(), "entries", e.Replayed().Entries)
	return nil
}

// logLeft reports whether the data directory's log holds entries, or others on the bucket wait for it. What cannot be found out may be.
func (o *Options) logLeft(ctx context.Context) bool {
	kept, err := readMark(o.markFile())
	if err == nil && kept.Told != 0 {
		return true
	}
	log, err := wal.Open(wal.Options{Dir: o.walDir(), ReadOnly: true})
	if err != nil {
		return true
	}
	stats, err := log.Replay(ctx, func(string, labels.Labels, any, []chunk.Entry) (any, error) { return nil, nil })
	if errors.Is(err, os.ErrNotExist) && stats.Records == 0 {
		return false
	}
	return err != nil || stats.Entries > 0 || stats.Damages > 0
}
