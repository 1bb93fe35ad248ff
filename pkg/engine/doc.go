// Package engine is the database as one object: a write-ahead log and a head for what came last, segments in a bucket for the rest.
//
//	Append:   write-ahead log (group commit) → head → acknowledged
//	flush:    log rotates and head seals, together → segments → bucket → catalog, head lets go → log truncated
//	Snapshot: head and catalog at one instant
//
// With WALInBucket there is no log on disk: every commit interval the head is written to segments of level 0, and a push is acknowledged when the
// ones with its entries are in the bucket. Any number of processes may share such a bucket.
//
// Several processes may also share a bucket with a log each on its own disk. They tell each other how far their logs have become segments, and delete
// requests do not end before that, so that nothing deleted comes back with a process that was away.
//
// A data directory with a log belongs to one engine at a time, which a file lock makes sure of.
//
//	<data>/lock, lock.json   who has it
//	<data>/wal/              what is not in segments yet
//	<data>/wal.json          what other processes on the bucket were told of it
//	<data>/tmp/              segments under construction; emptied at a start
//	<data>/bucket/           the objects, unless a bucket is given
package engine
