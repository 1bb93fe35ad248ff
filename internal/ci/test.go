package ci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// Test runs every check of backend and frontend and ends with the closing line that sums them up.
func Test(ctx context.Context) error {
	r := &report{out: os.Stdout}
	// Packages come over the network while the compiler works. Tests run one after the other: their own timeouts are not made for sharing.
	var packages sync.WaitGroup
	installed := false
	packages.Go(func() { installed = r.npmPackages(ctx) })
	built := r.step("build backend", single(func(io.Writer) error { return Backend(ctx) }))
	r.backendLint(ctx)
	packages.Wait()
	frontend := installed && r.frontend(ctx)
	r.goTests(ctx, built)
	r.step("browser suite", func(out io.Writer) (Tally, error) {
		if !built || !frontend {
			return Tally{}, errSkip("needs the backend and the frontend, which did not build")
		}
		return browserSuite(ctx, out)
	})
	return r.close()
}

// Lint runs the static checks of backend and frontend.
func Lint(ctx context.Context) error {
	r := &report{out: os.Stdout}
	r.backendLint(ctx)
	if r.npmPackages(ctx) {
		r.frontendLint(ctx)
	}
	return r.close()
}

// close prints what failed and what was skipped, then the closing line.
func (r *report) close() error {
	for _, skip := range r.skips {
		fmt.Fprintln(r.out, "skipped:", skip)
	}
	for _, name := range r.failed {
		fmt.Fprintln(r.out, "failed:", name)
	}
	fmt.Fprintln(r.out, r.tally.String())
	if len(r.failed) > 0 {
		return fmt.Errorf("failed: %s", strings.Join(r.failed, ", "))
	}
	return nil
}

func (r *report) npmPackages(ctx context.Context) bool {
	return r.step("npm packages", single(func(out io.Writer) error { return npmInstall(ctx, out) }))
}

// manyCases are the packages with tests of random cases, of which there are fewer under the race detector (see internal/race), or of allocations,
// which it adds to.
var manyCases = []string{"./pkg/logql/pipeline", "./pkg/query", "./pkg/storage/...", "./pkg/trials/metamorphic"}

// goTests runs every Go test with the race detector, and those with many random cases without it too. Those of the built plugin use the one
// that was built here. vet has a step of its own.
func (r *report) goTests(ctx context.Context, built bool) {
	r.step("go test -race", func(out io.Writer) (Tally, error) {
		env := []string{"CGO_ENABLED=1"}
		if built {
			path, err := filepath.Abs(Binary())
			if err != nil {
				return Tally{}, err
			}
			env = append(env, "CAMBIUM_PLUGIN_BINARY="+path)
		}
		return goTest(ctx, out, env, "-vet=off", "-race", "-timeout", "15m", "./...")
	})
	r.step("go test of many cases", func(out io.Writer) (Tally, error) {
		return goTest(ctx, out, staticEnv, append([]string{"-vet=off", "-timeout", "15m"}, manyCases...)...)
	})
}

func (r *report) backendLint(ctx context.Context) {
	r.step("gofmt", single(func(out io.Writer) error { return gofmt(ctx, out) }))
	r.step("go vet", single(func(out io.Writer) error {
		return quiet(ctx, out, staticEnv, "go", "vet", "-tags", buildTags, "./...")
	}))
	r.step("staticcheck", single(func(out io.Writer) error {
		return quiet(ctx, out, staticEnv, "go", "tool", "staticcheck", "-tags", buildTags, "./...")
	}))
}

// gofmt fails when a Go file of the repository is not formatted.
func gofmt(ctx context.Context, out io.Writer) error {
	var files strings.Builder
	cmd := exec.CommandContext(ctx, "gofmt", "-l", "Magefile.go", "internal", "pkg")
	cmd.Stdout, cmd.Stderr = &files, out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("gofmt: %w", err)
	}
	if files.Len() > 0 {
		fmt.Fprint(out, files.String())
		return errors.New("these files need `gofmt -w`")
	}
	return nil
}

// frontend checks, tests and builds the TypeScript side. It returns whether the frontend and the workbench page were built.
func (r *report) frontend(ctx context.Context) bool {
	r.frontendLint(ctx)
	r.step("frontend unit tests", func(out io.Writer) (Tally, error) { return jest(ctx, out) })
	built := true
	for _, script := range frontendBuilds() {
		built = r.step("npm run "+script, single(func(out io.Writer) error {
			return quiet(ctx, out, nil, "npm", "run", script)
		})) && built
	}
	return built
}

func (r *report) frontendLint(ctx context.Context) {
	for _, script := range []string{"typecheck", "lint"} {
		r.step("npm run "+script, single(func(out io.Writer) error {
			return quiet(ctx, out, nil, "npm", "run", script)
		}))
	}
}
