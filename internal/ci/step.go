package ci

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// Tally counts the outcomes of tests, and of checks that are one test each.
type Tally struct{ Passed, Failed, Skipped int }

// Add sums two tallies.
func (t *Tally) Add(o Tally) {
	t.Passed += o.Passed
	t.Failed += o.Failed
	t.Skipped += o.Skipped
}

// String is the closing line of a run.
func (t Tally) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", t.Passed, t.Failed, t.Skipped)
}

// errSkip marks a step that could not run here. Its text says what is missing.
type errSkip string

func (e errSkip) Error() string { return string(e) }

// errCounted is returned by a step that has put its failures into the tally itself.
var errCounted = errors.New("some tests failed")

// report runs steps and remembers what came of them. Steps may run at the same time; each one's output is printed when it ends.
type report struct {
	mu     sync.Mutex
	out    io.Writer
	tally  Tally
	failed []string
	skips  []string
}

// step runs one check. It returns whether what depends on the check can go on.
func (r *report) step(name string, check func(out io.Writer) (Tally, error)) bool {
	started := time.Now()
	var out bytes.Buffer
	tally, err := check(&out)
	r.mu.Lock()
	defer r.mu.Unlock()
	verdict := "ok"
	var skip errSkip
	switch {
	case errors.As(err, &skip):
		verdict = "skipped: " + skip.Error()
		tally.Skipped++
		r.skips = append(r.skips, name+": "+skip.Error())
	case errors.Is(err, errCounted):
		verdict = "FAILED: " + tally.String()
		r.failed = append(r.failed, name)
	case err != nil:
		verdict = "FAILED: " + err.Error()
		tally.Failed++
		r.failed = append(r.failed, name)
	case tally == Tally{}:
		tally.Passed = 1
	default:
		verdict = "ok: " + tally.String()
	}
	r.tally.Add(tally)
	fmt.Fprintf(r.out, "==> %s (%s) %s\n", name, time.Since(started).Round(100*time.Millisecond), verdict)
	if out.Len() > 0 {
		_, _ = r.out.Write(out.Bytes())
		if !bytes.HasSuffix(out.Bytes(), []byte("\n")) {
			fmt.Fprintln(r.out)
		}
	}
	return err == nil
}

// command runs a program with the repository as its directory and gives its whole output when it fails.
func command(ctx context.Context, out io.Writer, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return nil
}

// quiet is command without output unless it fails.
func quiet(ctx context.Context, out io.Writer, env []string, name string, args ...string) error {
	var kept bytes.Buffer
	err := command(ctx, &kept, env, name, args...)
	if err != nil {
		_, _ = out.Write(kept.Bytes())
	}
	return err
}

// single makes a check of a function that is one pass or one failure.
func single(run func(out io.Writer) error) func(io.Writer) (Tally, error) {
	return func(out io.Writer) (Tally, error) { return Tally{}, run(out) }
}
