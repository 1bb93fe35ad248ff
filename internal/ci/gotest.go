package ci

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// testEvent is one line of `go test -json`.
type testEvent struct {
	Action     string
	Package    string
	ImportPath string
	Test       string
	Elapsed    float64
	Output     string
}

// goTest runs `go test -json` with args, prints a line per package, the output of what failed and the reason of what was skipped.
func goTest(ctx context.Context, out io.Writer, env []string, args ...string) (Tally, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-json"}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.WaitDelay = 10 * time.Second
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return Tally{}, err
	}
	if err := cmd.Start(); err != nil {
		return Tally{}, err
	}
	tally := readTestEvents(stdout, out)
	err = cmd.Wait()
	_, _ = out.Write(stderr.Bytes())
	if err != nil {
		if tally.Failed == 0 {
			return tally, fmt.Errorf("go test: %w", err)
		}
		return tally, errCounted
	}
	return tally, nil
}

// readTestEvents sums the events of `go test -json` and prints what a reader needs of them.
func readTestEvents(in io.Reader, out io.Writer) Tally {
	var tally Tally
	outputs := map[string][]string{}   // of tests that still run, and of packages
	failedTests := map[string]int{}    // by package
	buildOutput := map[string]string{} // by import path
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e testEvent
			if json.Unmarshal(line, &e) != nil {
				fmt.Fprint(out, string(line))
				continue
			}
			key := e.Package + " " + e.Test
			switch e.Action {
			case "output":
				outputs[key] = append(outputs[key], e.Output)
			case "build-output":
				buildOutput[e.ImportPath] += e.Output
			case "build-fail":
				fmt.Fprint(out, buildOutput[e.ImportPath])
			case "pass", "fail", "skip":
				closeTest(e, outputs[key], failedTests, &tally, out)
				delete(outputs, key)
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				fmt.Fprintln(out, err)
			}
			return tally
		}
	}
}

// closeTest accounts for the end of one test, or of one package where e names no test.
func closeTest(e testEvent, output []string, failedTests map[string]int, tally *Tally, out io.Writer) {
	switch {
	case e.Test == "" && e.Action == "fail":
		if failedTests[e.Package] == 0 { // it did not build, panicked outside a test, or ran out of time
			tally.Failed++
			fmt.Fprint(out, strings.Join(output, ""))
		}
		fmt.Fprintf(out, "FAIL %s %.1fs\n", e.Package, e.Elapsed)
	case e.Test == "" && e.Action == "pass":
		fmt.Fprintf(out, "ok   %s %.1fs\n", e.Package, e.Elapsed)
	case e.Test == "":
	case e.Action == "fail":
		tally.Failed++
		failedTests[e.Package]++
		fmt.Fprint(out, strings.Join(output, ""))
	case e.Action == "skip":
		tally.Skipped++
		fmt.Fprintf(out, "skip %s: %s\n", e.Test, skipReason(output))
	default:
		tally.Passed++
	}
}

// skipReason is the text that a test gave to t.Skip.
func skipReason(output []string) string {
	var reason []string
	for _, line := range output {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "===") || strings.HasPrefix(line, "---") || line == "" {
			continue
		}
		reason = append(reason, line)
	}
	return strings.Join(slices.Compact(reason), " ")
}
