package engine

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
	"github.com/thanos-io/objstore"

	"github.com/cambium-logs/cambium/pkg/internal/fault"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/deletes"
)

const (
	maintainingChildEnv = "CAMBIUM_TEST_MAINTAINING_CHILD_DIR" // set in the child: its data directory
	aheadEnv            = "CAMBIUM_TEST_AHEAD"                 // by how much its clock is ahead, as a duration
)

var maintainPoints = []string{
	"compact.uploaded", "compact.marked", "compact.deleted", "deletes.created", "deletes.state", "deletes.ended",
	"engine.uploaded", "engine.truncated", "",
}

// ahead is a clock that runs 100,000 times as fast as the true one, so that grace periods end while a test runs, from a time on that is ahead of it.
func ahead(d time.Duration) func() time.Time {
	start := time.Now()
	return func() time.Time { return start.Add(d + 100_000*time.Since(start)) }
}

func maintaining(dir, config string, inBucket bool, now func() time.Time) (Options, error) {
	opts, err := childOptions(dir, config, inBucket)
	opts.now = now
	opts.Compaction = Compaction{Interval: time.Millisecond, Settle: time.Nanosecond}
	return opts, err
}

// runMaintainingChild pushes, asks for deletions and makes rounds of background work until it dies, and writes to stdout what it does.
func runMaintainingChild() int {
	if point, n, ok := strings.Cut(os.Getenv(crashEnv), "@"); ok && point != "" {
		var left atomic.Int64
		count, _ := strconv.Atoi(n)
		left.Store(int64(count))
		fault.Hook = func(p string) {
			if p == point && left.Add(-1) < 0 {
				if self, err := os.FindProcess(os.Getpid()); err == nil {
					_ = self.Kill()
				}
				select {} // until it is done
			}
		}
	}
	skew, _ := time.ParseDuration(os.Getenv(aheadEnv))
	opts, err := maintaining(os.Getenv(maintainingChildEnv), os.Getenv(bucketEnv), os.Getenv(logEnv) == "bucket", ahead(skew))
	if err == nil {
		err = maintainUntilKilled(opts)
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func maintainUntilKilled(opts Options) error {
	ctx := context.Background()
	e, err := Open(ctx, opts)
	if err != nil {
		return err
	}
	first, _ := strconv.Atoi(os.Getenv(firstEnv))
	failed := make(chan error, 2)
	go func() {
		for {
			if _, err := e.Maintain(ctx); err != nil {
				failed <- err
			}
			if e.wal != nil {
				if err := e.Flush(ctx); err != nil {
					failed <- err
				}
			}
		}
	}()
	go func() {
		for k := first; ; k++ {
			fmt.Println("try", k)
			if err := e.Append(ctx, "t", numbered(k)); err != nil {
				failed <- err
			}
			fmt.Println("ack", k)
			if k%5 != 2 {
				continue
			}
			fmt.Println("trydelete", k)
			if _, err := e.CreateDelete(ctx, "t", deletes.Request{Query: deletion(k), End: math.MaxInt64}); err != nil {
				failed <- err
			}
			fmt.Println("deleted", k)
		}
	}()
	return <-failed
}

// deletion selects push k by a text that its lines have alone.
func deletion(k int) string { return fmt.Sprintf(`{app=~".+"} |= "push %d entry "`, k) }

// deletionLedger is what the children said of deletions.
type deletionLedger struct {
	ledger
	asked, done map[int]bool
}

func (l *deletionLedger) round(t *testing.T, dir, crash string, skew, life time.Duration) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), maintainingChildEnv+"="+dir, crashEnv+"="+crash, firstEnv+"="+fmt.Sprint(l.next), aheadEnv+"="+skew.String())
	cmd.Env = append(cmd.Env, l.environment()...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	timer := time.AfterFunc(life, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		what, number, _ := strings.Cut(lines.Text(), " ")
		k, err := strconv.Atoi(number)
		switch {
		case err != nil: // a line cut short
		case what == "trydelete":
			l.asked[k] = true
		case what == "deleted":
			l.done[k] = true
		default:
			l.note(what, k)
		}
	}
	require.ErrorContains(t, cmd.Wait(), "killed", "the child ended by itself: %s", stderr.String())
}

// check holds what is seen against the ledger: acknowledged pushes are all there, deleted ones are not, of others all or nothing.
func (l *deletionLedger) check(t *testing.T, e *Engine) {
	t.Helper()
	count := map[string]int{}
	for ls, lines := range contents(t, e, "t", math.MinInt64, math.MaxInt64) {
		for _, line := range lines {
			count[ls+line]++
		}
	}
	for k := range l.tried {
		there, all := 0, 0
		for _, s := range numbered(k) {
			for _, line := range showAll(s.Entries) {
				all++
				require.LessOrEqual(t, count[s.Labels.String()+line], 1, "push %d came out twice", k)
				there += count[s.Labels.String()+line]
			}
		}
		switch {
		case l.done[k]:
			require.Zero(t, there, "push %d was deleted", k)
		case l.asked[k] || !l.acked[k]:
			require.Contains(t, []int{0, all}, there, "push %d: all or nothing", k)
		default:
			require.Equal(t, all, there, "push %d was acknowledged", k)
		}
	}
}

// TestKilledMaintenance kills processes at named points of compaction and deletion and at random: nothing acknowledged is lost, nothing is
// there twice, nothing deleted comes back, and in the end what was deleted is in no object.
func TestKilledMaintenance(t *testing.T) {
	onKillable(t, killRounds, false, func(t *testing.T, config string, rounds int) {
		t.Run("disk", func(t *testing.T) { killedMaintenance(t, config, false, rounds/2) })
		if config != "" {
			t.Run("bucket", func(t *testing.T) { killedMaintenance(t, config, true, rounds/2) })
		}
	})
}

func killedMaintenance(t *testing.T, config string, inBucket bool, rounds int) {
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	dir := t.TempDir()
	l := &deletionLedger{ledger: ledger{config: config, inBucket: inBucket}, asked: map[int]bool{}, done: map[int]bool{}}
	var skew time.Duration
	var e *Engine
	first := r.IntN(len(maintainPoints))
	for round := range rounds {
		crash := fmt.Sprintf("%s@%d", maintainPoints[(first+round)%len(maintainPoints)], r.IntN(4))
		acked, done := len(l.acked), len(l.done)
		l.round(t, dir, crash, skew, time.Duration(200+r.IntN(500))*time.Millisecond)
		skew += 100 * time.Hour
		t.Logf("round %d, crash at %q: %d pushes acknowledged, %d deleted", round, crash, len(l.acked)-acked, len(l.done)-done)
		opts, err := maintaining(dir, config, inBucket, ahead(skew))
		require.NoError(t, err)
		e = open(t, opts)
		l.check(t, e)
		if round+1 < rounds {
			closeEngine(t, e)
		}
	}
	l.finish(t, e)
}

// finish makes rounds until all requests are processed and looks into every object.
func (l *deletionLedger) finish(t *testing.T, e *Engine) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, err := e.Maintain(t.Context())
		require.NoError(t, err)
		list, err := e.Deletes(t.Context(), "t")
		require.NoError(t, err)
		for _, r := range list {
			if r.Processed == 0 {
				return false
			}
		}
		return true
	}, 60*time.Second, 20*time.Millisecond)
	l.check(t, e)
	texts := make([]string, 0, len(l.done))
	for k := range l.done {
		texts = append(texts, fmt.Sprintf("push %d entry ", k))
	}
	require.NoError(t, e.bucket.Iter(t.Context(), "", func(name string) error {
		if strings.HasPrefix(name, deletes.Dir("t")) {
			return nil // the requests themselves
		}
		body, err := e.bucket.Get(t.Context(), name)
		require.NoError(t, err)
		data, err := io.ReadAll(body)
		require.NoError(t, err)
		require.NoError(t, body.Close())
		for _, text := range texts {
			require.NotContains(t, string(data), text)
		}
		return nil
	}, objstore.WithRecursiveIter()))
	storedRows(t, e.bucket, func(name string, _ labels.Labels, en chunk.Entry) {
		for _, text := range texts {
			require.False(t, strings.HasPrefix(string(en.Line), text), "%s holds %s", name, en.Line)
		}
	})
}
