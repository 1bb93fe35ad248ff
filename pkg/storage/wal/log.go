package wal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend/log"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/tsdb/fileutil"
	"github.com/prometheus/prometheus/tsdb/wlog"
	"github.com/prometheus/prometheus/util/compression"

	"github.com/cambium-logs/cambium/pkg/internal/fault"
)

// SyncMode says what an acknowledged append survives.
type SyncMode uint8

// Sync modes.
const (
	SyncBatch SyncMode = iota // fsync before the acknowledgement, shared by concurrent appends: survives a power loss
	SyncNone                  // written to the operating system before the acknowledgement: survives the death of the process
)

// Options of a Log. Only Dir is needed.
type Options struct {
	Dir         string
	Sync        SyncMode
	Compression Compression
	// ReadOnly is for looking at a log that stays as it is: Replay repairs nothing, and Start must not be called.
	ReadOnly bool
	// RetryEvery is how long a log that failed to write waits before it tries a new file; 0 = 500 ms.
	RetryEvery time.Duration
	Logger     log.Logger            // nil = none
	Registerer prometheus.Registerer // of this log alone; nil = none
}

func (o *Options) ensureDefaults() {
	if o.RetryEvery == 0 {
		o.RetryEvery = 500 * time.Millisecond
	}
	if o.Logger == nil {
		o.Logger = log.NewNullLogger()
	}
}

// ErrClosed is what a closed log answers.
var ErrClosed = errors.New("write-ahead log is closed")

// FailedError is what appends get while the log cannot write.
type FailedError struct{ Err error }

func (e *FailedError) Error() string { return "write-ahead log cannot be written: " + e.Err.Error() }
func (e *FailedError) Unwrap() error { return e.Err }

// Log is a write-ahead log. Replay must be called once, then Start; after that its methods may be called concurrently,
// except that Rotate may not run while an Append does.
type Log struct {
	opts    Options
	metrics *metrics

	mu      sync.Mutex // guards what follows and Series.declared
	wake    *sync.Cond // of mu: there is something for the writer to do
	file    int        // number of the file that new appends go to, as in its name plus 1; changes only while nothing is pending
	pending []*request
	failed  error // not nil: no file can be written
	started bool
	closed  bool
	order   uint64 // highest order of records read and files begun
	unsure  []unsureFile
	stretch stretch

	// Owned by the writer goroutine, and by Start and Close while it does not run.
	w         *wlog.WL
	current   unsureFile // what w writes to, as far as appends were acknowledged
	abandoned []*wlog.WL
	done      chan struct{}
}

// request is an append, or a rotation when rotate is set.
type request struct {
	records [][]byte
	rotate  bool
	order   uint64
	result  chan error
}

// Open prepares the directory, unless ReadOnly. It does not read or write the log yet.
func Open(opts Options) (*Log, error) {
	opts.ensureDefaults()
	if !opts.ReadOnly {
		if err := os.MkdirAll(opts.Dir, 0o700); err != nil {
			return nil, fmt.Errorf("create the directory of the write-ahead log: %w", err)
		}
	}
	l := &Log{opts: opts, done: make(chan struct{})}
	l.wake = sync.NewCond(&l.mu)
	l.metrics = newMetrics(opts.Registerer, l)
	return l, nil
}

// Start creates a new file and begins to accept appends. order is what Rotate says. When no file can be written the log starts all the
// same and refuses appends until one can.
func (l *Log) Start(order uint64) {
	l.order = max(l.order, order)
	// A file of wlog that cannot be written cannot be closed either, so it is not made where there is no room.
	err := l.probe()
	if err == nil {
		err = l.openFile(l.order)
	}
	if err != nil {
		l.fail(err)
	}
	l.mu.Lock()
	l.started = true
	l.mu.Unlock()
	go l.run()
}

// openFile makes a new file the current one: header written and, name included, on the disk.
func (l *Log) openFile(order uint64) error {
	if err := closeGaps(l.opts.Dir); err != nil {
		return err
	}
	// wlog opens the next segment by itself where one is full, and syncs the full one without telling of a failure; so segments are never full.
	const segmentSize = 1 << 46
	w, err := wlog.NewSize(nil, nil, l.opts.Dir, segmentSize, compression.None)
	if err != nil {
		return err
	}
	_, last, err := wlog.Segments(l.opts.Dir)
	if err == nil {
		fault.Point("wal.created")
		err = w.Log(appendHeader(nil, order))
	}
	if err == nil {
		err = w.Sync()
	}
	if err == nil {
		err = syncDir(l.opts.Dir)
	}
	if err != nil {
		l.abandoned = append(l.abandoned, w)
		return err
	}
	fault.Point("wal.opened")
	l.w = w
	l.current = newUnsureFile(wlog.SegmentName(l.opts.Dir, last))
	l.mu.Lock()
	l.file, l.order = last+1, max(l.order, order)
	l.stretch.next()
	l.mu.Unlock()
	return nil
}

func syncDir(dir string) error {
	d, err := fileutil.OpenDir(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return fileutil.Fdatasync(d)
}

// Append writes the entries of one push and returns when they are as safe as the sync mode says. order must not decrease from one
// append to the next that begins after it ended. The streams are not kept.
func (l *Log) Append(tenant string, order uint64, streams []Stream) error {
	buf := getBuffer()
	defer putBuffer(buf)
	buf.body = appendEntriesBody(buf.body[:0], streams)
	buf.record = appendFrame(buf.record[:0], kindEntries, order, tenant, l.opts.Compression, buf.body)

	req := &request{order: order, result: make(chan error, 1)}
	l.mu.Lock()
	if err := l.refusal(); err != nil {
		l.mu.Unlock()
		return err
	}
	// Under the lock that orders the queue: whoever finds a series declared comes after its declaration.
	buf.body = buf.body[:0]
	for _, s := range streams {
		if s.Series.declared != l.stretch.number {
			s.Series.declared = l.stretch.number
			buf.body = appendSeriesBody(buf.body, s.Series)
		}
	}
	l.stretch.add(int64(len(buf.record)), int64(len(buf.body)))
	if len(buf.body) > 0 {
		buf.series = appendFrame(buf.series[:0], kindSeries, order, tenant, l.opts.Compression, buf.body)
		req.records = append(req.records, buf.series)
	}
	req.records = append(req.records, buf.record)
	l.pending = append(l.pending, req)
	l.wake.Signal()
	l.mu.Unlock()
	return <-req.result
}

// Rotate begins a new file, with everything appended so far in files before it, and returns its number for Truncate.
// order is the highest order appended so far; it survives the truncation of everything else.
func (l *Log) Rotate(order uint64) (int, error) {
	req := &request{rotate: true, order: order, result: make(chan error, 1)}
	l.mu.Lock()
	if err := l.refusal(); err != nil {
		l.mu.Unlock()
		return 0, err
	}
	l.pending = append(l.pending, req)
	l.wake.Signal()
	l.mu.Unlock()
	if err := <-req.result; err != nil {
		return 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file - 1, nil
}

func (l *Log) refusal() error {
	if l.closed {
		return ErrClosed
	}
	if l.failed != nil {
		return &FailedError{l.failed}
	}
	return nil
}

// Failed returns why the log cannot be written now, or nil.
func (l *Log) Failed() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failed
}

// Truncate deletes the files before number file: what they hold must be safe elsewhere. Files that cannot be deleted are tried again next time.
func (l *Log) Truncate(file int) error {
	files, err := listFiles(l.opts.Dir)
	if err != nil {
		return fmt.Errorf("truncate the write-ahead log: %w", err)
	}
	for _, n := range files {
		if n >= file {
			break
		}
		fault.Point("wal.truncate")
		if err := os.Remove(wlog.SegmentName(l.opts.Dir, n)); err != nil {
			return fmt.Errorf("truncate the write-ahead log: %w", err)
		}
	}
	l.forgetRemoved()
	return syncDir(l.opts.Dir)
}

// Size returns the bytes of all files.
func (l *Log) Size() (int64, error) { return fileutil.DirSize(l.opts.Dir) }

// Close refuses further appends, finishes the ones begun, syncs and closes the file.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	l.wake.Broadcast()
	started := l.started
	l.mu.Unlock()
	if started {
		<-l.done
	}
	var err error
	if l.w != nil {
		err = l.w.Sync()
		l.abandoned = append(l.abandoned, l.w)
		l.w = nil
	}
	l.closeAbandoned()
	l.cutUnsure()
	if err != nil {
		return fmt.Errorf("sync the write-ahead log: %w", err)
	}
	return nil
}

// closeAbandoned closes the files that are no longer written. wlog pads the page when it closes, which needs room on the disk;
// those that cannot be closed now are kept for the next time.
func (l *Log) closeAbandoned() {
	kept := l.abandoned[:0]
	for _, w := range l.abandoned {
		if w.Close() != nil {
			kept = append(kept, w)
		}
	}
	l.abandoned = kept
}

// closeGaps renames files so that their numbers have no gaps, which wlog insists on. There are none unless somebody deleted a file.
func closeGaps(dir string) error {
	files, err := listFiles(dir)
	if err != nil {
		return err
	}
	for i, n := range files {
		if want := files[0] + i; n != want {
			if err := os.Rename(wlog.SegmentName(dir, n), wlog.SegmentName(dir, want)); err != nil {
				return err
			}
		}
	}
	return nil
}

// listFiles returns the numbers of the log's files in ascending order.
func listFiles(dir string) ([]int, error) {
	names, err := os.ReadDir(dir) // sorted by name; all names have eight digits
	if err != nil {
		return nil, err
	}
	var files []int
	for _, e := range names {
		var n int
		if c, err := fmt.Sscanf(e.Name(), "%d", &n); c == 1 && err == nil && e.Name() == filepath.Base(wlog.SegmentName(dir, n)) {
			files = append(files, n)
		}
	}
	return files, nil
}
