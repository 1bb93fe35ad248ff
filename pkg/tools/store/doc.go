// Package store opens what a running Cambium keeps, for tools that look at it: a data directory, a bucket, or both, without changing them.
//
//	<data>/lock, lock.json   who has it
//	<data>/wal/              what is not in segments yet
//	<data>/tmp/              segments under construction
//	<data>/bucket/           the objects, unless a bucket is configured
package store
