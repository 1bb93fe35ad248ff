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
	if generator := filepath.Join(sharedDir(), "loggen"); exists(generator) {
		dir, err := os.MkdirTemp("", "cambium-bench")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		if err := generate(ctx, generator, dir, size); err != nil {
			return err
		}
		args = append(args, "-pushes", filepath.Join(dir, "batches.bin"))
	}
	var table bytes.Buffer
	if err := command(ctx, io.MultiWriter(os.Stdout, &table), staticEnv, "go", args...); err != nil {
		return err
	}
	if os.Getenv("CAMBIUM_BENCH_WRITE") != "1" {
		return nil
	}
	return os.WriteFile(filepath.Join("docs", "benchmarks.md"), fmt.Appendf(nil, benchPage, table.String()), 0o644)
}

// generate makes a file of pushes that end now.
func generate(ctx context.Context, generator, out, size string) error {
	samples, err := filepath.Abs(filepath.Join(sharedDir(), "logs"))
	if err != nil {
		return err
	}
	return quiet(ctx, os.Stdout, nil, "go", "run", "-C", generator, ".", "gen", "-samples", samples, "-out", out, "-bytes", size,
		"-end", time.Now().UTC().Format(time.RFC3339), "-no-raw")
}

const benchPage = `# Benchmarks

    CAMBIUM_BENCH_WRITE=1 go tool mage bench

Every number stands beside a floor of the same run: what the same machine needs for the part of the work that cannot be left out. Pushing has
the floor of writing as many bytes to a file, with an fsync after each push where the push has one. MB are millions of bytes of log lines.

%s`
