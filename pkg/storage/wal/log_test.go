package wal

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/wlog"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func openLog(t testing.TB, dir string, opts Options) *Log {
	t.Helper()
	opts.Dir = dir
	l, err := Open(opts)
	require.NoError(t, err)
	return l
}

func startLog(t testing.TB, dir string, opts Options) *Log {
	t.Helper()
	l := openLog(t, dir, opts)
	_, err := l.Replay(context.Background(), discard)
	require.NoError(t, err)
	l.Start(1)
	t.Cleanup(func() { l.Close() })
	return l
}

func discard(string, labels.Labels, any, []chunk.Entry) (any, error) { return nil, nil }

// replayAll gives every entry as "tenant{labels} ts line metadata".
func replayAll(t testing.TB, dir string) ([]string, ReplayStats) {
	t.Helper()
	l := openLog(t, dir, Options{})
	defer l.Close()
	out := []string{}
	stats, err := l.Replay(context.Background(), func(tenant string, ls labels.Labels, known any, entries []chunk.Entry) (any, error) {
		if known != nil && known != ls.String() {
			t.Errorf("series %s is known as %v", ls, known)
		}
		for _, e := range entries {
			out = append(out, show(tenant, ls, e))
		}
		return ls.String(), nil
	})
	require.NoError(t, err)
	return out, stats
}

func show(tenant string, ls labels.Labels, e chunk.Entry) string {
	return fmt.Sprintf("%s%s %d %q %v", tenant, ls, e.Timestamp, e.Line, e.Metadata)
}

func series(ref uint64) *Series {
	return &Series{Ref: ref, Labels: labels.FromStrings("app", fmt.Sprintf("app-%d", ref), "env", "test")}
}

func randomEntries(r *rand.Rand, n int) []chunk.Entry {
	out := make([]chunk.Entry, n)
	for i := range out {
		line := make([]byte, r.IntN(300))
		for k := range line {
			line[k] = byte(r.IntN(20) + r.IntN(2)*200)
		}
		if r.IntN(50) == 0 {
			line = []byte(strings.Repeat("long line ", r.IntN(20_000)))
		}
		out[i] = chunk.Entry{Timestamp: r.Int64() - r.Int64(), Line: line}
		if r.IntN(3) == 0 {
			out[i].Metadata = []labels.Label{{Name: "trace", Value: fmt.Sprint(r.IntN(1000))}, {Name: "user", Value: "ü"}}
		}
	}
	return out
}

func TestAppendedEntriesComeBack(t *testing.T) {
	for _, c := range []Compression{CompressionNone, CompressionSnappy, CompressionZstd} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			dir := t.TempDir()
			r := rand.New(rand.NewPCG(1, uint64(c)))
			var want []string
			all := map[string][]*Series{"a": {series(1), series(2), series(3)}, "b": {series(4)}}
			for range 4 { // restarts: series are declared again in each file
				l := startLog(t, dir, Options{Compression: c})
				for range 20 {
					tenant := []string{"a", "b"}[r.IntN(2)]
					var batch []Stream
					for range 1 + r.IntN(3) {
						s := all[tenant][r.IntN(len(all[tenant]))]
						b := Stream{s, randomEntries(r, r.IntN(20))}
						for _, e := range b.Entries {
							want = append(want, show(tenant, s.Labels, e))
						}
						batch = append(batch, b)
					}
					require.NoError(t, l.Append(tenant, 7, batch))
				}
				require.NoError(t, l.Close())
				for _, list := range all {
					for _, s := range list {
						s.declared = 0 // a new process does not know what is declared
					}
				}
			}
			got, stats := replayAll(t, dir)
			require.Equal(t, want, got)
			require.Zero(t, stats.TornTails+stats.Damages)
			require.EqualValues(t, 7, stats.Order)
		})
	}
}

func TestRotateAndTruncate(t *testing.T) {
	dir := t.TempDir()
	l := startLog(t, dir, Options{})
	a, b := series(1), series(2)
	add := func(s *Series, line string) {
		require.NoError(t, l.Append("t", 5, []Stream{{s, []chunk.Entry{{Timestamp: 1, Line: []byte(line)}}}}))
	}
	add(a, "one")
	file, err := l.Rotate(99)
	require.NoError(t, err)
	add(a, "two")
	add(b, "three")
	require.NoError(t, l.Truncate(file))
	require.NoError(t, l.Close())
	got, stats := replayAll(t, dir)
	require.Equal(t, []string{`t{app="app-1", env="test"} 1 "two" []`, `t{app="app-2", env="test"} 1 "three" []`}, got)
	require.EqualValues(t, 99, stats.Order, "the header keeps the order")
}

func TestConcurrentAppendsDeclareBeforeUse(t *testing.T) {
	dir := t.TempDir()
	l := startLog(t, dir, Options{})
	shared := []*Series{series(1), series(2), series(3), series(4)}
	var wg sync.WaitGroup
	var n atomic.Int64
	for g := range 8 {
		wg.Go(func() {
			for i := range 50 {
				s := shared[(g+i)%len(shared)]
				if err := l.Append("t", 1, []Stream{{s, []chunk.Entry{{Timestamp: int64(i), Line: fmt.Appendf(nil, "%d-%d", g, i)}}}}); err == nil {
					n.Add(1)
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, l.Close())
	require.ErrorIs(t, l.Append("t", 1, nil), ErrClosed)
	got, stats := replayAll(t, dir)
	require.Len(t, got, 400)
	require.EqualValues(t, 400, n.Load())
	require.Zero(t, stats.Undeclared)
	require.Equal(t, 4, stats.Series)
}

// TestEveryTruncationKeepsAPrefix cuts a log at many places: what is read is a prefix, and reading it again after the repair gives the same.
func TestEveryTruncationKeepsAPrefix(t *testing.T) {
	dir := t.TempDir()
	l := startLog(t, dir, Options{Compression: CompressionSnappy})
	r := rand.New(rand.NewPCG(3, 4))
	s := series(1)
	for range 40 {
		require.NoError(t, l.Append("t", 1, []Stream{{s, randomEntries(r, 10)}}))
	}
	require.NoError(t, l.Close())
	want, _ := replayAll(t, dir)
	name := wlog.SegmentName(dir, 0)
	whole, err := os.ReadFile(name)
	require.NoError(t, err)
	for range 80 {
		cut := r.IntN(len(whole))
		sub := t.TempDir()
		require.NoError(t, os.WriteFile(wlog.SegmentName(sub, 0), whole[:cut], 0o600))
		got, first := replayAll(t, sub)
		require.Equal(t, want[:len(got)], got, "cut at %d", cut)
		require.Zero(t, first.Damages)
		again, second := replayAll(t, sub)
		require.Equal(t, got, again)
		require.Zero(t, second.TornTails, "the first replay repaired the end; cut at %d", cut)
	}
}

// TestDamagedDeclarations: however large a file is, damage at its head, where all streams are declared first, does not cost what was written long after.
func TestDamagedDeclarations(t *testing.T) {
	for name, streams := range map[string]int{"few streams": 3, "many streams": 500} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l := startLog(t, dir, Options{})
			var all []*Series
			for i := range streams {
				all = append(all, series(uint64(i+1)))
			}
			r := rand.New(rand.NewPCG(1, 1))
			var order uint64
			for written := 0; written < 6<<20; {
				order++
				line := make([]byte, 1000+r.IntN(2000))
				for i := range line {
					line[i] = byte('a' + r.IntN(26))
				}
				written += len(line)
				require.NoError(t, l.Append("t", order, []Stream{{all[int(order)%streams], []chunk.Entry{{Timestamp: int64(order), Line: line}}}}))
			}
			require.NoError(t, l.Close())
			size, err := l.Size()
			require.NoError(t, err)
			require.Less(t, size, int64(7<<20), "that streams are declared again is a small part")
			file := wlog.SegmentName(dir, 0)
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			for i := range 100 << 10 {
				content[i] ^= 0x55
			}
			require.NoError(t, os.WriteFile(file, content, 0o600))
			got, stats := replayAll(t, dir)
			require.Positive(t, stats.Undeclared)
			require.Equal(t, 1, stats.Damages)
			require.Greater(t, len(got), int(order)*2/3)
			require.LessOrEqual(t, stats.Series, streams)
		})
	}
}

// TestEveryFlippedBitIsFound damages single bytes: whatever is read was written, in order, and loss is reported.
func TestEveryFlippedBitIsFound(t *testing.T) {
	dir := t.TempDir()
	l := startLog(t, dir, Options{Compression: CompressionSnappy})
	r := rand.New(rand.NewPCG(5, 6))
	s := series(1)
	for i := range 60 {
		e := randomEntries(r, 10)
		for k := range e {
			e[k].Timestamp = int64(i*10 + k)
		}
		require.NoError(t, l.Append("t", 1, []Stream{{s, e}}))
	}
	require.NoError(t, l.Close())
	want, _ := replayAll(t, dir)
	whole, err := os.ReadFile(wlog.SegmentName(dir, 0))
	require.NoError(t, err)
	kept := 0
	for range 80 {
		at := r.IntN(len(whole))
		bad := slices.Clone(whole)
		bad[at] ^= 1 << r.IntN(8)
		sub := t.TempDir()
		require.NoError(t, os.WriteFile(wlog.SegmentName(sub, 0), bad, 0o600))
		got, stats := replayAll(t, sub)
		next := 0
		for _, g := range got {
			i := slices.Index(want[next:], g)
			require.GreaterOrEqual(t, i, 0, "an entry that was never written, or out of order; byte %d", at)
			next += i + 1
		}
		if len(got) < len(want) {
			require.NotZero(t, stats.Damages+int(stats.Undeclared), "loss is not reported; byte %d", at)
			require.Zero(t, stats.TornTails, "what was acknowledged is called unfinished; byte %d", at)
		}
		kept += len(got)
		if stats.Damages > 0 {
			require.Positive(t, stats.LostBytes)
			aside, err := os.ReadFile(wlog.SegmentName(sub, 0) + ".damaged")
			require.NoError(t, err)
			require.Equal(t, bad, aside)
		}
		again, second := replayAll(t, sub)
		require.Equal(t, got, again)
		require.LessOrEqual(t, second.Damages, stats.Damages)
	}
	require.Greater(t, kept, 80*len(want)/2, "what comes behind the damage is kept")
}

func TestGapsAreClosed(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		l := startLog(t, dir, Options{})
		require.NoError(t, l.Append("t", 1, []Stream{{series(1), []chunk.Entry{{Timestamp: int64(i), Line: []byte("x")}}}}))
		require.NoError(t, l.Close())
	}
	require.NoError(t, os.Remove(wlog.SegmentName(dir, 1)))
	l := startLog(t, dir, Options{})
	require.NoError(t, l.Close())
	got, _ := replayAll(t, dir)
	require.Len(t, got, 2)
}

func TestNewerVersionIsRefused(t *testing.T) {
	dir := t.TempDir()
	w, err := wlog.New(nil, nil, dir, "none")
	require.NoError(t, err)
	h := appendHeader(nil, 1)
	h[1+len(headerMagic)] = Version + 1
	require.NoError(t, w.Log(h))
	require.NoError(t, w.Close())
	l := openLog(t, dir, Options{})
	defer l.Close()
	_, err = l.Replay(context.Background(), discard)
	require.ErrorIs(t, err, errVersion)
}

func TestFailedWritesAreRefusedUntilTheyWork(t *testing.T) {
	var broken atomic.Bool
	failWrites = func() error {
		if broken.Load() {
			return errors.New("no space left on device")
		}
		return nil
	}
	defer func() { failWrites = nil }()
	dir := t.TempDir()
	l := startLog(t, dir, Options{RetryEvery: 5 * time.Millisecond})
	s := series(1)
	add := func(line string) error {
		return l.Append("t", 1, []Stream{{s, []chunk.Entry{{Timestamp: 1, Line: []byte(line)}}}})
	}
	require.NoError(t, add("one"))
	broken.Store(true)
	var failed *FailedError
	require.ErrorAs(t, add("two"), &failed)
	require.ErrorAs(t, add("three"), &failed)
	require.Error(t, l.Failed())
	broken.Store(false)
	require.Eventually(t, func() bool { return l.Failed() == nil }, 5*time.Second, time.Millisecond)
	require.NoError(t, add("four"))
	require.NoError(t, l.Close())
	got, stats := replayAll(t, dir)
	require.Equal(t, []string{`t{app="app-1", env="test"} 1 "one" []`, `t{app="app-1", env="test"} 1 "four" []`}, got)
	require.Zero(t, stats.Undeclared, "the new file declares the series again")
	require.Equal(t, 2, stats.Files)
}

// TestRefusedAppendsAreNotReplayed: what was written and then could not be synced was refused. Its sender may have gone elsewhere with it, where it
// may have been deleted; a start must not bring it.
func TestRefusedAppendsAreNotReplayed(t *testing.T) {
	var broken atomic.Bool
	failSync = func() error {
		if broken.Load() {
			return errors.New("input/output error")
		}
		return nil
	}
	defer func() { failSync = nil }()
	for _, flushed := range []bool{false, true} {
		dir := t.TempDir()
		l := startLog(t, dir, Options{RetryEvery: 5 * time.Millisecond})
		one, two := series(1), series(2)
		add := func(s *Series, line string) error {
			return l.Append("t", 1, []Stream{{s, []chunk.Entry{{Timestamp: 1, Line: []byte(line)}}}})
		}
		require.NoError(t, add(one, "one"))
		require.False(t, l.Unsure())
		broken.Store(true)
		require.Error(t, add(two, strings.Repeat("refused ", 10_000)))
		require.True(t, l.Unsure(), "as long as it lies there")
		broken.Store(false)
		require.Eventually(t, func() bool { return l.Failed() == nil }, 5*time.Second, time.Millisecond)
		require.False(t, l.Unsure())
		require.NoError(t, add(two, "two"))
		want := []string{`t{app="app-1", env="test"} 1 "one" []`, `t{app="app-2", env="test"} 1 "two" []`}
		if flushed {
			file, err := l.Rotate(1)
			require.NoError(t, err)
			broken.Store(true)
			require.Error(t, add(two, "refused"))
			require.NoError(t, l.Truncate(file))
			require.True(t, l.Unsure(), "it is in a later file")
			want = []string{}
		}
		require.NoError(t, l.Close())
		broken.Store(false)
		require.False(t, l.Unsure(), "closing cuts it off, too")
		got, stats := replayAll(t, dir)
		require.Equal(t, want, got)
		require.Zero(t, stats.Damages+stats.TornTails)
	}
}

func FuzzReplay(f *testing.F) {
	dir := f.TempDir()
	l, err := Open(Options{Dir: dir, Compression: CompressionSnappy})
	if err != nil {
		f.Fatal(err)
	}
	l.Start(1)
	if err := errors.Join(l.Append("t", 1, []Stream{{series(1), []chunk.Entry{{Timestamp: 5, Line: []byte("hello")}}}}), l.Close()); err != nil {
		f.Fatal(err)
	}
	seed, err := os.ReadFile(wlog.SegmentName(dir, 0))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed[:200])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		sub := t.TempDir()
		if err := os.WriteFile(filepath.Join(sub, "00000000"), b, 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := Open(Options{Dir: sub})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if _, err := l.Replay(context.Background(), discard); err != nil && !errors.Is(err, errVersion) {
			t.Fatal(err)
		}
	})
}

func FuzzRecord(f *testing.F) {
	f.Add(appendFrame(nil, kindEntries, 1, "t", CompressionSnappy, appendEntriesBody(nil, []Stream{{series(1), []chunk.Entry{{Timestamp: 5, Line: []byte("hello")}}}})))
	f.Add(appendFrame(nil, kindSeries, 1, "t", CompressionZstd, appendSeriesBody(nil, series(1))))
	f.Add(appendHeader(nil, 3))
	f.Fuzz(func(t *testing.T, b []byte) {
		fr := fileReplay{tenants: map[string]map[uint64]*replaySeries{}, handle: discard, stats: &ReplayStats{}}
		if err := fr.record(b); err != nil && !errors.Is(err, errRecord) && !errors.Is(err, errVersion) {
			t.Fatal(err)
		}
	})
}
