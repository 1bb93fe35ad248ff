package httpapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"sync"

	"github.com/cambium-logs/cambium/pkg/ingest"
)

// push serves /loki/api/v1/push.
func (c *call) push() error { return c.receive(false) }

// legacyPush serves /api/prom/push, whose JSON has another shape.
func (c *call) legacyPush() error { return c.receive(true) }

func (c *call) receive(legacyJSON bool) error {
	bounds, done := c.bounds()
	defer done()
	body, release, err := c.readBody(bounds)
	if err != nil {
		return err
	}
	defer release()
	batch := ingest.NewBatch(bounds)
	defer batch.Release()
	if err := ingest.DecodePush(c.r.Header.Get("Content-Type"), c.r.Header.Get("Content-Encoding"), legacyJSON, body, bounds, batch); err != nil {
		return err
	}
	return c.store(batch)
}

// store hands a decoded request to the receiver and answers.
func (c *call) store(batch *ingest.Batch) error {
	if err := c.api.receiver.Receive(c.ctx(), c.tenant, batch); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// bodies are buffers for request bodies.
var bodies = sync.Pool{New: func() any { return new([]byte) }}

const (
	keepBody  = 4 << 20 // larger buffers are left to the garbage collector
	trustBody = 1 << 20 // how much of an announced length is allocated before it came
)

// bounds are those of one push, which holds its part of the memory of all of them until done is called.
func (c *call) bounds() (bounds ingest.Bounds, done func()) {
	bounds = c.api.options.Bounds
	bounds.Reserved = c.api.memory.Reserve()
	return bounds, bounds.Reserved.Release
}

// readBody reads the body of a push, within bounds. release gives its memory back.
func (c *call) readBody(bounds ingest.Bounds) (body []byte, release func(), err error) {
	limit := bounds.MaxBody
	if c.r.ContentLength > limit {
		return nil, nil, ingest.ErrBodyTooLarge(bounds)
	}
	buffer, ok := bodies.Get().(*[]byte)
	if !ok {
		buffer = new([]byte)
	}
	release = func() {
		if cap(*buffer) <= keepBody {
			bodies.Put(buffer)
		}
	}
	if c.r.Body == nil {
		return nil, release, nil
	}
	*buffer = slices.Grow((*buffer)[:0], int(max(0, min(c.r.ContentLength, trustBody)))+bytes.MinRead)
	body, n, err := ingest.ReadAll(c.r.Body, *buffer, limit, bounds.Reserved)
	if err == nil {
		*buffer = body
		return body, release, nil
	}
	release()
	switch {
	case errors.Is(err, ingest.ErrTooLong):
		return nil, nil, ingest.ErrBodyTooLarge(bounds)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, nil, badRequest("the body ended after %d bytes", n)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, nil, &Error{Status: http.StatusServiceUnavailable, Message: fmt.Sprintf("the body did not come in time: %d bytes did", n)}
	}
	return nil, nil, err
}
