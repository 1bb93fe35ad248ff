// Command storebench measures how small logs are stored and how fast they are found, beside what compressing the same lines with snappy and zstd
// gives and what scanning them takes. `go tool mage bench` prints its tables.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
)

func main() {
	pushes := flag.String("pushes", "", "file of pushes to measure with; empty: lines are made up")
	logs := flag.String("logs", "", "directory with samples of logs, NAME.log; empty: none")
	size := flag.Int64("bytes", 64<<20, "bytes of lines that are made up")
	only := flag.String("only", "", "regular expression of the queries to measure, without sizes; empty: everything")
	profile := flag.String("profile", "", "file for a CPU profile of the queries, without their floors")
	flag.Parse()
	if err := run(context.Background(), *pushes, *logs, *size, *only, *profile); err != nil {
		fmt.Fprintln(os.Stderr, "storebench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, pushes, logs string, size int64, only, profile string) error {
	// One core for everything, so that ratios do not depend on what else is parallel.
	runtime.GOMAXPROCS(1)
	w, err := workloadOf(pushes, size)
	if err != nil {
		return err
	}
	fmt.Printf("%s of lines, %d lines in %d streams, %s; %s, one core, %s/%s.\n\n", megabytes(w.raw), w.lines, len(w.streams), w.kind, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	var b bars
	if only == "" {
		if err := measureSizes(w, logs, &b); err != nil {
			return err
		}
	}
	if err := measureQueries(ctx, w, &b, only, profile); err != nil {
		return err
	}
	b.print()
	return nil
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

// bars are what is wanted of the measurements.
type bars []bar

type bar struct {
	what         string
	wanted, have string
	met          bool
}

func (b *bars) atMost(what string, most, have float64, unit string) {
	*b = append(*b, bar{what, fmt.Sprintf("≤ %g%s", most, unit), fmt.Sprintf("%.3g%s", have, unit), have <= most})
}

func (b *bars) atLeast(what string, least, have float64, unit string) {
	*b = append(*b, bar{what, fmt.Sprintf("≥ %g%s", least, unit), fmt.Sprintf("%.3g%s", have, unit), have >= least})
}

func (b *bars) print() {
	fmt.Print("\n### What is wanted\n\n| what | wanted | measured | |\n| --- | ---: | ---: | --- |\n")
	for _, x := range *b {
		verdict := "missed"
		if x.met {
			verdict = "met"
		}
		fmt.Printf("| %s | %s | %s | %s |\n", x.what, x.wanted, x.have, verdict)
	}
}
