// Package e2e tests the built plugin as Grafana runs it: a process of its own, spoken to over gRPC through the workbench's host. What it
// asks of the plugin is what a user may rely on: what was acknowledged is there, whatever happens to the process.
//
// CAMBIUM_PLUGIN_BINARY names the plugin to test; without it, it is built. The real logs are taken from shared/logs beside the repository
// (or CAMBIUM_SHARED); where they are missing, made-up ones stand in.
package e2e
