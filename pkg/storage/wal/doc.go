// Package wal is the write-ahead log of the head: what is not in a segment yet, on the local disk.
//
// A log is a directory of numbered files in the layout of prometheus/tsdb/wlog. Every file stands for itself: it starts with a
// header record, and it declares each stream before the first entries of that stream, so any prefix of the files may be deleted.
// The byte layout is in docs/format/wal.md.
//
// Guarantees:
//   - Append returns nil only after the records are in the operating system (SyncNone) or on the disk (SyncBatch). Concurrent
//     appends share one write and one fsync.
//   - A failed write or fsync fails the appends it was for and abandons the file. Later appends fail at once until a new file can be
//     written, which the log tries by itself.
//   - Replay gives every sound record in order. A torn end is cut off; damage costs the records it touches, and where these declare streams
//     the entries of the next megabyte or so in them, is reported with place and size, and a copy of the file is set aside.
package wal
