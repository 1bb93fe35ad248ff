// Package segment reads and writes segments: immutable objects that hold chunks of many streams of one tenant and one UTC day of event time,
// with a label index and a directory of the chunks.
//
//	header | chunks, by stream then time | filters | index | chunk directory | footer | trailer
//
// The sections follow each other without gaps, and each has a CRC32C, the chunks one each, so that every byte is checked when it is read.
// A reader needs the end of the object only (trailer, footer, directory, index) and then the chunks it wants, by range reads.
// docs/format/segment.md has the layout byte by byte.
//
// The index is a Prometheus TSDB index (tsdb/docs/format/index.md, version 2). A series has one chunk reference, which is the ordinal of
// the stream's first chunk in the directory.
package segment
