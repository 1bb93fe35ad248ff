package ci

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Bench prints the benchmark table. CAMBIUM_BENCH_WRITE=1 writes docs/benchmarks.md, CAMBIUM_BENCH_BYTES says how many bytes of lines to
// measure with.
func Bench(ctx context.Context) error {
	if err := Backend(ctx); err != nil {
		return err
	}
	args := []string{"run", "-tags", buildTags, "./internal/bench", "-plugin", Binary()}
	if logs := filepath.Join(sharedDir(), "logs"); exists(logs) {
		args = append(args, "-logs", logs)
	}
	if size := os.Getenv("CAMBIUM_BENCH_BYTES"); size != "" {
		args = append(args, "-bytes", size)
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

const benchPage = `# Benchmarks

    CAMBIUM_BENCH_WRITE=1 go tool mage bench

Every number stands beside a floor of the same run: what the same machine needs for the part of the work that cannot be left out. Pushing has
the floor of writing as many bytes to a file, with an fsync after each push where the push has one. MB are millions of bytes of log lines.

%s`
