package plugin

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/datasource"
	"github.com/grafana/grafana-plugin-sdk-go/backend/log"

	"github.com/cambium-logs/cambium/pkg/database"
)

// ID is the plugin's id, as in plugin.json.
const ID = "cambium-logs-datasource"

// Version of the executable; the build sets it in the SDK's build information.
var Version = "dev"

// stopTime is how long stopping may take: Grafana kills a plugin two seconds after it has asked it to stop.
const stopTime = 1700 * time.Millisecond

// Run is the process that Grafana starts. It opens the embedded database at once, because recovery, retention and the listener must not
// wait for somebody to query, serves Grafana until it says stop, and makes everything durable before it returns.
func Run(open Opener) error {
	databases := NewDatabases(open)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stop := sync.OnceValue(func() error { return closeAll(databases) })
	parent, err := currentParent()
	if err != nil {
		return err
	}
	go openEmbedded(ctx, databases)
	go exitAsOrphan(ctx, parent, stop)
	go exitOnTerm(ctx, stop)

	backend.Logger = quietLogger{log.DefaultLogger}
	served := datasource.Manage(ID, Factory(databases), datasource.ManageOpts{
		GRPCSettings: backend.GRPCSettings{MaxReceiveMsgSize: MaxMessage},
	})
	cancel()
	stopped := stop()
	if served != nil {
		return served
	}
	return stopped
}

func closeAll(databases *Databases) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	if err := databases.Close(ctx); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	return nil
}

// openEmbedded opens the embedded database and holds it for the life of the process. While that fails, which happens when another
// process still has the data directory, it tries again.
func openEmbedded(ctx context.Context, databases *Databases) {
	handle := databases.Acquire(Location{})
	var failures database.Failures
	_ = database.Retry(ctx, func(ctx context.Context) error {
		_, err := handle.Database(ctx)
		return err
	}, func(err error) bool {
		if failures.Worth(err) {
			log.DefaultLogger.Error("The log store cannot be opened; trying again", "error", err)
		}
		return true
	})
}

// exitAsOrphan ends the process when Grafana is gone without having said so.
func exitAsOrphan(ctx context.Context, parent parentProcess, stop func() error) {
	if waitForOrphan(ctx, parent) != nil {
		return
	}
	log.DefaultLogger.Warn("Grafana is gone; the plugin stops")
	exit(stop())
}

// exitOnTerm ends the process when the machine stops, where every process of a service is told and not Grafana alone.
func exitOnTerm(ctx context.Context, stop func() error) {
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	defer signal.Stop(terminated)
	select {
	case <-ctx.Done():
	case <-terminated:
		exit(stop())
	}
}

func exit(err error) {
	if err != nil {
		log.DefaultLogger.Error("The log store was not closed cleanly; its log is replayed at the next start", "error", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Main is Run over the stores of this machine.
func Main() error {
	executable, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the executable: %w", err)
	}
	return Run(Environment{Getenv: os.Getenv, Executable: executable}.Open)
}
