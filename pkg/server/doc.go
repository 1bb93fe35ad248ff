// Package server is the listener: Loki's HTTP API on a TCP address, without Grafana.
//
// Who may talk to it is said in the configuration: bearer tokens, users with passwords, client certificates, each for some tenants and
// some of push, read and admin. Without any of these it runs only when told so, and only on loopback.
package server
