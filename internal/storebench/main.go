// Command storebench measures how small logs are stored and how fast they are found, beside what compressing the same lines with snappy and zstd
// gives and what scanning them takes. `go tool mage bench` prints its tables.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/cambium-logs/cambium/internal/loggen"
)

func main() {
	var o options
	flag.StringVar(&o.pushes, "pushes", "", "file of pushes to measure with; empty: lines are made up")
	flag.StringVar(&o.logs, "logs", "", "directory with samples of logs, NAME.log; empty: none")
	flag.Int64Var(&o.bytes, "bytes", 64<<20, "bytes of lines that are made up")
	flag.StringVar(&o.only, "only", "", "regular expression of the queries to measure, without sizes; empty: everything")
	flag.StringVar(&o.profile, "profile", "", "file for a CPU profile of the queries, without their floors")
	flag.Parse()
	if err := run(context.Background(), o); err != nil {
		fmt.Fprintln(os.Stderr, "storebench:", err)
		os.Exit(1)
	}
}

type options struct {
	pushes, logs  string
	bytes         int64
	only, profile string
}

func run(ctx context.Context, o options) error {
	// One core for everything but pushing, so that ratios do not depend on what else is parallel.
	runtime.GOMAXPROCS(1)
	dir, err := os.MkdirTemp("", "cambium-storebench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	begin := time.Now().UTC().Truncate(24 * time.Hour).Add(-48 * time.Hour)
	if o.pushes, err = loggen.Made(o.pushes, dir, loggen.Options{Bytes: o.bytes, Begin: begin, End: begin.Add(6 * time.Hour)}); err != nil {
		return err
	}
	s, err := surveyOf(o.pushes)
	if err != nil {
		return err
	}
	fmt.Printf("%s of lines, %d lines in %d streams and %d pushes; %s, one core, %s/%s.\n\n",
		megabytes(s.raw), s.lines, s.streams, s.pushes, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	var b bars
	if o.only == "" {
		if err := measureSizes(s, o.logs, &b); err != nil {
			return err
		}
		if err := measurePushing(ctx, o.pushes, dir, &b); err != nil {
			return err
		}
	}
	s.kinds = nil
	if err := measureStore(ctx, s, o, dir, &b); err != nil {
		return err
	}
	b.print()
	return nil
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
