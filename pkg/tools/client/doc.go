// Package client speaks Loki's HTTP API with a server: queries, tails, pushes.
package client
