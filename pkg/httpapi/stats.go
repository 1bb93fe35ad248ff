package httpapi

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/cambium-logs/cambium/pkg/query"
)

// writeStats writes the statistics of a query in the shape that clients of Loki read.
func writeStats(j *jsonWriter, s *query.Stats) {
	seconds := s.ExecTime.Seconds()
	perSecond := func(n int64) int64 {
		if seconds <= 0 {
			return 0
		}
		return int64(float64(n) / seconds)
	}
	field := func(name string, n int64) {
		j.raw(`"` + name + `":`)
		j.int(n)
		j.raw(",")
	}
	j.raw(`{"summary":{`)
	field("bytesProcessedPerSecond", perSecond(s.BytesProcessed))
	field("linesProcessedPerSecond", perSecond(s.LinesProcessed))
	field("totalBytesProcessed", s.BytesProcessed)
	field("totalLinesProcessed", s.LinesProcessed)
	j.raw(`"execTime":`)
	j.float(seconds)
	j.raw(`,"queueTime":`)
	j.float(s.QueueTime.Seconds())
	j.raw(",")
	field("subqueries", 0)
	field("totalEntriesReturned", s.Entries)
	field("splits", 0)
	field("shards", s.Shards)
	field("totalPostFilterLines", s.LinesMatched)
	j.raw(`"totalStructuredMetadataBytesProcessed":`)
	j.int(s.MetadataBytes)
	j.raw(`},"querier":{"store":`)
	writeStoreStats(j, storeStats{
		ref: s.ChunksTotal - s.HeadChunks, downloaded: s.ChunksOpened - s.HeadChunks, bytes: s.BytesProcessed - s.HeadBytes,
		lines: s.LinesProcessed - s.HeadLines, compressed: s.StoredBytes, duplicates: s.Duplicates, matched: s.LinesMatched, metadata: s.MetadataBytes,
	})
	j.raw(`,"querierExecTime":`)
	j.float(seconds)
	j.raw(`},"ingester":{`)
	field("totalReached", min(s.HeadChunks, 1))
	field("totalChunksMatched", s.HeadChunks)
	field("totalBatches", 0)
	field("totalLinesSent", s.HeadLines)
	j.raw(`"store":`)
	writeStoreStats(j, storeStats{ref: s.HeadChunks, headBytes: s.HeadBytes, headLines: s.HeadLines})
	j.raw(`,"recvWaitTime":0},"cache":`)
	j.raw(cacheStats)
	j.raw(`,"index":{`)
	field("totalChunks", s.ChunksTotal)
	field("postFilterChunks", s.ChunksTotal-s.ChunksSkipped)
	field("shardsDuration", 0)
	j.raw(`"usedBloomFilters":false,`)
	field("totalStreams", s.Streams)
	j.raw(`"chunkRefsLookupTime":0,"bloomFilterTime":0}}`)
}

type storeStats struct {
	ref, downloaded, bytes, lines, compressed, duplicates, matched, metadata, headBytes, headLines int64
}

func writeStoreStats(j *jsonWriter, s storeStats) {
	number := func(before string, n int64) {
		j.raw(before)
		j.int(max(n, 0))
	}
	number(`{"totalChunksRef":`, s.ref)
	number(`,"totalChunksDownloaded":`, s.downloaded)
	j.raw(`,"chunksDownloadTime":0,"queryReferencedStructuredMetadata":false,"queryUsedV2Engine":false,"chunk":{`)
	number(`"headChunkBytes":`, s.headBytes)
	number(`,"headChunkLines":`, s.headLines)
	number(`,"decompressedBytes":`, s.bytes)
	number(`,"decompressedLines":`, s.lines)
	number(`,"compressedBytes":`, s.compressed)
	number(`,"totalDuplicates":`, s.duplicates)
	number(`,"postFilterLines":`, s.matched)
	number(`,"headChunkStructuredMetadataBytes":`, 0)
	number(`,"decompressedStructuredMetadataBytes":`, s.metadata)
	j.raw(`},"chunkRefsFetchTime":0,"congestionControlLatency":0,"pipelineWrapperFilteredLines":0,"dataobj":{}}`)
}

// cacheStats is what clients read of caches; there are none that they would know.
var cacheStats = func() string {
	const one = `{"entriesFound":0,"entriesRequested":0,"entriesStored":0,"bytesReceived":0,"bytesSent":0,"requests":0,"downloadTime":0,"queryLengthServed":0}`
	names := []string{"chunk", "index", "result", "statsResult", "volumeResult", "seriesResult", "labelResult", "instantMetricResult", "logResult", "taskResult"}
	parts := make([]string, len(names))
	for i, name := range names {
		parts[i] = `"` + name + `":` + one
	}
	return "{" + strings.Join(parts, ",") + "}"
}()

// writeJSON writes any value with encoding/json, for what is small and rare.
func writeJSON(j *jsonWriter, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		j.raw("null")
		return
	}
	j.buf = append(j.buf, text...)
}

// rfc3339 is the text of a time in nanoseconds, or "" for 0.
func rfc3339(ns int64) string {
	if ns == 0 {
		return ""
	}
	return time.Unix(0, ns).UTC().Format(time.RFC3339Nano)
}
