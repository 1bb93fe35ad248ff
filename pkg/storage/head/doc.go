// Package head keeps in memory what is not in a segment yet.
//
//	Head ── tenant ── Series (labels, postings)
//	  └─ Generation ── per tenant: stream = sealed chunks + one open buffer
//
// All entries between two flushes form a generation. Entries are applied to the current one; Seal begins the next, and the sealed
// one is written to segments and dropped. Generations follow the files of the write-ahead log, so that a dropped generation's files
// can be deleted.
//
// Lines lie in blocks of bytes, one set of blocks per stream and chunk, and entries are fixed-size records without pointers, so that the
// garbage collector has little to look at and no line costs an allocation. Blocks and entry slices are only ever appended to: a reader
// takes slice headers under the tenant's lock and reads without one.
//
// Every application of a push has an order number, ascending within a tenant. A snapshot is an order number and the generations that
// existed when it was taken: what was applied later is invisible to it.
package head
