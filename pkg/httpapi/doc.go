// Package httpapi is Loki's face: its HTTP routes, parameters, answers and errors over an engine.
//
// New gives one http.Handler with every route. It is mounted by the plugin's resource handler and by the listener alike; who is asking
// is told by an Authorizer, or by WithPrincipal in the request's context. Routes that need no tenant (ready, metrics, buildinfo, …)
// work without.
//
// A route fails in one of a few families, which clients tell apart: plain text with a newline (push, delete, tenancy), plain text without
// (queries and metadata), a protobuf status (OTLP), and JSON (format_query). A handler returns an error; the family is a property of the route.
package httpapi
