// Package workbench is a small Grafana: it launches the built plugin as Grafana does, offers the routes of Grafana's that a data source
// uses, and serves a page that mounts the plugin's real frontend. It is for trying the plugin out and for testing it; it listens on
// loopback only, knows no users, and takes the role of a caller from a header.
//
//	Process   the plugin's process: started, spoken to over gRPC, started again when it dies
//	Host      data source settings and the HTTP routes
//	Loader    reads log files, or makes lines up, and pushes them as an agent does
package workbench
