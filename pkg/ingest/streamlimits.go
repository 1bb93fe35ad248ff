package ingest

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/tenant"
)

// limitStreams removes from what is accepted the streams that exceed their rate, and the new ones for which there is no room.
// The first refusal is what the sender is told.
func (c *check) limitStreams() {
	most := c.limits.MaxGlobalStreamsPerUser
	if local := c.limits.MaxStreamsPerUser; local > 0 && (most == 0 || local < most) {
		most = local
	}
	active := -1
	fresh := map[uint64]bool{}
	kept := 0
	for i, stream := range c.accepted {
		if most > 0 && !fresh[c.hashes[i]] && !c.receiver.sink.HasStream(c.user, stream.Labels) {
			if active < 0 {
				active = c.receiver.sink.ActiveStreams(c.user)
			}
			if active+len(fresh) >= most {
				c.refuse(reasonStreamLimit, i, &Error{
					Status: http.StatusTooManyRequests, RetryAfter: streamLimitRetry,
					Message: fmt.Sprintf("maximum active stream limit exceeded when trying to create stream %s, reduce the number of active streams "+
						"(reduce labels or reduce label values), or contact your Loki administrator to see if the limit can be increased, user: '%s'",
						bounded(stream.Labels.String()), c.user),
				})
				continue
			}
			fresh[c.hashes[i]] = true
		}
		if rate := c.limits.PerStreamRateLimit; rate > 0 {
			ok, wait := c.state.rates.takeStream(c.now, c.hashes[i], float64(c.sizes[i]), float64(rate), float64(max(rate, c.limits.PerStreamRateLimitBurst)))
			if !ok {
				c.refuse(reasonPerStreamRate, i, c.streamRateError(stream, c.sizes[i], wait))
				continue
			}
		}
		c.accepted[kept] = stream
		kept++
	}
	c.accepted = c.accepted[:kept]
}

// streamLimitRetry is when a sender may try a stream again for which there was no room.
const streamLimitRetry = 30 * time.Second

func (c *check) refuse(reason string, i int, err *Error) {
	c.receiver.metrics.discard(reason, c.user, c.batch.Format, len(c.accepted[i].Entries), c.sizes[i])
	if c.refused == nil {
		c.refused = err
	}
}

// maxReturnedEntries is how many refused entries of a stream a message lists.
const maxReturnedEntries = 10

func (c *check) streamRateError(stream Stream, size int, wait time.Duration) *Error {
	text := bounded(stream.Labels.String())
	reason := fmt.Sprintf("Per stream rate limit exceeded (limit: %s/sec) while attempting to ingest for stream '%s' totaling %s, "+
		"consider splitting a stream via additional labels or contact your Loki administrator to see if the limit can be increased",
		c.limits.PerStreamRateLimit, text, tenant.ByteSize(size))
	var out strings.Builder
	for _, e := range stream.Entries[:min(len(stream.Entries), maxReturnedEntries)] {
		fmt.Fprintf(&out, "entry with timestamp %s ignored, reason: '%s',\n", entryTime(e), reason)
	}
	fmt.Fprintf(&out, "user '%s', total ignored: %d out of %d for stream: %s", c.user, len(stream.Entries), len(stream.Entries), text)
	return &Error{Status: http.StatusTooManyRequests, Message: out.String(), RetryAfter: max(wait, time.Second)}
}

func entryTime(e chunk.Entry) string { return time.Unix(0, e.Timestamp).UTC().String() }
