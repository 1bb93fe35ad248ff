package engine

import (
	"bufio"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/ingest"
	"github.com/cambium-logs/cambium/pkg/internal/fault"
	"github.com/cambium-logs/cambium/pkg/storage/bucket"
	"github.com/cambium-logs/cambium/pkg/storage/head"
)

const (
	childEnv   = "CAMBIUM_TEST_CHILD_DIR" // set in the child: its data directory
	firstEnv   = "CAMBIUM_TEST_FIRST"     // number of its first push
	crashEnv   = "CAMBIUM_CRASH_AT"       // point@n: die when the point is passed for the n-th time
	bucketEnv  = "CAMBIUM_TEST_BUCKET"    // configuration of the bucket; empty: the directory that belongs to the process
	logEnv     = "CAMBIUM_TEST_LOG"       // "bucket": the log is in the bucket
	roundsEnv  = "CAMBIUM_KILL_ROUNDS"
	killRounds = 20
)

var crashPoints = []string{
	"wal.created", "wal.opened", "wal.write", "wal.written", "wal.synced", "wal.rotate", "wal.truncate",
	"engine.rotated", "engine.encoded", "engine.uploaded", "engine.flushed", "engine.truncated",
}

// numbered is push number k: some entries in two streams, over two days now and then.
func numbered(k int) []ingest.Stream {
	base := int64(1_700_000_000e9) + int64(k)*int64(7*time.Minute)
	var out []ingest.Stream
	for i := range 2 {
		s := ingest.Stream{Labels: labels.FromStrings("app", fmt.Sprint((k+i)%5))}
		for n := range 1 + k%4 {
			e := entry(base+int64(n), fmt.Sprintf("push %d entry %d %s", k, n, strings.Repeat("x", k%50)))
			e.Metadata = []labels.Label{{Name: "push", Value: fmt.Sprint(k)}}
			s.Entries = append(s.Entries, e)
		}
		out = append(out, s)
	}
	return out
}

// runChild pushes and flushes until it is killed, and writes to stdout which pushes it tries and which were acknowledged.
func runChild() int {
	if point, n, ok := strings.Cut(os.Getenv(crashEnv), "@"); ok {
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
	opts, err := childOptions(os.Getenv(childEnv), os.Getenv(bucketEnv), os.Getenv(logEnv) == "bucket")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	e, err := Open(context.Background(), opts)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	first, _ := strconv.ParseInt(os.Getenv(firstEnv), 10, 64)
	var next atomic.Int64
	next.Store(first - 1)
	var out sync.Mutex
	say := func(what string, k int) {
		out.Lock()
		defer out.Unlock()
		fmt.Println(what, k)
	}
	for range 2 {
		go func() {
			for {
				k := int(next.Add(1))
				say("try", k)
				if err := e.Append(context.Background(), "t", numbered(k)); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				say("ack", k)
			}
		}()
	}
	for {
		time.Sleep(20 * time.Millisecond)
		if e.wal == nil {
			continue
		}
		if err := e.Flush(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
}

// childOptions are those of an engine that children open too.
func childOptions(dir, config string, inBucket bool) (Options, error) {
	opts := Options{DataDir: dir, Head: head.Options{ChunkBytes: 2000}, FlushBytes: 30_000}
	if config == "" {
		return opts, nil
	}
	b, err := bucket.Open(bucket.Options{Config: []byte(config)})
	if err != nil {
		return opts, err
	}
	opts.Bucket = b
	if inBucket {
		opts.DataDir, opts.WALLocation, opts.CommitInterval = "", WALInBucket, 5*time.Millisecond
	}
	return opts, nil
}

// open opens the engine of the children's place.
func (l *ledger) open(t *testing.T, dir string) *Engine {
	t.Helper()
	opts, err := childOptions(dir, l.config, l.inBucket)
	require.NoError(t, err)
	return open(t, opts)
}

// onKillable is onStores without the store that ends with its process. Rounds of n are as many where the processes have the store to themselves,
// a quarter elsewhere, and what the environment says where it says it.
func onKillable(t *testing.T, n int, shared bool, f func(t *testing.T, config string, rounds int)) {
	for _, st := range stores {
		config, rounds := "", n
		switch {
		case st.config == nil && (shared || st.name != "embedded"):
			continue
		case st.config != nil:
			rounds = max(2, n/4)
		}
		t.Run(st.name, func(t *testing.T) {
			if st.config != nil {
				config = string(st.config(t))
			}
			if n, err := strconv.Atoi(os.Getenv(roundsEnv)); err == nil {
				rounds = n
			}
			f(t, config, rounds)
		})
	}
}

// ledger is what the children said. Its zero value is an empty one whose children have the log on disk, and the bucket too.
type ledger struct {
	config   string // of the bucket
	inBucket bool   // the log is in it

	mu           sync.Mutex // guards what follows
	tried, acked map[int]bool
	next         int
}

func (l *ledger) note(what string, k int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tried == nil {
		l.tried, l.acked = map[int]bool{}, map[int]bool{}
	}
	l.next = max(l.next, k+1)
	switch what {
	case "try":
		l.tried[k] = true
	case "ack":
		l.acked[k] = true
	}
}

func (l *ledger) environment() []string {
	env := []string{bucketEnv + "=" + l.config}
	if l.inBucket {
		env = append(env, logEnv+"=bucket")
	}
	return env
}

// round runs a child until it dies, by itself at the crash point or after a while by the parent's hand.
// Its pushes are numbered from first.
func (l *ledger) round(t *testing.T, dir, crash string, first int, life time.Duration) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir, crashEnv+"="+crash, firstEnv+"="+fmt.Sprint(first))
	cmd.Env = append(cmd.Env, l.environment()...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	timer := time.AfterFunc(life, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		what, number, _ := strings.Cut(lines.Text(), " ")
		k, err := strconv.Atoi(number)
		if err != nil {
			continue // a line cut short
		}
		l.note(what, k)
	}
	err = cmd.Wait()
	require.ErrorContains(t, err, "killed", "the child ended by itself: %s", stderr.String())
}

// TestKilledProcessesLoseNothing kills processes at named points and at random, and holds what they acknowledged against what is there:
// every acknowledged entry once, the others all or nothing of a push.
func TestKilledProcessesLoseNothing(t *testing.T) {
	onKillable(t, killRounds, false, killedProcessesLoseNothing)
}

func killedProcessesLoseNothing(t *testing.T, config string, rounds int) {
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	dir := t.TempDir()
	l := ledger{config: config}
	for round := range rounds {
		crash := ""
		if round%4 != 3 {
			crash = fmt.Sprintf("%s@%d", crashPoints[(round-round/4)%len(crashPoints)], r.IntN(4))
		}
		before := len(l.acked)
		l.round(t, dir, crash, l.next, time.Duration(100+r.IntN(600))*time.Millisecond)
		t.Logf("round %d, crash at %q: %d pushes acknowledged", round, crash, len(l.acked)-before)
		e := l.open(t, dir)
		require.Zero(t, e.Replayed().Damages)
		l.check(t, e)
		if r.IntN(3) == 0 {
			require.NoError(t, e.Flush(context.Background()))
			l.check(t, e)
		}
		closeEngine(t, e)
	}
	require.NotEmpty(t, l.acked)
}

// TestKilledProcessesOnOneBucketLoseNothing is the same with the log in the bucket and two processes at a time.
func TestKilledProcessesOnOneBucketLoseNothing(t *testing.T) {
	onKillable(t, killRounds, true, killedProcessesOnOneBucketLoseNothing)
}

func killedProcessesOnOneBucketLoseNothing(t *testing.T, config string, rounds int) {
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	dir := t.TempDir()
	l := ledger{config: config, inBucket: true}
	points := []string{"", "engine.encoded", "engine.uploaded", "engine.flushed"}
	for round := range rounds {
		var wg sync.WaitGroup
		first := l.next
		for i := range 2 {
			crash := fmt.Sprintf("%s@%d", points[(round+i)%len(points)], r.IntN(6))
			life := time.Duration(100+r.IntN(400)) * time.Millisecond
			wg.Go(func() { l.round(t, dir, crash, first+i*100_000, life) })
		}
		wg.Wait()
		e := l.open(t, dir)
		l.check(t, e)
		closeEngine(t, e)
	}
	require.NotEmpty(t, l.acked)
}

func (l *ledger) check(t *testing.T, e *Engine) {
	t.Helper()
	count := map[string]int{}
	for ls, lines := range contents(t, e, "t", math.MinInt64, math.MaxInt64) {
		for _, line := range lines {
			count[ls+line]++
		}
	}
	expected := 0
	for k := range l.tried {
		there := 0
		all := 0
		for _, s := range numbered(k) {
			for _, line := range showAll(s.Entries) {
				all++
				n := count[s.Labels.String()+line]
				require.LessOrEqual(t, n, 1, "push %d came out twice", k)
				there += n
			}
		}
		if l.acked[k] {
			require.Equal(t, all, there, "push %d was acknowledged", k)
		} else {
			require.Contains(t, []int{0, all}, there, "push %d was not acknowledged: all or nothing", k)
		}
		expected += there
	}
	require.Len(t, count, expected, "nothing else is there")
}
