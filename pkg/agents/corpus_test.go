package agents

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// systems are the real logs that are sent: UTF-8 all of them, with repeated lines, trailing blanks and lines of 2.5 kB.
var systems = []string{"Linux", "OpenSSH", "Apache", "HDFS", "Zookeeper", "OpenStack", "Proxifier"}

// fewest is how many lines every client sends at least.
const fewest = 10_000

// corpus is what every client sends. Lines are numbered: agents stamp them with their own clocks, some only to the millisecond, and two
// equal lines of one stream and instant are one entry.
func corpus(t testing.TB) []string {
	t.Helper()
	lines, err := readCorpus()
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(lines), fewest)
	return lines
}

var readCorpus = sync.OnceValues(func() ([]string, error) {
	var lines []string
	dir := sharedLogs()
	for _, system := range systems {
		if dir == "" {
			break
		}
		text, err := os.ReadFile(filepath.Join(dir, system+".log"))
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(text)) {
			lines = append(lines, strings.TrimRight(line, "\r\n"))
		}
	}
	for i := 0; dir == "" && i < 14_000; i++ {
		lines = append(lines, madeUp(i))
	}
	for i, line := range lines {
		lines[i] = fmt.Sprintf("%05d %s", i, line)
	}
	return lines, nil
})

// sharedLogs is the directory of real logs, or "".
func sharedLogs() string {
	if shared := os.Getenv("CAMBIUM_SHARED"); shared != "" {
		return filepath.Join(shared, "logs")
	}
	_, file, _, _ := runtime.Caller(0)
	for dir := filepath.Dir(file); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		logs := filepath.Join(dir, "shared", "logs")
		if info, err := os.Stat(logs); err == nil && info.IsDir() {
			return logs
		}
	}
	return ""
}

// madeUp is a line for where there are no real logs, with what trips encoders.
func madeUp(i int) string {
	switch i % 4 {
	case 0:
		return fmt.Sprintf(`10.0.%d.%d - - "GET /api/orders/%d?q=\"a\\b\" HTTP/1.1" 200 %d`, i%256, i%7, i*31, i*17)
	case 1:
		return fmt.Sprintf(`level=warn msg="täglich – 日本語 😀" took=%dms user='o'\''brien' `, i%1000)
	case 2:
		return fmt.Sprintf(`{"level":"error","nested":{"id":%d,"path":"C:\\temp\\%d"},"list":[1,2,{}]}`, i, i%100)
	}
	return strings.Repeat(fmt.Sprintf("<%d>&amp;%%2F ", i), 1+i%50)
}

// corpusFile writes lines to a file as programs write logs.
func corpusFile(t testing.TB, lines []string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "corpus.txt")
	require.NoError(t, os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o644))
	return file
}

// difference tells how got differs from want, both in order; "" when it does not.
func difference(want, got []string) string {
	left := make(map[string]int, len(want))
	for _, line := range want {
		left[line]++
	}
	var strange, missing, swapped []string
	for _, line := range got {
		if left[line] == 0 {
			strange = append(strange, line)
			continue
		}
		left[line]--
	}
	for _, line := range want {
		if left[line] > 0 {
			left[line]--
			missing = append(missing, line)
		}
	}
	if len(strange)+len(missing) == 0 {
		for i := range want {
			if want[i] != got[i] {
				swapped = append(swapped, fmt.Sprintf("%q where %q was sent", got[i], want[i]))
			}
		}
	}
	var out strings.Builder
	for _, part := range []struct {
		what  string
		lines []string
	}{{"missing", missing}, {"twice or never sent", strange}, {"out of order", swapped}} {
		if len(part.lines) > 0 {
			fmt.Fprintf(&out, "%d %s, such as:\n", len(part.lines), part.what)
			for _, line := range part.lines[:min(len(part.lines), 3)] {
				fmt.Fprintf(&out, "  %.300q\n", line)
			}
		}
	}
	return out.String()
}

func TestDifference(t *testing.T) {
	sent := []string{"a", "b", "b", "c"}
	require.Empty(t, difference(sent, []string{"a", "b", "b", "c"}))
	require.Contains(t, difference(sent, []string{"a", "b", "c"}), "1 missing")
	require.Contains(t, difference(sent, []string{"a", "b", "b", "b", "c"}), "1 twice")
	require.Contains(t, difference(sent, []string{"b", "a", "b", "c"}), "2 out of order")
	require.Contains(t, difference(sent, nil), "4 missing")
}
