// Package query executes LogQL: it plans a query, reads the chunks it needs from a storage.Snapshot, and merges what they give into one result.
//
//	text → logql.Expr → Plan → runs of chunks → workers → merge → Result
//
// Log queries read the chunks nearest to the wanted end of the range first and stop when the limit is certain.
//
// Metric queries fold every range aggregation into partials: per series, a sparse list of grid cells, each holding a mergeable piece of the
// aggregate. Partials of different chunks are merged in a fixed order, so a result does not depend on how many workers there were; a window is
// then a run of consecutive cells. What stands above the range aggregations is evaluated by promql.Engine over the step-aligned samples.
//
// Times are nanoseconds since the Unix epoch everywhere in this package, durations are nanoseconds too.
package query
