// Package ingest turns request bodies into streams of entries, and decides which of them are accepted.
//
// A body passes three steps. Decompress undoes its encoding within bounds; a decoder (push protobuf, push JSON, OTLP, raw lines)
// fills a Batch; a Receiver normalises and validates what the Batch holds against the tenant's limits and hands the accepted
// streams to a Sink.
//
// Nothing is copied on the way: the lines and strings of a Batch alias the decompressed body. Whoever keeps an entry beyond the
// call it was given in copies it.
package ingest
