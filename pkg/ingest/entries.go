package ingest

import (
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// window works out which timestamps are accepted.
func (c *check) window() {
	c.oldest, c.newest = math.MinInt64, math.MaxInt64
	if c.limits.RejectOldSamples {
		c.oldest = c.now.Add(-time.Duration(c.limits.RejectOldSamplesMaxAge)).UnixNano()
	}
	c.newest = c.now.Add(time.Duration(c.limits.CreationGracePeriod)).UnixNano()
}

// entries normalises and validates the entries of one stream in place. It returns the valid ones and their size in bytes.
func (c *check) entries(set *labelSet, entries []chunk.Entry) (valid []chunk.Entry, size int, err error) {
	valid = entries[:0]
	metadataBytes := 0
	var sent int64 // timestamp of the last valid entry as it was sent
	for i := range entries {
		e := &entries[i]
		if len(e.Metadata) > 0 {
			metadata, err := normalizeMetadata(e.Metadata)
			if err != nil {
				c.receiver.metrics.discard(reasonInvalidMetadataName, c.user, c.batch.Format, c.batch.Entries(), 0)
				return nil, 0, &Error{Status: c.badNameStatus(), Message: c.badNamePrefix() + bounded(err.Error())}
			}
			e.Metadata = metadata
		}
		lineSize, metadataSize := entrySize(e)
		if reason := c.invalidEntry(e, metadataSize); reason != "" {
			c.reject(reason, set, e, metadataSize)
			continue
		}
		if c.limits.MaxLineSize > 0 && lineSize > int(c.limits.MaxLineSize) {
			cut := c.truncated(e.Line)
			c.receiver.metrics.mutate(reasonLineTooLong, c.user, len(e.Line)-len(cut))
			e.Line = cut
			lineSize = len(cut)
		}
		if c.limits.DiscoverGenericFields != nil && c.limits.AllowStructuredMetadata {
			c.addGenericFields(set, e)
		}
		if c.limits.DiscoverLogLevels && c.limits.AllowStructuredMetadata {
			c.addLevel(set, e)
		}
		original := e.Timestamp
		if c.limits.IncrementDuplicateTimestamp && len(valid) > 0 {
			last := &valid[len(valid)-1]
			if (e.Timestamp == sent || e.Timestamp == last.Timestamp) && string(last.Line) != string(e.Line) {
				e.Timestamp = last.Timestamp + 1
			}
		}
		sent = original
		size += lineSize + metadataSize
		metadataBytes += metadataSize
		valid = append(valid, *e)
	}
	if metadataBytes > 0 {
		c.receiver.metrics.metadataBytes.WithLabelValues(c.user, c.batch.Format).Add(float64(metadataBytes))
	}
	return valid, size, nil
}

// badNameStatus and badNamePrefix are how a metadata name that cannot be used is answered.
func (c *check) badNameStatus() int {
	if c.batch.Format == formatOTLP {
		return http.StatusBadRequest
	}
	return http.StatusInternalServerError
}

func (c *check) badNamePrefix() string {
	if c.batch.Format == formatOTLP {
		return "symbolizer lookup: "
	}
	return ""
}

// invalidEntry returns the reason why an entry is refused, or "".
func (c *check) invalidEntry(e *chunk.Entry, metadataSize int) string {
	switch {
	case e.Timestamp < c.oldest:
		return reasonTooOld
	case e.Timestamp > c.newest:
		return reasonTooNew
	case c.limits.MaxLineSize > 0 && len(e.Line) > int(c.limits.MaxLineSize) && !c.mayTruncate():
		return reasonLineTooLong
	case len(e.Metadata) == 0:
		return ""
	case !c.limits.AllowStructuredMetadata:
		return reasonNoMetadata
	case c.limits.MaxStructuredMetadataSize > 0 && metadataSize > int(c.limits.MaxStructuredMetadataSize):
		return reasonMetadataTooLarge
	case c.limits.MaxStructuredMetadataEntriesCount > 0 && len(e.Metadata) > c.limits.MaxStructuredMetadataEntriesCount:
		return reasonMetadataTooMany
	}
	return ""
}

func (c *check) mayTruncate() bool {
	return c.limits.MaxLineSizeTruncate && len(c.limits.MaxLineSizeTruncateIdentifier) < int(c.limits.MaxLineSize)
}

// truncated cuts a line to the limit, the identifier at its end included.
func (c *check) truncated(line []byte) []byte {
	identifier := c.limits.MaxLineSizeTruncateIdentifier
	cut := line[:int(c.limits.MaxLineSize)-len(identifier)]
	if identifier == "" {
		return cut
	}
	return append(append(make([]byte, 0, c.limits.MaxLineSize), cut...), identifier...)
}

// reject counts an invalid entry and composes what the sender is told of it.
func (c *check) reject(reason string, set *labelSet, e *chunk.Entry, metadataSize int) {
	c.receiver.metrics.discard(reason, c.user, c.batch.Format, 1, len(e.Line)+metadataSize)
	text := ""
	if !c.invalid.full() {
		text = c.entryMessage(reason, bounded(set.text), e, metadataSize)
	}
	c.invalid.add(text, 1)
}

func (c *check) entryMessage(reason, stream string, e *chunk.Entry, metadataSize int) string {
	const seeLimit = "Please see `limits_config.%s` or contact your Loki administrator to %s it"
	switch reason {
	case reasonTooOld:
		return fmt.Sprintf("entry for stream '%s' has timestamp too old: %s, oldest acceptable timestamp is: %s", stream, formatTime(e.Timestamp), formatTime(c.oldest))
	case reasonTooNew:
		return fmt.Sprintf("entry for stream '%s' has timestamp too new: %s", stream, formatTime(e.Timestamp))
	case reasonLineTooLong:
		return fmt.Sprintf("max entry size '%d' bytes exceeded for stream '%s' while adding an entry with length '%d' bytes", int64(c.limits.MaxLineSize), stream, len(e.Line))
	case reasonNoMetadata:
		return fmt.Sprintf("stream '%s' includes structured metadata, but this feature is disallowed. "+seeLimit, stream, "allow_structured_metadata", "enable")
	case reasonMetadataTooLarge:
		return fmt.Sprintf("stream '%s' has structured metadata too large: '%d' bytes, limit: '%d' bytes. "+seeLimit, stream, metadataSize,
			int64(c.limits.MaxStructuredMetadataSize), "max_structured_metadata_size", "increase")
	default:
		return fmt.Sprintf("stream '%s' has too many structured metadata labels: '%d', limit: '%d'. "+seeLimit, stream, len(e.Metadata),
			c.limits.MaxStructuredMetadataEntriesCount, "max_structured_metadata_entries_count", "increase")
	}
}

// levelMetadata holds the metadata of entries that have nothing but a level. It is shared and never changed.
var levelMetadata = func() map[string][]labels.Label {
	shared := map[string][]labels.Label{}
	for _, level := range []string{"trace", "debug", "info", "warn", "error", "critical", "fatal", levelUnknown} {
		shared[level] = []labels.Label{{Name: LevelLabel, Value: level}}
	}
	return shared
}()

// addLevel adds the level to the metadata of an entry, or normalises the one that the sender found.
func (c *check) addLevel(set *labelSet, e *chunk.Entry) {
	if sent := metadataValue(e.Metadata, LevelLabel); sent != "" {
		e.Metadata = c.batch.withMetadata(e.Metadata, LevelLabel, normalizeLevel(sent))
		return
	}
	level := c.levels.detect(set.level, e.Metadata, e.Line)
	if len(e.Metadata) == 0 {
		if shared, ok := levelMetadata[level]; ok {
			e.Metadata = shared
			return
		}
	}
	e.Metadata = c.batch.withMetadata(e.Metadata, LevelLabel, level)
}

// addGenericFields stores what the configured names hold, among the labels, the metadata or the line, as metadata of the field's name.
func (c *check) addGenericFields(set *labelSet, e *chunk.Entry) {
	for field, names := range c.limits.DiscoverGenericFields {
		if value := c.genericField(set, e, names); value != "" {
			e.Metadata = c.batch.withMetadata(e.Metadata, field, value)
		}
	}
}

func (c *check) genericField(set *labelSet, e *chunk.Entry, names []string) string {
	wanted := make(map[string]bool, len(names))
	for _, name := range names {
		if v := set.labels.Get(name); v != "" {
			return v
		}
		if v := metadataValue(e.Metadata, name); v != "" {
			return v
		}
		wanted[name] = true
	}
	finder := levelDetector{wanted: wanted, maxDepth: c.levels.maxDepth}
	if len(e.Line) > 0 && e.Line[0] == '{' {
		return alias(finder.fromJSON(e.Line))
	}
	return alias(finder.fromLogfmt(e.Line))
}
