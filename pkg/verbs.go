package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cambium-logs/cambium/pkg/plugin"
	"github.com/cambium-logs/cambium/pkg/server"
)

// help lists the verbs.
func help() string {
	var out strings.Builder
	out.WriteString("Usage: gpx_cambium [verb] [flags]\n\nWithout a verb it is Grafana's data-source plugin, and only Grafana can start it.\n\n")
	for _, name := range slices.Sorted(maps.Keys(verbs)) {
		fmt.Fprintf(&out, "  %-8s  %s\n", name, verbs[name].usage)
	}
	out.WriteString("  -version  print the version\n\n`gpx_cambium <verb> -h` lists a verb's flags.\n")
	return out.String()
}

// later is a verb that this version only names.
func later(name string) func([]string) error {
	return func([]string) error { return fmt.Errorf("the verb %s is not supported yet", name) }
}

// serve runs until the process is told to stop.
func serve(args []string) error {
	server.Version = plugin.Version
	return server.Main(context.Background(), args)
}

func init() {
	verbs = map[string]verb{
		"serve":   {"run the database as a server with Loki's API, without Grafana", serve},
		"query":   {"run a LogQL query from the terminal", later("query")},
		"inspect": {"show what is in a segment", later("inspect")},
		"verify":  {"check every checksum and invariant of a bucket", later("verify")},
		"canary":  {"write lines, read them back, report what is missing", later("canary")},
	}
}
