package ci

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
)

// jest runs the frontend's unit tests.
func jest(ctx context.Context, out io.Writer) (Tally, error) {
	dir, err := os.MkdirTemp("", "jest")
	if err != nil {
		return Tally{}, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "result.json")
	runErr := quiet(ctx, out, []string{"CI=true"}, "npm", "run", "test:ci", "--", "--json", "--outputFile="+file, "--testTimeout=60000")
	text, err := os.ReadFile(file)
	if err != nil {
		if runErr != nil {
			return Tally{}, runErr
		}
		return Tally{}, fmt.Errorf("jest wrote no result: %w", err)
	}
	var result struct {
		NumPassedTests, NumFailedTests, NumPendingTests, NumTodoTests, NumRuntimeErrorTestSuites int
	}
	if err := json.Unmarshal(text, &result); err != nil {
		return Tally{}, fmt.Errorf("jest's result: %w", err)
	}
	tally := Tally{
		Passed:  result.NumPassedTests,
		Failed:  result.NumFailedTests + result.NumRuntimeErrorTestSuites,
		Skipped: result.NumPendingTests + result.NumTodoTests,
	}
	if runErr != nil && tally.Failed > 0 {
		return tally, errCounted
	}
	return tally, runErr
}

// browserSuite drives the workbench page in a real Chromium.
func browserSuite(ctx context.Context, out io.Writer) (Tally, error) {
	const script = "test:browser"
	if !hasScript(script) {
		return Tally{}, errSkip("package.json has no script " + script)
	}
	chromium, err := findChromium(ctx, out)
	if err != nil {
		return Tally{}, err
	}
	var served bytes.Buffer // what the workbench says matters only when something fails
	url, stop, err := startWorkbench(ctx, &served)
	if err != nil {
		_, _ = out.Write(served.Bytes())
		return Tally{}, err
	}
	var output bytes.Buffer
	runErr := command(ctx, io.MultiWriter(out, &output), []string{"CHROMIUM=" + chromium, "WORKBENCH_URL=" + url}, "npm", "run", "--silent", script)
	stop()
	if runErr != nil {
		_, _ = out.Write(served.Bytes())
	}
	tally, counted := closingLine(output.String())
	if runErr != nil && counted && tally.Failed > 0 {
		return tally, errCounted
	}
	return tally, runErr
}

var closingLinePattern = regexp.MustCompile(`(?m)^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\r?$`)

// closingLine finds the last line of the form "N passed, N failed, N skipped".
func closingLine(output string) (Tally, bool) {
	all := closingLinePattern.FindAllStringSubmatch(output, -1)
	if len(all) == 0 {
		return Tally{}, false
	}
	var numbers [3]int
	for i, text := range all[len(all)-1][1:] {
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			return Tally{}, false
		}
		numbers[i] = n
	}
	return Tally{Passed: numbers[0], Failed: numbers[1], Skipped: numbers[2]}, true
}
