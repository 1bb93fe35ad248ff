package inspect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
	"github.com/cambium-logs/cambium/pkg/tools/cli"
	"github.com/cambium-logs/cambium/pkg/tools/store"
)

// options are what the command line asks for.
type options struct {
	json      bool
	summary   bool
	templates int
	matchers  []*labels.Matcher
}

// Main is the verb inspect.
func Main(ctx context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) int {
	f := cli.NewFlags("inspect", "[flags] [tenant [day] | segment]",
		"Lists the segments of a bucket, or shows one segment: an object's name as the list gives it, or a file. Nothing is changed; a running server does no harm.")
	var location store.Location
	var o options
	var selector string
	location.Register(f.FlagSet)
	f.BoolVar(&o.json, "json", false, "write JSON: one object per segment and line")
	f.BoolVar(&o.summary, "summary", false, "leave out a segment's streams and chunks")
	f.IntVar(&o.templates, "templates", 0, "show the `n` most frequent line templates of each stream; reads the chunks")
	f.StringVar(&selector, "match", "", "of a segment's streams show those that a `selector` like {app=\"x\"} selects")
	paths, code, done := f.Read(args, stdout, stderr)
	if done {
		return code
	}
	if selector != "" {
		var err error
		if o.matchers, err = logql.ParseSelector(selector); err != nil {
			return f.Fail(stderr, fmt.Errorf("-match: %w", err))
		}
	}
	out := cli.NewOutput(stdout)
	err := run(ctx, location, o, strings.Join(paths, "/"), out)
	if ferr := out.Flush(); err == nil {
		err = ferr
	}
	switch {
	case err == nil, cli.Closed(err):
		return cli.ExitOK
	case segment.IsCorrupt(err):
		fmt.Fprintf(stderr, "inspect: %s. `gpx_cambium verify` tells what is damaged\n", err)
		return cli.ExitFound
	}
	return f.Fail(stderr, err)
}

func run(ctx context.Context, location store.Location, o options, path string, out *cli.Output) error {
	if !location.Named() && strings.HasSuffix(path, segment.Extension) {
		location, path = ofFile(path)
	}
	s, err := store.Open(location, false)
	if err != nil {
		return err
	}
	defer s.Close()
	if strings.HasSuffix(path, segment.Extension) {
		name, err := segment.ParsePath(path)
		if err != nil {
			return err
		}
		d, err := describe(ctx, s.Bucket, name, o)
		if err != nil {
			return err
		}
		if o.json {
			return writeJSON(out, d)
		}
		return d.write(out)
	}
	var scope store.Scope
	var more bool
	scope.Tenant, scope.Day, more = strings.Cut(strings.Trim(path, "/"), "/")
	if more {
		if _, err := segment.ParseDay(scope.Day); err != nil {
			return errors.New("give a tenant, a tenant and a day like 2006-01-02, or the name of a segment")
		}
	}
	return list(ctx, s, scope, o, out)
}

// ofFile splits the path of a segment's file into the bucket's directory and the object's name.
func ofFile(path string) (store.Location, string) {
	dir := filepath.Dir(filepath.Dir(filepath.Dir(path)))
	object, err := filepath.Rel(dir, path)
	if _, serr := os.Stat(path); err != nil || serr != nil {
		return store.Location{}, path
	}
	return store.Location{Data: dir}, filepath.ToSlash(object)
}
