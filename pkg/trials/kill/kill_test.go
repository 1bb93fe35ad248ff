package kill

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/internal/race"
	"github.com/cambium-logs/cambium/pkg/engine"
	"github.com/cambium-logs/cambium/pkg/query"
	"github.com/cambium-logs/cambium/pkg/trials"
)

const (
	roundsEnv = "CAMBIUM_KILL_ROUNDS"
	soakEnv   = "CAMBIUM_SOAK"

	// rounds are more than 200 deaths, of which most are of three processes at a time.
	rounds = 128
	// withDetector is how many there are with the race detector when no program can be built without it: it makes processes start slowly.
	withDetector = 20
	// generation is the number of rounds after which one starts again with nothing, so that looking at everything stays cheap; longGeneration
	// that of a soak.
	generation, longGeneration = 8, 25
	processes                  = 3
	// apart is how far the pushes of two processes are apart in number.
	apart = 100_000
	// patience is how long a process has to get to its point.
	patience = 3 * time.Second
)

// TestKilledProcesses kills processes, one or three on one bucket, and looks at what is there after each round.
func TestKilledProcesses(t *testing.T) {
	path, detecting := program(t)
	n := rounds
	if detecting {
		n = withDetector
	}
	if text := os.Getenv(roundsEnv); text != "" {
		var err error
		n, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	c := newCampaign(t, path)
	for i := range n {
		c.round(i)
	}
	c.report()
	if n >= rounds {
		require.GreaterOrEqual(t, c.runs, 200)
		for _, p := range c.points {
			require.Positive(t, c.died[p], "nobody died at %s", p)
		}
	}
}

// TestSoak kills processes for as long as CAMBIUM_SOAK says.
func TestSoak(t *testing.T) {
	text := os.Getenv(soakEnv)
	if text == "" {
		t.Skipf("%s is not set: it says for how long", soakEnv)
	}
	d, err := time.ParseDuration(text)
	require.NoError(t, err)
	path, _ := program(t)
	c := newCampaign(t, path)
	c.generation = longGeneration
	for i, end := 0, time.Now().Add(d); time.Now().Before(end); i++ {
		c.round(i)
	}
	c.report()
}

// program gives the program of the children: this one, or where it has the race detector in it one that is built without, so that processes start
// quickly. detecting reports that there was none to be had.
func program(t *testing.T) (path string, detecting bool) {
	if !race.Detector {
		return os.Args[0], false
	}
	path = filepath.Join(t.TempDir(), "child.test")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if output, err := build.CombinedOutput(); err != nil {
		t.Logf("the children have the race detector in them, because no program can be built without it: %v: %s", err, output)
		return os.Args[0], true
	}
	return path, false
}

// campaign is a number of rounds.
type campaign struct {
	t      *testing.T
	binary string // of the children

	generation int
	points     []string
	r          *rand.Rand
	began      time.Time

	world *world

	mu          sync.Mutex // guards what follows
	tried, died map[string]int
	acked       int // pushes
	erased      int // delete requests
	runs        int
}

// world is what the processes of one generation share.
type world struct {
	dir      string
	inBucket bool
	many     bool // rounds of several processes
	epoch    int64
	ledger   *trials.Ledger
	next     [processes]int // number of each slot's next push
}

func newCampaign(t *testing.T, child string) *campaign {
	points, err := trials.FaultPoints()
	require.NoError(t, err)
	require.NotEmpty(t, points)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d; points: %v", seed, points)
	return &campaign{t: t, binary: child, generation: generation, points: points, r: rand.New(rand.NewPCG(seed, 9)), began: time.Now(), tried: map[string]int{}, died: map[string]int{}}
}

func (c *campaign) newWorld(generation int) {
	dir, err := trials.TempDir()
	require.NoError(c.t, err)
	c.t.Cleanup(func() { _ = os.RemoveAll(dir) })
	c.world = &world{dir: dir, inBucket: generation%3 == 0, epoch: time.Now().UnixNano(), ledger: trials.NewLedger()}
	c.world.many = c.world.inBucket || generation%3 == 1
	for slot := range c.world.next {
		c.world.next[slot] = slot * apart
	}
}

// onDisk reports that a point is passed only where the log is on the disk.
func onDisk(point string) bool {
	return strings.HasPrefix(point, "wal.") || point == "engine.rotated" || point == "engine.truncated"
}

// round runs one process or three until they are dead, and looks at what they left.
func (c *campaign) round(i int) {
	if i%c.generation == 0 {
		c.newWorld(i / c.generation)
	}
	n := 1
	if i%2 == 1 && c.world.many {
		n = processes
	}
	var all sync.WaitGroup
	for slot := range n {
		o := orders{dir: c.world.dir, slot: slot, inBucket: c.world.inBucket, first: c.world.next[slot], epoch: c.world.epoch}
		life := time.Duration(50+c.r.IntN(500)) * time.Millisecond
		if c.r.IntN(6) > 0 {
			o.point, o.passes = c.choose(), c.r.IntN(3)
			life = patience
		}
		all.Go(func() { c.child(o, life) })
	}
	all.Wait()
	if c.t.Failed() {
		c.t.FailNow()
	}
	c.check(i)
}

// choose gives the point at which the fewest have tried to die.
func (c *campaign) choose() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	possible := slices.DeleteFunc(slices.Clone(c.points), func(p string) bool {
		return c.world.inBucket && onDisk(p)
	})
	c.r.Shuffle(len(possible), func(i, j int) { possible[i], possible[j] = possible[j], possible[i] })
	best := slices.MinFunc(possible, func(a, b string) int { return c.tried[a] - c.tried[b] })
	c.tried[best]++
	return best
}

// child runs a process until it dies, by itself at its point or after its life by our hand.
func (c *campaign) child(o orders, life time.Duration) {
	cmd := exec.Command(c.binary)
	cmd.Env = append(os.Environ(), childEnv+"="+o.String())
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		c.t.Error(err)
		return
	}
	timer := time.AfterFunc(life, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	acked, erased, there := 0, 0, false
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		what, text, _ := strings.Cut(lines.Text(), " ")
		if what == "at" {
			there = true
			continue
		}
		k, err := strconv.Atoi(text)
		if err != nil {
			continue
		}
		switch what {
		case "try":
			c.world.next[o.slot] = max(c.world.next[o.slot], k+1)
			c.world.ledger.Tried(tenant, o.push(k))
		case "ack":
			acked++
			c.world.ledger.Acked(tenant, o.push(k), o.slot, 0)
		case "erase":
			c.world.ledger.Erasing(o.erasure(k))
		case "erased":
			c.world.ledger.Erased(o.erasure(k), o.slot, 0)
			erased++
		}
	}
	err = cmd.Wait()
	if err == nil || !strings.Contains(err.Error(), "killed") {
		c.t.Errorf("a process ended by itself: %v: %s", err, stderr.String())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.runs++
	c.acked += acked
	c.erased += erased
	if there {
		c.died[o.point]++
	}
}

// check opens every slot that was used and holds what all show together against the ledger.
func (c *campaign) check(round int) {
	ctx := context.Background()
	w := c.world
	mint, maxt := w.epoch-int64(processes*apart)*int64(20*time.Second), w.epoch+int64(time.Minute)
	together := map[string]struct{}{}
	for slot, next := range w.next {
		if next == slot*apart {
			continue
		}
		opts, err := orders{dir: w.dir, slot: slot, inBucket: w.inBucket, epoch: w.epoch}.options()
		require.NoError(c.t, err)
		e, err := engine.Open(ctx, opts)
		require.NoError(c.t, err)
		require.Zero(c.t, e.Replayed().Damages)
		q := query.New(query.Options{Source: e})
		got, err := trials.Read(ctx, q, tenant, mint, maxt)
		if err == nil {
			err = w.ledger.Check(tenant, mint, maxt, got, func(by int, _ int64) bool { return w.inBucket || by == slot }, nil)
		}
		if err == nil {
			err = c.count(ctx, q, mint, maxt, len(got))
		}
		if err != nil {
			c.t.Fatalf("round %d, log in bucket: %t, slot %d: %v", round, w.inBucket, slot, err)
		}
		for _, id := range got {
			together[id] = struct{}{}
		}
		err = errors.Join(e.Close(ctx), opts.Bucket.Close())
		require.NoError(c.t, err)
	}
	all := make([]string, 0, len(together))
	for id := range together {
		all = append(all, id)
	}
	if err := w.ledger.Check(tenant, mint, maxt, all, nil, nil); err != nil {
		c.t.Fatalf("round %d, log in bucket: %t: %v", round, w.inBucket, err)
	}
}

func (c *campaign) count(ctx context.Context, q *query.Engine, mint, maxt int64, want int) error {
	n, err := trials.Count(ctx, q, tenant, mint, maxt)
	if err == nil && n != want {
		err = fmt.Errorf("%d entries are counted, %d come out", n, want)
	}
	return err
}

func (c *campaign) report() {
	var at []string
	for p, n := range c.died {
		at = append(at, fmt.Sprintf("%s %d", p, n))
	}
	slices.Sort(at)
	c.t.Logf("%d processes killed in %s, %d pushes and %d deletions acknowledged; died at %s", c.runs, time.Since(c.began).Round(time.Second), c.acked, c.erased, strings.Join(at, ", "))
}
