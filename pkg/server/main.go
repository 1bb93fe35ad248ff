package server

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/cambium-logs/cambium/pkg/config"
	"github.com/cambium-logs/cambium/pkg/database"
	"github.com/cambium-logs/cambium/pkg/httpapi"
)

// Version of the executable.
var Version = "dev"

// Main is the verb serve: the database behind a listener, until ctx ends or the process is told to stop.
func Main(ctx context.Context, args []string) error { return run(ctx, args, os.Stderr, nil) }

// run is Main; started, if not nil, is told of the running server.
func run(ctx context.Context, args []string, stderr io.Writer, started func(*Server)) error {
	c, err := parseFlags(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	l, err := newLogger(stderr, c.Log.Format, c.Log.Level)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	token := ""
	if c.Auth.Mode == "" && !c.Auth.Configured() {
		if token, err = ownToken(&c); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	o := &opening{config: c, logger: l, attempt: func(ctx context.Context) (*database.Database, error) {
		registry := prometheus.NewRegistry()
		registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
		return database.Open(ctx, database.Options{
			Config: c, Logger: l, Registry: registry, Build: httpapi.Build{Version: Version}, LogLevel: l.levelName, SetLogLevel: l.setLevel,
		})
	}}
	db, err := o.database(ctx)
	if err != nil {
		stopped := ctx.Err() != nil
		cancel()
		if ended := o.end(); stopped {
			return ended
		}
		return err
	}
	if err := o.show(ctx, db); err != nil {
		return errors.Join(err, closeDatabase(db))
	}
	url := o.server.URL()
	l.Info("Cambium takes and answers logs", "version", Version, "url", url, "push", url+"/loki/api/v1/push", "data", c.DataDir)
	if token != "" {
		l.Info("Requests need the bearer token in a file, because nobody is named under auth; -auth none lets everybody on this machine in", "file", token)
	}
	if started != nil {
		started(o.server)
	}
	err = errors.Join(o.end(), closeDatabase(db))
	if err == nil {
		l.Info("Cambium has stopped")
	}
	return err
}

// closeTime is how long closing the database may take before the process gives up; what was acknowledged is safe anyway.
const closeTime = 30 * time.Second

func closeDatabase(db *database.Database) error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	return db.Close(ctx)
}

// parseFlags reads the flags and the file that they name. Flags win.
func parseFlags(args []string, stderr io.Writer) (config.Config, error) {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.SetOutput(stderr)
	defaults := config.Default()
	file := flags.String("config", "", "read settings from this `file` (cambium.yaml)")
	listen := flags.String("listen", defaults.Server.Listen, "listen on this `address`")
	data := flags.String("data", defaults.DataDir, "keep data in this `directory`")
	auth := flags.String("auth", "", "`none`: let everybody on this machine in; possible on loopback only")
	level := flags.String("log-level", defaults.Log.Level, "log from this `level` on: debug, info, warn, error")
	flags.Usage = func() {
		fmt.Fprint(stderr, "Usage: gpx_cambium serve [flags]\n\nRuns the database behind a listener with Loki's HTTP API.\n\n")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return defaults, err
	}
	if flags.NArg() > 0 {
		return defaults, fmt.Errorf("serve takes no arguments, but got %q", flags.Arg(0))
	}
	c := defaults
	if *file != "" {
		var err error
		if c, err = config.Load(*file); err != nil {
			return c, err
		}
	}
	flags.Visit(func(f *flag.Flag) {
		switch f.Name {
		case "listen":
			c.Server.Listen = *listen
		case "data":
			c.DataDir = *data
		case "auth":
			c.Auth.Mode = *auth
		case "log-level":
			c.Log.Level = *level
		}
	})
	return c, c.Validate()
}
