package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/cambium-logs/cambium/pkg/tools/cli"
	"github.com/cambium-logs/cambium/pkg/tools/store"
)

// Main is the verb verify.
func Main(ctx context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) int {
	f := cli.NewFlags("verify", "[flags] [tenant [day]]",
		"Checks every checksum, reference and invariant of a bucket. Exit code 0: sound, 1: something is damaged, 2: it could not be checked.\nNothing is changed without -repair.")
	var location store.Location
	var repair, quick, asJSON, quiet bool
	var colour string
	location.Register(f.FlagSet)
	f.BoolVar(&repair, "repair", false, "move what is damaged to ~quarantine/, keep what can be read of it, and say what is lost; a data directory must not be in use")
	f.BoolVar(&quick, "quick", false, "read no chunks: check names, footers, indexes and directories alone")
	f.BoolVar(&asJSON, "json", false, "write JSON: one finding per line, then the totals")
	f.BoolVar(&quiet, "q", false, "leave out notices")
	f.StringVar(&colour, "color", "auto", "`when` to use colours: auto, always or never")
	scope, code, done := f.Read(args, stdout, stderr)
	if done {
		return code
	}
	palette, err := cli.ParsePalette(colour, cli.IsTerminal(stdout), os.Getenv)
	if err != nil {
		return f.Fail(stderr, err)
	}
	if len(scope) > 2 {
		return f.Fail(stderr, errors.New("give at most a tenant and a day"))
	}
	if repair && quick {
		return f.Fail(stderr, errors.New("-repair reads the chunks; leave out -quick"))
	}
	var wanted store.Scope
	if len(scope) > 0 {
		wanted.Tenant = scope[0]
	}
	if len(scope) > 1 {
		wanted.Day = scope[1]
	}
	out := cli.NewOutput(stdout)
	r := &report{out: out, json: asJSON, quiet: quiet, paint: palette}
	err = run(ctx, location, wanted, repair, quick, r)
	if err == nil {
		r.finish()
		err = r.err
	}
	if ferr := out.Flush(); err == nil {
		err = ferr
	}
	if err != nil && !cli.Closed(err) {
		return f.Fail(stderr, err)
	}
	switch {
	case r.totals.Damaged > 0:
		return cli.ExitFound
	case r.totals.Unreadable > 0:
		return cli.ExitUnusable
	}
	return cli.ExitOK
}

func run(ctx context.Context, location store.Location, scope store.Scope, repair, quick bool, r *report) error {
	s, err := store.Open(location, false)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	if repair {
		release, err := s.Lock()
		if err != nil {
			return fmt.Errorf("%w. Stop it first, or leave out -repair", err)
		}
		defer release()
		writable, err := store.Open(location, true)
		if err != nil {
			return err
		}
		_ = s.Close()
		s = writable
	}
	c := &checker{store: s, repair: repair, quick: quick, report: r}
	if err := store.Walk(ctx, s.Bucket, scope, store.Listing{
		Day: func(d store.Day) error { return c.day(ctx, d) },
		Unknown: func(name string) {
			r.find(Finding{Severity: Notice, Object: name, Detail: "nothing of Cambium has this name"})
		},
	}); err != nil {
		return err
	}
	return c.beside(ctx, scope)
}
