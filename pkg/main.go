// Command gpx_cambium is a log database: Grafana's data-source plugin when Grafana starts it, a server or a tool when a verb is given.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"

	"github.com/grafana/grafana-plugin-sdk-go/build/buildinfo"

	"github.com/cambium-logs/cambium/pkg/plugin"
)

// gcPercent trades a little processor time for memory: what is live is mostly the head's lines, which the collector need not look into.
const gcPercent = 50

func main() {
	plugin.Version = version()
	if before := debug.SetGCPercent(gcPercent); before != 100 {
		debug.SetGCPercent(before) // GOGC says otherwise
	}
	os.Exit(run(os.Args[1:]))
}

// run chooses the face and gives the exit code.
func run(args []string) int {
	if len(args) == 0 {
		if err := plugin.Main(); err != nil {
			fmt.Fprintln(os.Stderr, "gpx_cambium:", err)
			return 1
		}
		return 0
	}
	switch args[0] {
	case "-version", "--version", "version":
		fmt.Printf("cambium %s %s %s/%s\n", plugin.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return 0
	case "-h", "-help", "--help", "help":
		fmt.Print(help())
		return 0
	}
	v, ok := verbs()[args[0]]
	if !ok {
		fmt.Fprintf(os.Stderr, "gpx_cambium: no verb %q\n\n%s", args[0], help())
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	return v.run(ctx, args[1:], os.Stdin, os.Stdout, os.Stderr)
}

// version is what the build has put into the executable.
func version() string {
	if info, err := buildinfo.GetBuildInfo(); err == nil && info.Version != "" {
		return info.Version
	}
	return "dev"
}
