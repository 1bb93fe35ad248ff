// Command gpx_cambium is a log database: Grafana's data-source plugin when Grafana starts it, a server or a tool when a verb is given.
package main

import (
	"fmt"
	"os"
	"runtime"

	"github.com/grafana/grafana-plugin-sdk-go/build/buildinfo"

	"github.com/cambium-logs/cambium/pkg/plugin"
)

// verb is one of the faces that are not the plugin.
type verb struct {
	usage string
	run   func(args []string) error
}

var verbs = map[string]verb{}

func main() {
	plugin.Version = version()
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gpx_cambium:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return plugin.Main()
	}
	switch args[0] {
	case "-version", "--version", "version":
		fmt.Printf("cambium %s %s %s/%s\n", plugin.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return nil
	case "-h", "-help", "--help", "help":
		fmt.Print(help())
		return nil
	}
	v, ok := verbs[args[0]]
	if !ok {
		return fmt.Errorf("no verb %q\n\n%s", args[0], help())
	}
	return v.run(args[1:])
}

// version is what the build has put into the executable.
func version() string {
	if info, err := buildinfo.GetBuildInfo(); err == nil && info.Version != "" {
		return info.Version
	}
	return "dev"
}
