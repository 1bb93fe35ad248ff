// Command enginebench measures what an instance does beside pushing and querying: replaying its log, copying and merging chunks, holding many
// streams, starting on many segments. `go tool mage bench` prints its tables.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/cambium-logs/cambium/internal/loggen"
)

func main() {
	var o options
	flag.StringVar(&o.pushes, "pushes", "", "file of pushes to measure with; empty: lines are made up")
	flag.Int64Var(&o.bytes, "bytes", 64<<20, "bytes of lines that are made up")
	flag.IntVar(&o.streams, "streams", 200_000, "active streams of the tenant with many")
	flag.IntVar(&o.segments, "segments", 100_000, "segments of the tenant with many")
	part := flag.String("part", "", "the only part to measure: log, merging, streams, segments")
	flag.Parse()
	if err := run(context.Background(), o, *part); err != nil {
		fmt.Fprintln(os.Stderr, "enginebench:", err)
		os.Exit(1)
	}
}

type options struct {
	pushes            string
	bytes             int64
	streams, segments int
	dir               string // for files, of the part alone
}

// parts are measured in processes of their own, so that none finds the memory of another.
var parts = []struct {
	name string
	run  func(ctx context.Context, o options) error
}{{"log", measureLog}, {"merging", measureMerging}, {"streams", measureStreams}, {"segments", measureSegments}}

func run(ctx context.Context, o options, part string) error {
	dir, err := os.MkdirTemp("", "cambium-enginebench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	o.dir = dir
	for _, p := range parts {
		if p.name == part {
			return p.run(ctx, o)
		}
	}
	if part != "" {
		return fmt.Errorf("there is no part %q", part)
	}
	begin := time.Now().UTC().Truncate(24 * time.Hour).Add(-24 * time.Hour)
	if o.pushes, err = loggen.Made(o.pushes, dir, loggen.Options{Bytes: o.bytes, Begin: begin, End: begin.Add(6 * time.Hour)}); err != nil {
		return err
	}
	fmt.Printf("%s, %d cores, %s/%s.\n", runtime.Version(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)
	program, err := os.Executable()
	if err != nil {
		return err
	}
	for _, p := range parts {
		cmd := exec.CommandContext(ctx, program, "-part", p.name, "-pushes", o.pushes, "-streams", fmt.Sprint(o.streams), "-segments", fmt.Sprint(o.segments))
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("part %s: %w", p.name, err)
		}
	}
	return nil
}

func (o *options) path(name string) string { return filepath.Join(o.dir, name) }

// table is what a part prints.
type table struct{ rows [][3]string }

func (t *table) row(what, measured, note string) {
	t.rows = append(t.rows, [3]string{what, measured, note})
}

func (t *table) print(title string) {
	fmt.Printf("\n### %s\n\n| what | measured | |\n| --- | ---: | --- |\n", title)
	for _, r := range t.rows {
		fmt.Printf("| %s | %s | %s |\n", r[0], r[1], r[2])
	}
}

// wanted adds what is wanted of a measurement to its note.
func wanted(bar string, met bool) string {
	if met {
		return bar + " wanted: met"
	}
	return bar + " wanted: missed"
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }
func millis(d time.Duration) string  { return fmt.Sprintf("%.1f ms", d.Seconds()*1e3) }
func megabytes(n int64) string       { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
func rate(bytes int64, d time.Duration) string {
	return fmt.Sprintf("%.0f MB/s", float64(bytes)/1e6/d.Seconds())
}

// timed gives the time that passes in f.
func timed(f func() error) (time.Duration, error) {
	began := time.Now()
	err := f()
	return time.Since(began), err
}
