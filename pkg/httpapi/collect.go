package httpapi

import (
	"net/http"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/ingest"
)

// otlp serves /otlp/v1/logs.
func (c *call) otlp() error {
	bounds, done := c.bounds()
	defer done()
	body, release, err := c.readBody(bounds)
	if err != nil {
		return err
	}
	defer release()
	batch := ingest.NewBatch(bounds)
	defer batch.Release()
	h := c.r.Header
	if err := c.api.receiver.DecodeOTLP(c.tenant, h.Get("Content-Type"), h.Get("Content-Encoding"), body, bounds, batch); err != nil {
		return err
	}
	return c.store(batch)
}

// collectorPush serves /api/v1/push, the route of collectors: a push to which the configured labels and rules are applied.
func (c *call) collectorPush() error {
	bounds, done := c.bounds()
	defer done()
	body, release, err := c.readBody(bounds)
	if err != nil {
		return err
	}
	defer release()
	batch := ingest.NewBatch(bounds)
	defer batch.Release()
	h := c.r.Header
	if err := ingest.DecodePush(h.Get("Content-Type"), h.Get("Content-Encoding"), false, body, bounds, batch); err != nil {
		return err
	}
	if len(batch.Streams) == 0 {
		return c.store(batch)
	}
	bad := c.api.options.Collector.Apply(batch, c.now)
	if len(batch.Streams) > 0 {
		if err := c.api.receiver.Receive(c.ctx(), c.tenant, batch); err != nil {
			return err
		}
	}
	if bad != nil {
		return bad
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// raw serves /loki/api/v1/raw: lines of text. The stream's labels are those of the configuration and of the query string.
func (c *call) raw() error {
	bounds, done := c.bounds()
	defer done()
	body, release, err := c.readBody(bounds)
	if err != nil {
		return err
	}
	defer release()
	if len(body) == 0 {
		c.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	batch := ingest.NewBatch(bounds)
	defer batch.Release()
	if err := ingest.DecodeRaw(body, c.rawLabels(), c.now, batch); err != nil {
		return err
	}
	return c.store(batch)
}

// rawLabels joins the labels of the query string and of the configuration, which wins. Names that start with "__" are left out.
func (c *call) rawLabels() []labels.Label {
	var out []labels.Label
	for name, values := range c.r.URL.Query() {
		if !strings.HasPrefix(name, "__") && len(values) > 0 {
			out = append(out, labels.Label{Name: name, Value: values[len(values)-1]})
		}
	}
	slices.SortFunc(out, func(a, b labels.Label) int { return strings.Compare(a.Name, b.Name) })
	for name, value := range c.api.options.Collector.Labels {
		out = append(out, labels.Label{Name: name, Value: value})
	}
	return out
}
