package httpapi

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"

	"github.com/cambium-logs/cambium/pkg/ingest"
)

// push serves /loki/api/v1/push.
func (c *call) push() error { return c.receive(false) }

// legacyPush serves /api/prom/push, whose JSON has another shape.
func (c *call) legacyPush() error { return c.receive(true) }

func (c *call) receive(legacyJSON bool) error {
	body, release, err := c.readBody()
	if err != nil {
		return err
	}
	defer release()
	batch := ingest.NewBatch(c.api.options.Bounds)
	defer batch.Release()
	if err := ingest.DecodePush(c.r.Header.Get("Content-Type"), c.r.Header.Get("Content-Encoding"), legacyJSON, body, c.api.options.Bounds, batch); err != nil {
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
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const (
	keepBody  = 4 << 20 // larger buffers are left to the garbage collector
	trustBody = 1 << 20 // how much of an announced length is allocated before it came
)

// readBody reads the body of a push, within bounds. release gives its memory back.
func (c *call) readBody() (body []byte, release func(), err error) {
	limit := c.api.options.Bounds.MaxBody
	if c.r.ContentLength > limit {
		return nil, nil, ingest.ErrBodyTooLarge(c.api.options.Bounds)
	}
	buffer, ok := bodies.Get().(*bytes.Buffer)
	if !ok {
		buffer = new(bytes.Buffer)
	}
	buffer.Reset()
	release = func() {
		if buffer.Cap() <= keepBody {
			bodies.Put(buffer)
		}
	}
	if c.r.Body == nil {
		return nil, release, nil
	}
	if c.r.ContentLength > 0 {
		buffer.Grow(int(min(c.r.ContentLength, trustBody)) + bytes.MinRead)
	}
	n, err := buffer.ReadFrom(io.LimitReader(c.r.Body, limit+1))
	switch {
	case err != nil:
		release()
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, nil, badRequest("the body ended after %d bytes", n)
		}
		return nil, nil, err
	case n > limit:
		return nil, nil, ingest.ErrBodyTooLarge(c.api.options.Bounds)
	}
	return buffer.Bytes(), release, nil
}
