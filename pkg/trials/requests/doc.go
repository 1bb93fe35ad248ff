// Package requests counts what the engine asks of its bucket, and measures queries on a real S3 server against a directory. It has tests and
// benchmarks only.
package requests
