// Command workbench runs the built plugin in a small Grafana-like host, loads logs into it and serves a page to query them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/cambium-logs/cambium/pkg/workbench"
)

type options struct {
	plugin, listen, load, job, data, page string
	span                                  time.Duration
	lines                                 int
	empty, verbose                        bool
}

func main() {
	var o options
	flag.StringVar(&o.plugin, "plugin", "", "path of the built plugin (dist/gpx_cambium_<os>_<arch>)")
	flag.StringVar(&o.listen, "listen", "127.0.0.1:3000", "loopback address to listen on")
	flag.StringVar(&o.load, "load", "", "directory whose *.log files are pushed; without it demo logs are made up")
	flag.StringVar(&o.job, "job", "loghub", "value of the label job of loaded files")
	flag.StringVar(&o.data, "data", "", "data directory of the plugin; empty: a temporary one that is removed at the end")
	flag.StringVar(&o.page, "page", filepath.Join("workbench", "dist"), "directory of the built page")
	flag.DurationVar(&o.span, "span", 6*time.Hour, "time over which loaded lines are spread, up to now")
	flag.IntVar(&o.lines, "lines", 20000, "demo lines to start with")
	flag.BoolVar(&o.empty, "empty", false, "load nothing")
	flag.BoolVar(&o.verbose, "v", false, "show the plugin's debug log")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		slog.Error("workbench", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	if o.plugin == "" {
		return errors.New("-plugin is missing: name the built plugin")
	}
	if err := loopback(o.listen); err != nil {
		return err
	}
	if o.data == "" {
		dir, err := os.MkdirTemp("", "cambium-workbench")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		o.data = dir
	}
	data, err := filepath.Abs(o.data)
	if err != nil {
		return err
	}
	process, err := workbench.StartProcess(ctx, workbench.ProcessOptions{Binary: o.plugin, DataDir: data, Log: os.Stderr, Verbose: o.verbose})
	if err != nil {
		return err
	}
	defer process.Close()
	host := workbench.NewHost(workbench.HostOptions{Process: process, Dist: filepath.Dir(o.plugin), Page: o.page})
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: host, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	base := "http://" + listener.Addr().String()

	loaded := make(chan error, 1)
	go func() { loaded <- fill(ctx, o, base) }()
	for {
		select {
		case err := <-served:
			return err
		case err := <-loaded:
			if err != nil && ctx.Err() == nil {
				slog.Error("loading stopped", "error", err)
			}
			loaded = nil
		case <-ctx.Done():
			host.Close()
			stopped, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			return server.Shutdown(stopped)
		}
	}
}

// loopback refuses an address that others can reach: the workbench trusts whoever calls.
func loopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("-listen: %w", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("-listen %s: the workbench listens on loopback only", address)
	}
	return nil
}

// fill loads the files or the demo and tells what to open and what to try.
func fill(ctx context.Context, o options, base string) error {
	now := time.Now()
	loader := &workbench.Loader{URL: base + workbench.PushPath, Role: "Editor"}
	demo := workbench.NewDemo(1)
	sources, try := demo.Lines(o.lines, now.Add(-o.span), now), demoTries
	if o.load != "" {
		var err error
		if sources, err = workbench.ReadFiles(o.load, o.job, now.Add(-o.span), now); err != nil {
			return err
		}
		try = fmt.Sprintf(fileTries, o.job)
	}
	if o.empty {
		sources, try = nil, demoTries
	}
	lines := 0
	for _, batch := range workbench.Batches(sources) {
		if err := loader.Push(ctx, &batch); err != nil {
			return err
		}
		for _, stream := range batch.Streams {
			lines += len(stream.Entries)
		}
	}
	fmt.Printf(welcome, lines, len(sources), time.Since(now).Round(time.Millisecond), base, try, base, workbench.PushPath)
	if o.load != "" || o.empty {
		return nil
	}
	return trickle(ctx, loader, demo)
}

// trickle goes on making demo lines, so that a live tail has something to show.
func trickle(ctx context.Context, loader *workbench.Loader, demo *workbench.Demo) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case now := <-tick.C:
			for _, batch := range workbench.Batches(demo.Lines(3, now.Add(-time.Second), now)) {
				if err := loader.Push(ctx, &batch); err != nil {
					return err
				}
			}
		}
	}
}

const welcome = `
%d lines in %d streams are in (%s).
  open   %s
  try    %s
  push   curl -H 'Content-Type: application/json' --data '{"streams":[{"stream":{"app":"me"},"values":[["'$(date +%%s)000000000'","hello"]]}]}' \
           %s%s
  stop   Ctrl+C

`

const demoTries = `{job="demo"} |= "error"
         {service_name="api"} | logfmt | duration > 500ms
         sum by (service_name) (rate({job="demo"}[1m]))`

const fileTries = `{job="%[1]s"} |= "error"
         {system="openssh"} |~ "Failed password for (invalid user )?\\w+"
         sum by (system) (count_over_time({job="%[1]s"}[1m]))`
