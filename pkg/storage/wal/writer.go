package wal

import (
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/cambium-logs/cambium/pkg/internal/fault"
)

// run is the writer: it takes all requests that wait, writes and syncs them at once, and answers them.
func (l *Log) run() {
	defer close(l.done)
	for {
		group, stop := l.take()
		if stop {
			return
		}
		if len(group) == 0 {
			l.recover()
			continue
		}
		l.serve(group)
	}
}

// take waits for requests. An empty group means that the log has failed and it is time to try again.
func (l *Log) take() (group []*request, stop bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.pending) == 0 && !l.closed {
		if l.failed != nil {
			t := time.AfterFunc(l.opts.RetryEvery, l.wake.Broadcast)
			l.wake.Wait()
			t.Stop()
			if l.closed {
				break
			}
			return nil, false
		}
		l.wake.Wait()
	}
	group, l.pending = l.pending, nil
	return group, len(group) == 0
}

// serve writes a group. A rotation is the only request of its group: nothing else runs while it does.
func (l *Log) serve(group []*request) {
	var err error
	if group[0].rotate {
		err = l.rotate(group[0].order)
	} else {
		err = l.write(group)
	}
	if err != nil {
		l.fail(err)
		err = &FailedError{err}
	}
	for _, r := range group {
		r.result <- err
	}
}

func (l *Log) write(group []*request) error {
	var records [][]byte
	var bytes int
	for _, r := range group {
		for _, rec := range r.records {
			records = append(records, rec)
			bytes += len(rec)
		}
	}
	fault.Point("wal.write")
	if err := writeFault(); err != nil {
		return err
	}
	if err := l.w.Log(records...); err != nil {
		return err
	}
	fault.Point("wal.written")
	if l.opts.Sync == SyncBatch {
		start := time.Now()
		if err := l.sync(); err != nil {
			return err
		}
		l.metrics.fsyncSeconds.Observe(time.Since(start).Seconds())
		fault.Point("wal.synced")
	}
	l.current.grown()
	l.metrics.groupAppends.Observe(float64(len(group)))
	l.metrics.writtenBytes.Add(float64(bytes))
	return nil
}

func (l *Log) sync() error {
	if failSync != nil {
		if err := failSync(); err != nil {
			return err
		}
	}
	return l.w.Sync()
}

func (l *Log) rotate(order uint64) error {
	if err := l.w.Sync(); err != nil {
		return err
	}
	fault.Point("wal.rotate")
	l.abandoned = append(l.abandoned, l.w)
	l.w = nil
	l.closeAbandoned()
	return l.openFile(order)
}

// fail answers everything that waits for the current file and stops accepting more.
func (l *Log) fail(err error) {
	l.metrics.failures.Inc()
	l.opts.Logger.Error("The write-ahead log cannot be written; pushes are refused until it can", "dir", l.opts.Dir, "error", err)
	l.mu.Lock()
	l.failed = err
	waiting := l.pending
	l.pending = nil
	if l.w != nil {
		l.unsure = append(l.unsure, l.current)
	}
	l.mu.Unlock()
	if l.w != nil {
		l.abandoned = append(l.abandoned, l.w)
		l.w = nil
	}
	for _, r := range waiting {
		r.result <- &FailedError{err}
	}
}

// recover tries to write again, into a new file: what a failed write left in the old one is unknown.
func (l *Log) recover() {
	if err := l.probe(); err != nil {
		l.setFailed(err)
		return
	}
	l.closeAbandoned()
	l.cutUnsure()
	if err := l.openFile(l.lastOrder()); err != nil {
		l.setFailed(err)
		return
	}
	l.setFailed(nil)
	l.opts.Logger.Info("The write-ahead log can be written again", "dir", l.opts.Dir)
}

func (l *Log) setFailed(err error) {
	l.mu.Lock()
	l.failed = err
	l.mu.Unlock()
}

func (l *Log) lastOrder() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.order
}

// probe writes, syncs and deletes a file of a few pages, so that a full disk does not fill the directory with empty files.
func (l *Log) probe() error {
	if err := writeFault(); err != nil {
		return err
	}
	name := filepath.Join(l.opts.Dir, "probe.tmp")
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer os.Remove(name)
	_, err = f.Write(make([]byte, 4*pageSize))
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// failWrites makes every write fail with the error it returns, failSync every sync behind one; nil outside tests.
var failWrites, failSync func() error

func writeFault() error {
	if failWrites == nil {
		return nil
	}
	return failWrites()
}

// buffers are what one append encodes into.
type buffers struct{ body, record, series []byte }

var bufferPool = sync.Pool{New: func() any { return new(buffers) }}

// maxPooled keeps one huge push from pinning its buffers.
const maxPooled = 4 << 20

func getBuffer() *buffers { return bufferPool.Get().(*buffers) }

func putBuffer(b *buffers) {
	if cap(b.body)+cap(b.record)+cap(b.series) <= maxPooled {
		bufferPool.Put(b)
	}
}
