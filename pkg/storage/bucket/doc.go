// Package bucket opens the object store that segments lie in.
//
// Any provider of thanos-io/objstore can be used, configured by its own YAML (type, config, prefix). The filesystem provider is
// replaced by Local, which makes an upload durable before it returns and never shows half an object. All providers are linked in:
// compared with four of them that costs 7 MB of executable and 1 MiB of memory, and saves a build per cloud.
//
//	Open = metrics ∘ prefix ∘ retries, time limits ∘ provider
//
// Cached puts a cache in front of a bucket that is far away. It keeps on the disk which ranges of segments were read and how long segments are, lets reads that run at a time share requests, and
// reads ahead for who goes through a segment. Segments never change, so nothing in it is ever stale.
package bucket
