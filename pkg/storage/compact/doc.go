// Package compact merges segments, leaves out what is expired or deleted, and removes what was replaced.
//
// Work is per tenant and day. Segments of similar size are merged when there are enough of them (size-tiered), and what is left of a day
// when nothing was written to it for a while. Chunks that need no change are copied as they are; small neighbours of a stream are merged
// into chunks of 1–4 MiB raw, and equal entries among them are dropped.
//
// Nothing here needs agreement with others, and every step may be the last:
//
//	upload the result, which names its sources  →  readers ignore the sources
//	write a marker (.gone) for each source      →  it will be deleted
//	after a grace period delete source, marker
//
// A compactor that stops between two steps leaves the rest to the next one, its own or another process'. Two that merge the same segments
// waste work: readers show equal entries once, and the next merge drops them. The lease object only makes that rare.
package compact
