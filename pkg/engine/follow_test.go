package engine

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
)

// tailOf reads a snapshot and then a subscription, until the caller is satisfied.
type tailOf struct {
	sub  *Subscription
	seen []string
}

func startTail(t *testing.T, e *Engine, app string) *tailOf {
	t.Helper()
	snap, sub, err := e.SnapshotAndSubscribe(context.Background(), "t", 0, math.MaxInt64/2, 1<<20, labels.MustNewMatcher(labels.MatchEqual, "app", app))
	require.NoError(t, err)
	t.Cleanup(sub.Close)
	tail := &tailOf{sub: sub}
	for ls, lines := range read(t, snap, 0, math.MaxInt64) {
		if !strings.Contains(ls, fmt.Sprintf("app=%q", app)) {
			continue
		}
		for _, line := range lines {
			tail.seen = append(tail.seen, lineOf(t, line))
		}
	}
	snap.Close()
	return tail
}

// lineOf takes the line out of what read shows of an entry.
func lineOf(t *testing.T, shown string) string {
	t.Helper()
	var ts int64
	var line string
	_, err := fmt.Sscan(shown, &ts, &line)
	require.NoError(t, err, shown)
	return line
}

// until reads live entries until there are n.
func (f *tailOf) until(t *testing.T, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for len(f.seen) < n && f.next(ctx, t) == nil {
	}
}

// finish closes the subscription and reads what it still has.
func (f *tailOf) finish(t *testing.T) {
	t.Helper()
	f.sub.Close()
	for f.next(context.Background(), t) == nil {
	}
}

func (f *tailOf) next(ctx context.Context, t *testing.T) error {
	t.Helper()
	events, dropped, err := f.sub.Next(ctx)
	require.Zero(t, dropped)
	for _, ev := range events {
		require.Equal(t, "a", ev.Labels.Get("app"))
		for _, en := range ev.Entries {
			f.seen = append(f.seen, string(en.Line))
		}
	}
	return err
}

// TestTailsFollowOtherProcesses: tails that begin at any time, on any of the processes on a bucket, show what was pushed to each of them once,
// with compaction at work and without.
func TestTailsFollowOtherProcesses(t *testing.T) { onShared(t, testTailsFollowOtherProcesses) }

func testTailsFollowOtherProcesses(t *testing.T, st store) {
	for name, compaction := range map[string]Compaction{
		"at rest":    {},
		"compacting": {Enabled: true, Interval: 50 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := st.open(t)
			first := sharing(b)
			first.Compaction = compaction
			engines := []*Engine{open(t, first), open(t, sharing(b))}
			const pushes = 150
			var want []string
			var pushers sync.WaitGroup
			for who, e := range engines {
				for i := range pushes {
					want = append(want, fmt.Sprintf("%d-%d", who, i))
				}
				pushers.Go(func() {
					for i := range pushes {
						s := stream(labels.FromStrings("app", "a", "of", fmt.Sprint(i%3)), entry(time.Now().UnixNano(), fmt.Sprintf("%d-%d", who, i)))
						if i%10 == 0 { // a late one, of another day
							s[0].Entries[0].Timestamp -= int64(26 * time.Hour)
						}
						s = append(s, stream(labels.FromStrings("app", "b"), entry(time.Now().UnixNano(), "other"))...)
						if err := e.Append(context.Background(), "t", s); err != nil {
							t.Error(err)
						}
						time.Sleep(10 * time.Millisecond)
					}
				})
			}
			var tails []*tailOf
			for i := range 8 {
				tails = append(tails, startTail(t, engines[i%2], "a"))
				time.Sleep(137 * time.Millisecond)
			}
			pushers.Wait()
			slices.Sort(want)
			for _, tail := range tails {
				tail.until(t, len(want))
			}
			time.Sleep(3 * followEvery) // for what would come twice
			for i, tail := range tails {
				tail.finish(t)
				slices.Sort(tail.seen)
				require.Equal(t, want, tail.seen, "tail %d", i)
			}
		})
	}
}

// TestTailKeepsTheOrderOfSegments: what one process accepts comes in that order at another.
func TestTailKeepsTheOrderOfSegments(t *testing.T) { onShared(t, testTailKeepsTheOrderOfSegments) }

func testTailKeepsTheOrderOfSegments(t *testing.T, st store) {
	b := st.open(t)
	writer, reader := open(t, sharing(b)), open(t, sharing(b))
	tail := startTail(t, reader, "a")
	var want []string
	for i := range 30 {
		want = append(want, fmt.Sprint(i))
		require.NoError(t, writer.Append(context.Background(), "t", stream(labels.FromStrings("app", "a"), entry(time.Now().UnixNano(), fmt.Sprint(i)))))
	}
	tail.until(t, len(want))
	require.Equal(t, want, tail.seen)
	closeEngine(t, reader)
	_, _, err := tail.sub.Next(context.Background())
	require.ErrorIs(t, err, ErrUnsubscribed)
}

func TestBatchIDs(t *testing.T) {
	var a, b batchIDs
	a.init()
	b.init()
	seen := map[string]bool{}
	for range 1000 {
		id := a.next()
		require.True(t, a.made(id))
		require.False(t, b.made(id))
		seen[id.String()] = true
	}
	require.Len(t, seen, 1000)
}
