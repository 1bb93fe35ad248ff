package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/cambium-logs/cambium/pkg/plugin"
	"github.com/cambium-logs/cambium/pkg/server"
	"github.com/cambium-logs/cambium/pkg/tools/canary"
	"github.com/cambium-logs/cambium/pkg/tools/inspect"
	"github.com/cambium-logs/cambium/pkg/tools/query"
	"github.com/cambium-logs/cambium/pkg/tools/verify"
)

// verb is one of the faces that are not the plugin. run gives the exit code.
type verb struct {
	usage string
	run   func(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int
}

// verbs by name.
func verbs() map[string]verb {
	return map[string]verb{
		"serve":   {"run the database as a server with Loki's API, without Grafana", serve},
		"query":   {"run a LogQL query from the terminal", query.Main},
		"inspect": {"show what is in a segment", inspect.Main},
		"verify":  {"check every checksum and invariant of a bucket", verify.Main},
		"canary":  {"write lines, read them back, report what is missing", canary.Main},
	}
}

// serve runs until the process is told to stop.
func serve(ctx context.Context, args []string, _ io.Reader, _, stderr io.Writer) int {
	server.Version = plugin.Version
	if err := server.Main(ctx, args); err != nil {
		fmt.Fprintln(stderr, "gpx_cambium serve:", err)
		return 1
	}
	return 0
}

// help lists the verbs.
func help() string {
	var out strings.Builder
	out.WriteString("Usage: gpx_cambium [verb] [flags]\n\nWithout a verb it is Grafana's data-source plugin, and only Grafana can start it.\n\n")
	all := verbs()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&out, "  %-8s  %s\n", name, all[name].usage)
	}
	out.WriteString("  -version  print the version\n\n`gpx_cambium <verb> -h` lists a verb's flags.\n")
	return out.String()
}
