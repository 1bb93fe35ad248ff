// Package query is LogQL from a terminal: against a server, or against a data directory that no process has.
package query
