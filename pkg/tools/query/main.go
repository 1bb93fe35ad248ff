package query

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/cambium-logs/cambium/pkg/tools/cli"
	"github.com/cambium-logs/cambium/pkg/tools/client"
	"github.com/cambium-logs/cambium/pkg/tools/store"
)

// querier answers queries. *client.Client is one.
type querier interface {
	Query(ctx context.Context, r client.Request) (*client.Result, error)
}

// options are what the command line asks for.
type options struct {
	server   client.Options
	location store.Location

	from, to, at string
	since        cli.Duration
	step         cli.Duration
	limit, batch int
	direction    string
	tail         bool
	delay        time.Duration

	format string
	color  string
	local  bool
	quiet  bool
}

func (o *options) register(f *flag.FlagSet) {
	o.since = cli.Duration(time.Hour)
	o.server.Register(f, os.Getenv)
	o.location.Register(f)
	f.StringVar(&o.from, "from", "", "`time` from which on entries are read: 2006-01-02T15:04:05Z, 2006-01-02, seconds since the epoch, now-2h")
	f.StringVar(&o.to, "to", "", "`time` before which they are read (default now)")
	f.Var(&o.since, "since", "`duration` before -to that -from defaults to")
	f.StringVar(&o.at, "at", "", "`time` at which a metric query is evaluated once, instead of over a range")
	f.Var(&o.step, "step", "`duration` between the points of a metric query (default: chosen for the range)")
	f.IntVar(&o.limit, "limit", 100, "the most entries to show; 0 = all")
	f.IntVar(&o.batch, "batch", 1000, "entries to ask for at a time; a server has a limit of its own")
	f.StringVar(&o.direction, "direction", "backward", "backward: newest entries first; forward: oldest first")
	f.BoolVar(&o.tail, "tail", false, "show entries as they arrive, after the newest -limit ones of -since")
	f.DurationVar(&o.delay, "delay", 0, "with -tail: how long, in whole seconds up to 5s, the server waits to put entries into order")
	f.StringVar(&o.format, "format", "table", "table; raw: lines alone; jsonl: an object per line")
	f.StringVar(&o.color, "color", "auto", "`when` to use colours: auto, always or never; NO_COLOR is respected")
	f.BoolVar(&o.local, "local", false, "show times in the local zone instead of UTC")
	f.BoolVar(&o.quiet, "q", false, "only results and errors: no common labels, warnings and notes on standard error")
}

// Main is the verb query.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	f := cli.NewFlags("query", "[flags] 'LogQL' (or - to read it from standard input)",
		"Runs a query on a server (-addr), or on a data directory or bucket (-data, -config) that no process writes to.")
	var o options
	o.register(f.FlagSet)
	texts, code, done := f.Read(args, stdout, stderr)
	if done {
		return code
	}
	expr, err := expression(texts, stdin)
	if err != nil {
		return f.Fail(stderr, err)
	}
	out := cli.NewOutput(stdout)
	err = run(ctx, &o, expr, out, stderr)
	if ferr := out.Flush(); err == nil {
		err = ferr
	}
	switch {
	case err == nil, cli.Closed(err):
		return cli.ExitOK
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		if o.tail {
			return cli.ExitOK
		}
		return f.Fail(stderr, errors.New("interrupted"))
	}
	return f.Fail(stderr, err)
}

// maxExpression bounds a query on standard input.
const maxExpression = 1 << 20

func expression(texts []string, stdin io.Reader) (string, error) {
	switch {
	case len(texts) == 0:
		return "", errors.New(`give a query, such as '{app="web"} |= "error"'`)
	case len(texts) > 1:
		return "", errors.New("give one query, in quotes so that the shell leaves it whole")
	case texts[0] == "-" && stdin != nil:
		text, err := io.ReadAll(io.LimitReader(stdin, maxExpression))
		return strings.TrimSpace(string(text)), err
	}
	return texts[0], nil
}

func run(ctx context.Context, o *options, expr string, out *cli.Output, stderr io.Writer) error {
	palette, err := cli.ParsePalette(o.color, out.Terminal(), os.Getenv)
	if err != nil {
		return err
	}
	p := &printer{out: out, notes: stderr, paint: palette, zone: time.UTC}
	if o.local {
		p.zone = time.Local
	}
	if o.quiet {
		p.notes = io.Discard
	}
	if p.format, err = formatOf(o.format); err != nil {
		return err
	}
	request, err := o.request(expr, time.Now())
	if err != nil {
		return err
	}
	if o.location.Named() {
		if o.tail {
			return errors.New("-tail needs a server; leave out -data and -config")
		}
		local, err := openLocal(ctx, o.location, o.server.Tenant)
		if err != nil {
			return err
		}
		defer local.Close()
		return pages(ctx, local, request, o.limit, o.batch, p)
	}
	server, err := client.New(o.server)
	if err != nil {
		return err
	}
	defer server.Close()
	if o.tail {
		return tail(ctx, server, client.TailRequest{Expr: expr, Start: request.Start, Limit: max(o.limit, 1), Delay: o.delay}, p)
	}
	return pages(ctx, server, request, o.limit, o.batch, p)
}

// request checks what the flags say of times.
func (o *options) request(expr string, now time.Time) (r client.Request, err error) {
	r = client.Request{Expr: expr, Step: time.Duration(o.step)}
	switch o.direction {
	case "forward":
		r.Forward = true
	case "backward":
	default:
		return r, errors.New("-direction is backward or forward")
	}
	if o.limit < 0 || o.batch <= 0 {
		return r, errors.New("-limit must not be negative, -batch must be positive")
	}
	if o.at != "" {
		r.Instant = true
		if r.Time, err = cli.ParseTime(o.at, now); err != nil {
			return r, fmt.Errorf("-at: %w", err)
		}
		return r, nil
	}
	r.End = now.UnixNano()
	if o.to != "" {
		if r.End, err = cli.ParseTime(o.to, now); err != nil {
			return r, fmt.Errorf("-to: %w", err)
		}
	}
	r.Start = r.End - int64(o.since)
	if o.from != "" {
		if r.Start, err = cli.ParseTime(o.from, now); err != nil {
			return r, fmt.Errorf("-from: %w", err)
		}
	}
	if r.Start > r.End {
		return r, errors.New("-from is after -to")
	}
	return r, nil
}
