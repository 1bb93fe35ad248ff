// Package catalog knows which segments of a bucket exist, and gives each query a snapshot of them.
//
// What exists is what is listed. A day is listed when a query or a compaction needs it, and again when the last listing is older than
// Options allow for that day; so an idle process asks nothing, and a start costs nothing however many segments there are. Segments that
// this process wrote are added at once. A segment is visible when it is listed or added, no listed segment names it as a source, and no
// marker (.gone) hides it. Footers are read lazily, those of compacted segments when their day is listed, because they name the sources.
//
// A listing is not one instant: while it runs, a compaction may add its result behind the reading point and its markers before it.
// Some stores list what was written seconds ago in any order. So a marker counts only in a listing that began a while after the one that first
// showed it: whatever was written before the marker is in that one. Until then the marked segment is read too, which shows no entry twice,
// because readers show equal entries once.
package catalog
