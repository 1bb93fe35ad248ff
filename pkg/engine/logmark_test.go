package engine

import (
	"context"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/wlog"
	"github.com/stretchr/testify/require"
	"github.com/thanos-io/objstore"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/deletes"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

// absence is two processes with logs of their own on a bucket, of which one is away while something is deleted that is in its log alone.
type absence struct {
	t       *testing.T
	clock   *shiftedClock
	b       objstore.Bucket
	dir     string // of the one that is away
	present *Engine
}

var absent = labels.FromStrings("app", "absent")

const deletedText = "to be deleted"

func newAbsence(t *testing.T, st store) *absence {
	a := &absence{t: t, clock: &shiftedClock{}, b: st.open(t), dir: t.TempDir()}
	e := a.open()
	at := a.clock.now().Add(-time.Hour).UnixNano()
	require.NoError(t, e.Append(t.Context(), "t", stream(absent, entry(at, deletedText), entry(at+1, "kept"))))
	closeEngine(t, e)
	a.remove()
	return a
}

// remove opens the one that is present and asks it for the deletion.
func (a *absence) remove() {
	a.present = open(a.t, a.options(a.t.TempDir()))
	a.request()
}

func (a *absence) request() {
	_, err := a.present.CreateDelete(a.t.Context(), "t", deletes.Request{Query: `{app="absent"} |= "` + deletedText + `"`, End: a.clock.now().UnixNano()})
	require.NoError(a.t, err)
}

func (a *absence) options(dir string) Options {
	return Options{DataDir: dir, Bucket: a.b, now: a.clock.now, Compaction: Compaction{Settle: time.Nanosecond}}
}

func (a *absence) open() *Engine { return open(a.t, a.options(a.dir)) }

// pass lets time go by, with a round of background work every six hours.
func (a *absence) pass(d time.Duration) {
	for ; d > 0; d -= 6 * time.Hour {
		a.clock.advance(min(d, 6*time.Hour))
		_, err := a.present.Maintain(a.t.Context())
		require.NoError(a.t, err)
	}
}

func (a *absence) status() deletes.Status {
	list, err := a.present.Deletes(a.t.Context(), "t")
	require.NoError(a.t, err)
	require.Len(a.t, list, 1)
	return list[0]
}

func (a *absence) lines(e *Engine) string {
	return strings.Join(contents(a.t, e, "t", 0, math.MaxInt64)[absent.String()], "\n")
}

// TestDeletedEntriesDoNotComeBackWithALog: a process that was away for longer than delete requests otherwise last brings nothing back.
func TestDeletedEntriesDoNotComeBackWithALog(t *testing.T) {
	onShared(t, func(t *testing.T, st store) {
		a := newAbsence(t, st)
		a.pass(3 * 24 * time.Hour)
		require.NotZero(t, a.status().Processed, "no object holds anything of it")
		require.Zero(t, a.status().Ended, "a log may")
		e := a.open()
		require.EqualValues(t, 2, e.Replayed().Entries)
		require.NotContains(t, a.lines(e), deletedText)
		require.Contains(t, a.lines(e), "kept")
		require.NoError(t, e.Flush(t.Context()))
		a.pass(6 * time.Hour)
		require.Zero(t, a.status().Ended, "something came late")
		closeEngine(t, e) // which leaves nothing in its log
		a.pass(3 * 24 * time.Hour)
		require.NotZero(t, a.status().Ended)
		for _, e := range []*Engine{a.present, a.open()} {
			require.NotContains(t, a.lines(e), deletedText)
			require.Contains(t, a.lines(e), "kept")
		}
		storedRows(t, a.b, func(_ string, _ labels.Labels, en chunk.Entry) { require.NotEqual(t, deletedText, string(en.Line)) })
	})
}

// TestLogComesToAnotherBucket: a log that was told of on one bucket is waited for on another one too, from its first start there.
func TestLogComesToAnotherBucket(t *testing.T) {
	onShared(t, func(t *testing.T, st store) {
		clock := &shiftedClock{}
		before := &absence{t: t, clock: clock, b: st.open(t), dir: t.TempDir()}
		e := before.open()
		at := clock.now().Add(-time.Hour).UnixNano()
		require.NoError(t, e.Append(t.Context(), "t", stream(absent, entry(at, deletedText), entry(at+1, "kept"))))
		closeEngine(t, e)
		a := &absence{t: t, clock: clock, b: st.open(t), dir: before.dir}
		closeEngine(t, a.open())
		a.remove()
		a.pass(3 * 24 * time.Hour)
		require.NotZero(t, a.status().Processed)
		require.Zero(t, a.status().Ended)
		e = a.open()
		require.NotContains(t, a.lines(e), deletedText)
		require.Contains(t, a.lines(e), "kept")
	})
}

// TestForgottenLogsAreSetAside: requests do not wait for ever, and a log that nobody waits for any more is not replayed.
func TestForgottenLogsAreSetAside(t *testing.T) {
	onShared(t, func(t *testing.T, st store) {
		a := newAbsence(t, st)
		a.pass(forgetLog - 2*24*time.Hour)
		require.Zero(t, a.status().Ended)
		a.pass(3 * 24 * time.Hour)
		require.NotZero(t, a.status().Ended)
		e := a.open()
		require.Zero(t, e.Replayed().Entries)
		require.Empty(t, a.lines(e))
		aside, err := filepath.Glob(filepath.Join(a.dir, "wal-aside-*", "0*"))
		require.NoError(t, err)
		require.NotEmpty(t, aside, "it can still be looked at")
		require.NoError(t, e.Append(t.Context(), "t", stream(absent, entry(a.clock.now().UnixNano(), "later"))))
		closeEngine(t, e)
		e = a.open()
		require.Contains(t, a.lines(e), "later", "the log goes on")
	})
}

// TestMarksOfEmptyLogsAreTakenBack: who has nothing in its log when it stops leaves nothing to wait for.
func TestMarksOfEmptyLogsAreTakenBack(t *testing.T) {
	onShared(t, func(t *testing.T, st store) {
		b := st.open(t)
		opts := Options{DataDir: t.TempDir(), Bucket: b}
		marks := func() (n int) {
			for _, name := range objects(t, b) {
				if strings.HasPrefix(name, deletes.LogsDir) {
					n++
				}
			}
			return n
		}
		e := open(t, opts)
		require.Equal(t, 1, marks())
		closeEngine(t, e)
		require.Zero(t, marks())
		e = open(t, opts)
		require.NoError(t, e.Append(t.Context(), "t", stream(absent, entry(1, "x"))))
		closeEngine(t, e)
		require.Equal(t, 1, marks())
		require.NoError(t, os.WriteFile(filepath.Join(opts.DataDir, "wal.json"), []byte("{"), 0o600))
		e = open(t, opts)
		require.Len(t, contents(t, e, "t", 0, 10), 1, "a file that cannot be read costs a second mark, nothing else")
		require.Equal(t, 2, marks())
	})
}

// uploadHook calls f before each upload of a segment.
type uploadHook struct {
	objstore.Bucket
	f func()
}

func (b *uploadHook) Upload(ctx context.Context, name string, r io.Reader, opts ...objstore.ObjectUploadOption) error {
	if strings.HasSuffix(name, segment.Extension) {
		b.f()
	}
	return b.Bucket.Upload(ctx, name, r, opts...)
}

// TestMarksWaitForTruncation: what is in segments, but in the log too because its files could not be removed, would come back with it.
func TestMarksWaitForTruncation(t *testing.T) {
	onShared(t, func(t *testing.T, st store) {
		a := newAbsence(t, st)
		a.pass(24 * time.Hour)
		opts := a.options(a.dir)
		file := wlog.SegmentName(opts.walDir(), 0)
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		replace := sync.OnceFunc(func() { // by what cannot be removed
			require.NoError(t, os.Remove(file))
			require.NoError(t, os.MkdirAll(filepath.Join(file, "in the way"), 0o700))
		})
		opts.Bucket = &uploadHook{a.b, replace}
		e := open(t, opts)
		require.NoError(t, e.Flush(t.Context()))
		require.DirExists(t, file)
		closeEngine(t, e)
		require.NoError(t, os.RemoveAll(file))
		require.NoError(t, os.WriteFile(file, content, 0o600))

		a.pass(10 * 24 * time.Hour)
		require.Zero(t, a.status().Ended)
		e = a.open()
		require.Positive(t, e.Replayed().Entries)
		require.NotContains(t, a.lines(e), deletedText)
		require.Contains(t, a.lines(e), "kept")
		require.NoError(t, e.Flush(t.Context()))
		closeEngine(t, e)
		a.pass(3 * 24 * time.Hour)
		require.NotZero(t, a.status().Ended)
		require.NotContains(t, a.lines(a.open()), deletedText)
	})
}

// TestMarksFollowTheClockBack: a mark that was made while the clock was ahead does not cover what is accepted after it was put right.
func TestMarksFollowTheClockBack(t *testing.T) {
	onShared(t, func(t *testing.T, st store) {
		const ahead = 10 * 24 * time.Hour
		a := &absence{t: t, clock: &shiftedClock{}, b: st.open(t), dir: t.TempDir()}
		a.clock.advance(ahead)
		e := a.open()
		a.clock.advance(-ahead)
		at := a.clock.now().Add(-time.Hour).UnixNano()
		require.NoError(t, e.Append(t.Context(), "t", stream(absent, entry(at, deletedText), entry(at+1, "kept"))))
		require.True(t, e.mark.due(a.clock.now()))
		require.NoError(t, e.tellMark(t.Context()))
		require.False(t, e.mark.toldUntil().After(a.clock.now()))
		closeEngine(t, e)
		a.remove()
		a.pass(3 * 24 * time.Hour)
		require.NotZero(t, a.status().Processed)
		require.Zero(t, a.status().Ended)
		e = a.open()
		require.NotContains(t, a.lines(e), deletedText)
		require.NoError(t, e.Flush(t.Context()))
		require.NoError(t, e.tellMark(t.Context()))
		require.WithinDuration(t, a.clock.now(), e.mark.toldUntil(), time.Minute, "a flush makes up for it")
	})
}

// TestMarksOfClocksThatWereNotSet: a log is not taken for decades old because the machine did not know the time yet when it was begun.
func TestMarksOfClocksThatWereNotSet(t *testing.T) {
	onShared(t, func(t *testing.T, st store) {
		a := &absence{t: t, clock: &shiftedClock{}, b: st.open(t), dir: t.TempDir()}
		unset := time.Since(time.Unix(1000, 0))
		a.clock.advance(-unset)
		e := a.open()
		a.clock.advance(unset)
		at := a.clock.now().Add(-time.Hour).UnixNano()
		require.NoError(t, e.Append(t.Context(), "t", stream(absent, entry(at, deletedText), entry(at+1, "kept"))))
		closeEngine(t, e)
		a.remove()
		a.pass(3 * 24 * time.Hour)
		require.Zero(t, a.status().Ended)
		e = a.open()
		require.EqualValues(t, 2, e.Replayed().Entries)
		require.NotContains(t, a.lines(e), deletedText)
		require.Contains(t, a.lines(e), "kept")
	})
}

// TestRequestsEndWhenAllIsListed: what a log brought to a segment a moment ago is in no listing of the others yet.
func TestRequestsEndWhenAllIsListed(t *testing.T) {
	onShared(t, func(t *testing.T, st store) {
		a := &absence{t: t, clock: &shiftedClock{}, b: st.open(t), dir: t.TempDir()}
		e := a.open()
		at := a.clock.now().Add(-10 * 24 * time.Hour).UnixNano() // a day that is listed every two minutes
		require.NoError(t, e.Append(t.Context(), "t", stream(absent, entry(at, deletedText), entry(at+1, "kept"))))
		closeEngine(t, e)
		a.remove()
		a.pass(3 * 24 * time.Hour)
		require.NotZero(t, a.status().Processed)
		require.Empty(t, a.lines(a.present))
		e = a.open()
		require.NoError(t, e.Flush(t.Context()))
		closeEngine(t, e)
		_, err := a.present.Maintain(t.Context())
		require.NoError(t, err)
		a.clock.advance(10 * time.Minute)
		require.NotContains(t, a.lines(a.present), deletedText)
		require.Contains(t, a.lines(a.present), "kept")
		a.pass(24 * time.Hour)
		require.NotZero(t, a.status().Ended)
		require.NotContains(t, a.lines(a.present), deletedText)
	})
}

// TestRequestsWaitForTruncation: so do those of an engine that is alone with its log.
func TestRequestsWaitForTruncation(t *testing.T) {
	a := &absence{t: t, clock: &shiftedClock{}, dir: t.TempDir()}
	a.present = a.open()
	at := a.clock.now().Add(-time.Hour).UnixNano()
	require.NoError(t, a.present.Append(t.Context(), "t", stream(absent, entry(at, deletedText), entry(at+1, "kept"))))
	opts := a.options(a.dir)
	file := wlog.SegmentName(opts.walDir(), 0)
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.Remove(file))
	require.NoError(t, os.MkdirAll(filepath.Join(file, "in the way"), 0o700)) // of its removal
	require.NoError(t, a.present.Flush(t.Context()))
	a.request()
	a.pass(3 * 24 * time.Hour)
	require.NotZero(t, a.status().Processed)
	require.Zero(t, a.status().Ended)
	closeEngine(t, a.present)
	require.NoError(t, os.RemoveAll(file))
	require.NoError(t, os.WriteFile(file, content, 0o600))
	a.present = a.open()
	require.NotContains(t, a.lines(a.present), deletedText)
	require.Contains(t, a.lines(a.present), "kept")
	a.pass(3 * 24 * time.Hour)
	require.NotZero(t, a.status().Ended)
	require.NotContains(t, a.lines(a.present), deletedText)
}

// TestTruncationIsTriedAgain: also when nothing comes that would have to be flushed.
func TestTruncationIsTriedAgain(t *testing.T) {
	e := open(t, Options{})
	require.NoError(t, e.Append(t.Context(), "t", stream(absent, entry(1, "x"))))
	file := wlog.SegmentName(e.opts.walDir(), 0)
	require.NoError(t, os.Remove(file))
	require.NoError(t, os.MkdirAll(filepath.Join(file, "in the way"), 0o700))
	require.NoError(t, e.Flush(t.Context()))
	require.NoError(t, os.Remove(filepath.Join(file, "in the way")))
	require.Eventually(t, func() bool {
		_, err := os.Stat(file)
		return os.IsNotExist(err)
	}, 20*time.Second, 20*time.Millisecond)
}
