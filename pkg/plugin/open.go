package plugin

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/grafana/grafana-plugin-sdk-go/backend/log"
	"github.com/prometheus/client_golang/prometheus"
	"gopkg.in/yaml.v3"

	"github.com/cambium-logs/cambium/pkg/config"
	"github.com/cambium-logs/cambium/pkg/database"
	"github.com/cambium-logs/cambium/pkg/httpapi"
	"github.com/cambium-logs/cambium/pkg/server"
)

// Environment is what the plugin's section of grafana.ini says, which Grafana passes on as GF_PLUGIN_<KEY>, and where the plugin lies.
type Environment struct {
	Getenv     func(string) string
	Executable string
}

// configuration reads the file that the section names, or takes the defaults, and settles where data lies.
func (e Environment) configuration() (config.Config, error) {
	c := config.Default()
	file := e.Getenv("GF_PLUGIN_CONFIG")
	if file != "" {
		var err error
		if c, err = config.Load(file); err != nil {
			return c, err
		}
	}
	if file == "" || c.DataDir == config.Default().DataDir || e.Getenv("GF_PLUGIN_DATA_DIR") != "" {
		dir, err := DataDir(e.Getenv, e.Executable)
		if err != nil {
			return c, err
		}
		c.DataDir = dir
	}
	c.Server.Listen = e.Getenv("GF_PLUGIN_LISTEN") // off unless it is asked for here
	return c, nil
}

// Open is the Opener of the plugin: the embedded database, with the listener where one is asked for, and databases over the buckets that
// data sources bring. The latter keep only their write-ahead log on this machine.
func (e Environment) Open(ctx context.Context, l Location) (Database, error) {
	c, err := e.configuration()
	if err != nil {
		return nil, err
	}
	name := "embedded"
	if l.Key != "" {
		name = l.Key
		c.DataDir = filepath.Join(c.DataDir, "stores", l.Key)
		c.Server.Listen = ""
		if err := yaml.Unmarshal([]byte(l.Bucket), &c.Bucket); err != nil {
			return nil, errors.New("the bucket configuration is not YAML")
		}
	}
	registry := prometheus.NewRegistry()
	opened, err := database.Open(ctx, database.Options{
		Config: c, Logger: log.DefaultLogger, Registry: registry, Build: httpapi.Build{Version: Version},
	})
	if err != nil {
		return nil, err
	}
	db := &store{Database: opened, shown: prometheus.WrapRegistererWith(prometheus.Labels{"store": name}, prometheus.DefaultRegisterer)}
	if err := db.shown.Register(registry); err != nil {
		return nil, errors.Join(fmt.Errorf("metrics: %w", err), opened.Close(ctx))
	}
	if c.Server.Listen != "" {
		if err := db.listen(ctx, c); err != nil {
			return nil, errors.Join(err, db.Close(context.WithoutCancel(ctx)))
		}
	}
	return db, nil
}

// store is a database of the plugin's with what it adds: metrics that Grafana shows, and a listener.
type store struct {
	*database.Database
	shown prometheus.Registerer

	stop   context.CancelFunc // ends the listener; nil without one
	served sync.WaitGroup
}

// listen opens the listener and serves until the store is closed.
func (s *store) listen(ctx context.Context, c config.Config) error {
	listener, err := server.Listen(c, s.API(), log.DefaultLogger)
	if err != nil {
		return fmt.Errorf("the setting listen of grafana.ini: %w", err)
	}
	log.DefaultLogger.Info("Logs are taken and answered without Grafana too", "url", listener.URL())
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	s.served.Go(func() {
		if err := listener.Run(ctx); err != nil {
			log.DefaultLogger.Error("The listener has ended", "error", err)
		}
	})
	return nil
}

// Close implements Database. It does not wait for requests of the listener: what they have not been answered they repeat.
func (s *store) Close(ctx context.Context) error {
	if s.stop != nil {
		s.stop()
	}
	s.shown.Unregister(s.Registry())
	return s.Database.Close(ctx)
}
