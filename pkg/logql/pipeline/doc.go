// Package pipeline runs the stages of a LogQL query over log entries: line filters, parsers, label filters, formatters,
// drop and keep, and the sample extraction of range aggregations.
//
// A Pipeline (log queries) or Sampler (range aggregations) is compiled once per query and is safe for concurrent use.
// ForStream binds it to the labels of one stream and gives a StreamPipeline or StreamSampler, which belongs to one
// goroutine and reuses its buffers from entry to entry:
//
//	p, err := pipeline.Compile(expr.Stages, pipeline.Options{})
//	sp := p.ForStream(streamLabels)
//	line, result, keep := sp.Process(ts, line, metadata)
//
// The labels of an entry stay in three disjoint categories while stages run: the stream's own, structured metadata, and
// parsed. A name is looked up in parsed, then metadata, then stream. The categories meet only in LabelsResult.
//
// Compile rearranges what it can without changing results: line filters move in front of parsers, stages whose effect nobody
// can see are left out, and parsers extract only labels that something reads.
package pipeline
