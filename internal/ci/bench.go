package ci

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// benchPart is a part of the benchmarks that can be run alone, and a section of their page.
type benchPart struct {
	name string // for CAMBIUM_BENCH_ONLY
	text string // of the section: its heading, what its figures mean, and %s for the tables
	run  func(ctx context.Context, out io.Writer, w benchWork) error
}

// benchWork is what the parts measure with.
type benchWork struct{ size, pushes, logs string } // files that are not there are empty

// args are the flags of a program that measures.
func (w benchWork) args(program string, more ...string) []string {
	args := append([]string{"run", "-tags", buildTags, program, "-bytes", w.size}, more...)
	if w.pushes != "" {
		args = append(args, "-pushes", w.pushes)
	}
	return args
}

func benchParts() []benchPart {
	return []benchPart{
		{"pushing", pushingPage, func(ctx context.Context, out io.Writer, w benchWork) error {
			return command(ctx, out, staticEnv, "go", w.args("./internal/bench", "-plugin", Binary())...)
		}},
		{"finding", findingPage, func(ctx context.Context, out io.Writer, w benchWork) error {
			return command(ctx, out, staticEnv, "go", w.args("./internal/storebench", "-logs", w.logs)...)
		}},
		{"storage", storagePage, benchStorage},
	}
}

// benchStorage measures what an instance does beside pushing and querying, then counts requests in simulated time and queries a real S3 server.
func benchStorage(ctx context.Context, out io.Writer, w benchWork) error {
	if err := command(ctx, out, staticEnv, "go", w.args("./internal/enginebench")...); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "cambium-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	err = quiet(ctx, out, append(slices.Clone(staticEnv), "CAMBIUM_BENCH_OUT="+dir), "go", "test", "-tags", buildTags, "-count=1", "-timeout=30m",
		"-run=^TestRequests$", "-bench=^BenchmarkQuery$", "-benchtime=10x", "./pkg/trials/requests")
	if err != nil {
		return err
	}
	for _, t := range []struct{ file, title string }{
		{"s3.md", "Queries on S3, over loopback, and on a directory: time, requests"},
		{"requests.md", "Requests"},
	} {
		text, err := os.ReadFile(filepath.Join(dir, t.file))
		if os.IsNotExist(err) {
			text, err = []byte("Not measured: there is no S3 server here.\n"), nil
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "\n### %s\n\n%s", t.title, text)
	}
	return nil
}

// Bench prints the tables of the benchmarks. CAMBIUM_BENCH_WRITE=1 writes docs/benchmarks.md, CAMBIUM_BENCH_BYTES says how many bytes of lines to
// measure with, and CAMBIUM_BENCH_ONLY names the parts to run, with commas between them; the page keeps what it has of the others.
func Bench(ctx context.Context) error {
	parts := benchParts()
	if only := os.Getenv("CAMBIUM_BENCH_ONLY"); only != "" {
		names := strings.Split(only, ",")
		for _, n := range names {
			if !slices.ContainsFunc(parts, func(p benchPart) bool { return p.name == n }) {
				return fmt.Errorf("CAMBIUM_BENCH_ONLY names %q, which is no part of the benchmarks", n)
			}
		}
		parts = slices.DeleteFunc(parts, func(p benchPart) bool { return !slices.Contains(names, p.name) })
	}
	if err := Backend(ctx); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "cambium-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	w, err := benchWorkIn(ctx, dir)
	if err != nil {
		return err
	}
	for _, p := range parts {
		var tables bytes.Buffer
		fmt.Printf("\n## %s\n\n", p.name)
		if err := p.run(ctx, io.MultiWriter(os.Stdout, &tables), w); err != nil {
			return err
		}
		if os.Getenv("CAMBIUM_BENCH_WRITE") != "1" {
			continue
		}
		if err := writeSection(filepath.Join("docs", "benchmarks.md"), fmt.Sprintf(benchPage, w.size), fmt.Sprintf(p.text, tables.String())); err != nil {
			return err
		}
	}
	return nil
}

// benchWorkIn generates what there is to measure with, in a directory. Without the generator the programs make lines up.
func benchWorkIn(ctx context.Context, dir string) (benchWork, error) {
	w := benchWork{size: os.Getenv("CAMBIUM_BENCH_BYTES")}
	if w.size == "" {
		w.size = "67108864"
	}
	if samples, err := filepath.Abs(filepath.Join(sharedDir(), "logs")); err == nil && exists(samples) {
		w.logs = samples
	}
	generator := filepath.Join(sharedDir(), "loggen")
	if w.logs == "" || !exists(generator) {
		return w, nil
	}
	w.pushes = filepath.Join(dir, "batches.bin")
	// Yesterday afternoon: one day that is over.
	return w, quiet(ctx, os.Stdout, nil, "go", "run", "-C", generator, ".", "gen", "-samples", w.logs, "-out", dir, "-bytes", w.size,
		"-end", time.Now().UTC().Truncate(24*time.Hour).Add(-6*time.Hour).Format(time.RFC3339))
}

// writeSection puts a section into a page, in the place of the one with the same heading. What stands before the first heading becomes head.
func writeSection(path, head, section string) error {
	old, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	return os.WriteFile(path, []byte(replaceSection(string(old), head, section)), 0o644)
}

func replaceSection(page, head, section string) string {
	const mark = "\n## "
	heading, _, _ := strings.Cut(section, "\n")
	var sections []string
	for _, s := range strings.Split(page, mark)[1:] {
		sections = append(sections, strings.TrimRight("## "+s, "\n"))
	}
	at := slices.IndexFunc(sections, func(s string) bool { return s == heading || strings.HasPrefix(s, heading+"\n") })
	if at < 0 {
		at = len(sections)
		sections = append(sections, "")
	}
	sections[at] = strings.TrimRight(section, "\n")
	return strings.TrimRight(head, "\n") + "\n\n" + strings.Join(sections, "\n\n") + "\n"
}
