package ci

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

var fuzzTarget = regexp.MustCompile(`^func (Fuzz\w+)\(`)

// Fuzz runs every fuzz target of the repository, one after another, for the duration in CAMBIUM_FUZZ each.
func Fuzz(ctx context.Context) error {
	length, err := durationFrom("CAMBIUM_FUZZ", 30*time.Second)
	if err != nil {
		return err
	}
	r := &report{out: os.Stdout}
	err = filepath.WalkDir("pkg", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		targets, err := fuzzTargets(path)
		if err != nil {
			return err
		}
		for _, name := range targets {
			dir := "./" + filepath.ToSlash(filepath.Dir(path))
			r.step(fmt.Sprintf("%s in %s", name, dir), single(func(out io.Writer) error {
				return quiet(ctx, out, nil, "go", "test", "-run", "^$", "-fuzz", "^"+name+"$", "-fuzztime", length.String(), dir)
			}))
		}
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	return r.close()
}

func fuzzTargets(path string) ([]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var names []string
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if m := fuzzTarget.FindStringSubmatch(lines.Text()); m != nil {
			names = append(names, m[1])
		}
	}
	return names, lines.Err()
}

// durationFrom reads a duration from an environment variable.
func durationFrom(name string, otherwise time.Duration) (time.Duration, error) {
	text := os.Getenv(name)
	if text == "" {
		return otherwise, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return d, nil
}
