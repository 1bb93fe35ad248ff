package canary

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/tools/cli"
	"github.com/cambium-logs/cambium/pkg/tools/client"
)

// options are what the command line asks for.
type options struct {
	server   client.Options
	name     string
	rate     float64
	batch    int
	size     int
	duration cli.Duration
	every    time.Duration
	late     time.Duration
	wait     time.Duration
	noTail   bool
	metrics  string
	quiet    bool
}

// Main is the verb canary.
func Main(ctx context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) int {
	f := cli.NewFlags("canary", "[flags]",
		"Writes numbered lines to a server, reads them back by query and by tail, and reports what is missing, late or duplicate.\nExit code 0: all came back, 1: lines were missing, 2: it could not be tried.")
	o := options{duration: cli.Duration(time.Minute)}
	name, err := os.Hostname()
	if err != nil {
		name = "canary"
	}
	o.server.Register(f.FlagSet, os.Getenv)
	f.StringVar(&o.name, "name", name, "value of the label canary, which tells canaries apart")
	f.Float64Var(&o.rate, "rate", 10, "lines per second")
	f.IntVar(&o.batch, "batch", 1, "lines of one push")
	f.IntVar(&o.size, "size", 100, "bytes of a line, at least")
	f.Var(&o.duration, "duration", "`duration` of writing; 0s = until interrupted")
	f.DurationVar(&o.every, "every", 5*time.Second, "time between queries")
	f.DurationVar(&o.late, "late", 5*time.Second, "time after its acknowledgement from which a line is late")
	f.DurationVar(&o.wait, "wait", 30*time.Second, "time after its acknowledgement from which a line is missing")
	f.BoolVar(&o.noTail, "no-tail", false, "do not tail, where the way to the server has no websockets")
	f.StringVar(&o.metrics, "metrics", "", "show Prometheus metrics at this loopback `address`, such as 127.0.0.1:9100")
	f.BoolVar(&o.quiet, "q", false, "only the summary, nothing on single lines")
	rest, code, done := f.Read(args, stdout, stderr)
	if done {
		return code
	}
	switch {
	case len(rest) > 0:
		err = fmt.Errorf("there are no arguments, but got %q", rest[0])
	case o.rate <= 0 || o.rate > 1e6 || o.batch < 1 || o.batch > maxWindow:
		err = fmt.Errorf("-rate must be positive, -batch from 1 to %d", maxWindow)
	case o.size < 0 || o.size > 128<<10:
		err = errors.New("-size is at most 131072")
	case o.every <= 0 || o.late <= 0 || o.wait < o.late:
		err = errors.New("-every and -late must be positive, and -wait not shorter than -late")
	default:
		err = nil
	}
	if err != nil {
		return f.Fail(stderr, err)
	}
	c, err := client.New(o.server)
	if err != nil {
		return f.Fail(stderr, err)
	}
	defer c.Close()
	told := stderr
	if o.quiet {
		told = io.Discard
	}
	b := newCanary(c, o, told)
	if o.metrics != "" {
		address, stop, err := b.metrics.serve(o.metrics)
		if err != nil {
			return f.Fail(stderr, err)
		}
		defer stop()
		fmt.Fprintf(told, "canary: metrics at http://%s/metrics\n", address)
	}
	if err := b.run(ctx); err != nil {
		return f.Fail(stderr, err)
	}
	fmt.Fprintln(stdout, b.summary())
	for _, n := range b.ledger.totals().missing {
		if n > 0 {
			return cli.ExitFound
		}
	}
	return cli.ExitOK
}

// stream is the stream that a canary writes to.
func (o *options) stream() labels.Labels {
	return labels.FromStrings("app", "cambium-canary", "canary", o.name)
}
