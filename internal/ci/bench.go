package ci

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Bench prints the benchmark table. CAMBIUM_BENCH_WRITE=1 writes docs/benchmarks.md, CAMBIUM_BENCH_BYTES says how many bytes of lines to
// measure with.
func Bench(ctx context.Context) error {
	if err := Backend(ctx); err != nil {
		return err
	}
	size := os.Getenv("CAMBIUM_BENCH_BYTES")
	if size == "" {
		size = "67108864"
	}
	args := []string{"run", "-tags", buildTags, "./internal/bench", "-plugin", Binary(), "-bytes", size}
	storeArgs := []string{"run", "-tags", buildTags, "./internal/storebench", "-bytes", size}
	if generator := filepath.Join(sharedDir(), "loggen"); exists(generator) {
		dir, err := os.MkdirTemp("", "cambium-bench")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		if err := generate(ctx, generator, dir, size); err != nil {
			return err
		}
		pushes := filepath.Join(dir, "batches.bin")
		args = append(args, "-pushes", pushes)
		storeArgs = append(storeArgs, "-pushes", pushes)
	}
	if samples, err := filepath.Abs(filepath.Join(sharedDir(), "logs")); err == nil && exists(samples) {
		storeArgs = append(storeArgs, "-logs", samples)
	}
	var table, store bytes.Buffer
	if err := command(ctx, io.MultiWriter(os.Stdout, &table), staticEnv, "go", args...); err != nil {
		return err
	}
	fmt.Println()
	if err := command(ctx, io.MultiWriter(os.Stdout, &store), staticEnv, "go", storeArgs...); err != nil {
		return err
	}
	if os.Getenv("CAMBIUM_BENCH_WRITE") != "1" {
		return nil
	}
	return os.WriteFile(filepath.Join("docs", "benchmarks.md"), fmt.Appendf(nil, benchPage, size, table.String(), store.String()), 0o644)
}

// generate makes a file of pushes of yesterday afternoon: of one day, so that all of it can be compacted.
func generate(ctx context.Context, generator, out, size string) error {
	samples, err := filepath.Abs(filepath.Join(sharedDir(), "logs"))
	if err != nil {
		return err
	}
	return quiet(ctx, os.Stdout, nil, "go", "run", "-C", generator, ".", "gen", "-samples", samples, "-out", out, "-bytes", size,
		"-end", time.Now().UTC().Truncate(24*time.Hour).Add(-6*time.Hour).Format(time.RFC3339), "-no-raw")
}

const benchPage = `# Benchmarks

    CAMBIUM_BENCH_WRITE=1 CAMBIUM_BENCH_BYTES=%s go tool mage bench

CAMBIUM_BENCH_BYTES says how many bytes of lines are measured with; without it 64 MiB. Every number stands beside a floor of the same run:
what the same machine needs for the part of the work that cannot be left out. Ratios mean something on any machine; the rates below come from
a virtual machine of two cores that had other work to do. MB are millions of bytes of log lines.

## Pushing, scanning, memory

Pushing has the floor of writing as many bytes to a file, with an fsync after each push where the push has one.

%s
## Storing and finding

Everything here runs on one core, and times are CPU time, the best of a few runs.

- *stored* is the whole segment: chunks with timestamps, skip filters, index, directory. What snappy and zstd are given is the lines
  alone, in blocks of 1 MiB; nanosecond timestamps that lines do not repeat are random to any encoding, and count for one side only.
  The samples are 2000 lines each, a fraction of a chunk; the workload's chunks grow with CAMBIUM_BENCH_BYTES up to 4 MiB of lines. zstd is github.com/klauspost/compress: level 3 is its SpeedDefault; its best is SpeedBestCompression, which stands for levels
  above 11 and is not as thorough as the reference's level 19.
- *encode* is cutting lines into templates and columns, compressing those, and making the skip filter; *decode* is rebuilding every line.
- The queries run over the compacted store without a result cache, except where they are asked again. *bytes read* come from the bucket, and
  *pruned* are chunks that a skip filter ruled out. *lines in memory* looks for the query's literal in all lines with bytes.Index; *zstd and scan* decompresses
  all blocks first, and matches the pattern line by line where there is one. For json and logfmt it is the same query over plain chunks, where every
  line is decompressed and parsed. × is how many times longer the floor takes than the query.
- A text shorter than 16 bytes has no skip filter: such queries read every chunk and are decided on templates and dictionaries.

%s`
