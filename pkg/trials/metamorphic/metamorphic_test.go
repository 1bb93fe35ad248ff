package metamorphic

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/internal/race"
	"github.com/cambium-logs/cambium/pkg/trials"
)

const (
	seedEnv      = "CAMBIUM_TRIAL_SEED"
	sequencesEnv = "CAMBIUM_TRIAL_SEQUENCES"
	soakEnv      = "CAMBIUM_SOAK"

	sequences = 2000
	// withDetector is how many there are with the race detector, which makes them many times slower.
	withDetector = 40
	// enough ends a run early on a slow machine.
	enough = 90 * time.Second
)

// TestSequences runs the sequences of the seeds from 1 on.
func TestSequences(t *testing.T) {
	if text := os.Getenv(seedEnv); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
		run(t, seed, 1, time.Hour, true)
		return
	}
	n := sequences
	if race.Detector {
		n = withDetector
	}
	if text := os.Getenv(sequencesEnv); text != "" {
		var err error
		n, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	run(t, 1, n, enough, testing.Verbose() && n == 1)
}

// TestSoak runs new sequences for as long as CAMBIUM_SOAK says.
func TestSoak(t *testing.T) {
	text := os.Getenv(soakEnv)
	if text == "" {
		t.Skipf("%s is not set: it says for how long", soakEnv)
	}
	d, err := time.ParseDuration(text)
	require.NoError(t, err)
	run(t, uint64(time.Now().UnixNano()), 1<<40, d, false)
}

// run runs n sequences, one after the other in one simulated time, because memory pools must not pass from one simulation to another.
func run(t *testing.T, first uint64, n int, limit time.Duration, verbose bool) {
	var over atomic.Bool // set by the real clock
	defer time.AfterFunc(limit, func() { over.Store(true) }).Stop()
	began := time.Now()
	done := 0
	var sum totals
	synctest.Test(t, func(t *testing.T) {
		for ; done < n && !over.Load(); done++ {
			seed := first + uint64(done)
			cryptotest.SetGlobalRandom(t, seed)
			time.Sleep(time.Until(time.Now().Truncate(24 * time.Hour).Add(30 * time.Hour))) // the same time of day for each
			if trace, err := sequence(seed, verbose, &sum); err != nil {
				t.Fatalf("sequence %d failed; replay it with %s=%d\n%s\n%v", seed, seedEnv, seed, trace, err)
			}
		}
	})
	t.Logf("%d sequences, seeds from %d, took %s: %+v", done, first, time.Since(began).Round(time.Second), sum)
}

// totals say how much of what there is to try was tried.
type totals struct{ Entries, Pushes, Processes, Merges, Removed, Deletions, TakenBack, Faults, Damaged int }

// sequence runs one sequence and tells what it did.
func sequence(seed uint64, verbose bool, sum *totals) (string, error) {
	var trace strings.Builder
	step := "start"
	began := time.Now()
	say := func(format string, args ...any) {
		line := fmt.Sprintf("%12s  %s\n", time.Since(began), fmt.Sprintf(format, args...))
		trace.WriteString(line)
		if verbose {
			fmt.Print(line)
		}
	}
	dir, err := trials.TempDir()
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	w := newWorld(seed, dir, say)
	w.totals = sum
	defer func() {
		sum.Entries += w.ledger.Len()
		sum.Pushes += int(w.acked.Load())
		sum.Processes += w.next
		for _, p := range w.procs {
			p.conn.Cut()
			_ = w.close(p)
		}
	}()
	for slot := range 1 + w.r.IntN(3) {
		p, err := w.start(slot)
		if err != nil {
			return trace.String(), err
		}
		w.procs = append(w.procs, p)
	}
	total := 0
	for _, op := range operations {
		total += op.weight
	}
	for range 10 + w.r.IntN(70) {
		pick := w.r.IntN(total)
		for _, op := range operations {
			if pick -= op.weight; pick >= 0 {
				continue
			}
			p := w.procs[w.r.IntN(len(w.procs))]
			step = op.name
			say("process %d: %s", p.id, step)
			if err := op.run(w, p); err != nil {
				return trace.String(), fmt.Errorf("%s: %w", step, err)
			}
			break
		}
	}
	say("finish")
	if err := w.finish(); err != nil {
		return trace.String(), fmt.Errorf("finish: %w", err)
	}
	return trace.String(), nil
}
