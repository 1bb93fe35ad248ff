//go:build mage

// Targets of `go tool mage <target>`. What they do is in internal/ci.
package main

import (
	"context"

	sdk "github.com/grafana/grafana-plugin-sdk-go/build"

	"github.com/cambium-logs/cambium/internal/ci"
)

// Default is what `go tool mage` builds when no target is named.
var Default = Build

// Run builds everything and starts Grafana with the plugin, or the workbench where no Grafana can be started.
func Run(ctx context.Context) error { return ci.Run(ctx) }

// Test runs every check: backend, frontend, end to end, conformance. It installs what it needs.
func Test(ctx context.Context) error { return ci.Test(ctx) }

// Lint runs the checks that need no test to run.
func Lint(ctx context.Context) error { return ci.Lint(ctx) }

// Bench prints the benchmark table; with CAMBIUM_BENCH_WRITE=1 it also writes docs/benchmarks.md.
func Bench(ctx context.Context) error { return ci.Bench(ctx) }

// Soak pushes, queries and kills the plugin for CAMBIUM_SOAK (default 10m) and checks that no acknowledged line is lost.
func Soak(ctx context.Context) error { return ci.Soak(ctx) }

// Fuzz runs every fuzz target for CAMBIUM_FUZZ (default 30s) each.
func Fuzz(ctx context.Context) error { return ci.Fuzz(ctx) }

// Build builds the plugin's backend for this machine into dist/.
func Build(ctx context.Context) error { return ci.Backend(ctx) }

// BuildAll builds the backend for every platform that a release holds.
func BuildAll() { sdk.BuildAll() }

// Frontend installs the npm packages and builds the frontend and the workbench page.
func Frontend(ctx context.Context) error { return ci.Frontend(ctx) }
