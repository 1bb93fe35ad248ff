// Package agents holds tests that run clients written by others against the built executable, and read back what they sent.
//
// Every client sends the same lines through two doors: the listener of `serve` with a bearer token, and Grafana's resource route with a
// service account's token, as the workbench plays it. What is stored must be those lines, in that order, each once. docs/agents.md shows
// the same configurations to users.
//
// The npm clients, with their lock file, are in npm; the Go clients and the OpenTelemetry Collector are modules of their own in clients and
// collector, so that their dependencies stay out of the product. What is installed or built for a test is kept in the user's cache directory.
//
// Clients that take minutes to build (the collector, rsyslog's omhttp) are run when they are in that cache; they are built where CI=true
// or CAMBIUM_AGENTS=all. Debian's packages are installed where CI=true and the user is root. What is missing elsewhere is skipped by name.
package agents
