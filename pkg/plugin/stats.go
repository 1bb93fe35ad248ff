package plugin

import (
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/cambium-logs/cambium/pkg/query"
)

// queryStats are the numbers that the query inspector shows.
func queryStats(s query.Stats) []data.QueryStat {
	stat := func(name, unit string, value float64) data.QueryStat {
		return data.QueryStat{FieldConfig: data.FieldConfig{DisplayName: name, Unit: unit}, Value: value}
	}
	stats := []data.QueryStat{
		stat("Summary: time to execute", "s", s.ExecTime.Seconds()),
		stat("Summary: time in the queue", "s", s.QueueTime.Seconds()),
		stat("Summary: bytes processed", "decbytes", float64(s.BytesProcessed)),
		stat("Summary: lines processed", "short", float64(s.LinesProcessed)),
		stat("Summary: lines matched", "short", float64(s.LinesMatched)),
		stat("Summary: streams", "short", float64(s.Streams)),
		stat("Store: chunks in range", "short", float64(s.ChunksTotal)),
		stat("Store: chunks opened", "short", float64(s.ChunksOpened)),
		stat("Store: chunks answered from the directory", "short", float64(s.ChunksCounted)),
		stat("Store: chunks of which only timestamps were read", "short", float64(s.ChunksTimed)),
		stat("Store: chunks whose contribution was known", "short", float64(s.ChunksReused)),
		stat("Store: chunks not needed", "short", float64(s.ChunksSkipped)),
		stat("Store: chunks ruled out by their filters", "short", float64(s.ChunksPruned)),
		stat("Store: bytes read", "decbytes", float64(s.StoredBytes)),
		stat("Head: lines", "short", float64(s.HeadLines)),
		stat("Summary: duplicates dropped", "short", float64(s.Duplicates)),
	}
	if seconds := s.ExecTime.Seconds(); seconds > 0 {
		stats = append(stats, stat("Summary: bytes processed per second", "Bps", float64(s.BytesProcessed)/seconds))
	}
	return stats
}
