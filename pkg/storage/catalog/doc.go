// Package catalog knows which segments of a bucket exist, and gives each query a snapshot of them.
//
// What exists is what is listed. A day is listed when a query or a compaction needs it, and again when the last listing is older than
// Options allow for that day; so an idle process asks nothing, and a start costs nothing however many segments there are. Segments that
// this process wrote are added at once. A segment is visible when it is listed or added, no listed segment names it as a source, and no
// marker (.gone) hides it. Footers are read lazily, those of compacted segments when their day is listed, because they name the sources.
//
// A listing is not one instant: while it runs, a compaction may add its result behind the reading point and its markers before it.
// Therefore a marker, or the absence of a segment that was there, counts at once only when a listed segment explains it (by naming the
// source); else the day is listed once more, which is sure to see what the marker's writer wrote before the marker.
package catalog
