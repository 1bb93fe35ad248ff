// Package s3server runs a real S3 server for tests: Versity's gateway over a directory. It is a program of its own, built once per machine
// into the user's cache; where it cannot be built, the tests that need it are skipped and say so.
package s3server
