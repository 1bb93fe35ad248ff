// Package database puts the parts together: an engine, the query engine over it, the tenants' limits, and the HTTP API in front of them.
// Every face of the process, the plugin and the listener, holds one Database and mounts its API.
package database
