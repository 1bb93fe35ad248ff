package httpapi

import (
	"net/http"
	"strings"

	"github.com/cambium-logs/cambium/pkg/query"
)

// volume serves /loki/api/v1/index/volume.
func (c *call) volume() error {
	p, err := c.volumeParams(false)
	if err != nil {
		return err
	}
	result, err := c.api.options.Query.Volume(c.ctx(), p)
	if err != nil {
		return err
	}
	return c.answerVolume(result)
}

// volumeRange serves /loki/api/v1/index/volume_range.
func (c *call) volumeRange() error {
	p, err := c.volumeParams(true)
	if err != nil {
		return err
	}
	result, err := c.api.options.Query.VolumeRange(c.ctx(), p)
	if err != nil {
		return err
	}
	return c.answerVolume(result)
}

func (c *call) answerVolume(result *query.Result) error {
	if result.Type == query.ResultMatrix && len(result.Matrix) == 0 {
		result.Type = query.ResultVector
	}
	c.w.json(contentTypeJSON)
	j := newJSONWriter(c.w)
	writeResult(j, result, nil)
	j.flush()
	return nil
}

func (c *call) volumeParams(ranged bool) (p query.VolumeParams, err error) {
	if !c.limits.VolumeEnabled {
		return p, &Error{Status: http.StatusNotFound, Message: "not found"}
	}
	if p.Selection, err = c.volumeSelection(true); err != nil {
		return p, err
	}
	if p.Limit, err = c.parseInt("limit", 0); err != nil {
		return p, err
	}
	if p.Limit < 0 {
		return p, badRequest("limit must be a positive value")
	}
	for name := range strings.SplitSeq(c.value("targetLabels"), ",") {
		if name = strings.TrimSpace(name); name != "" {
			p.TargetLabels = append(p.TargetLabels, name)
		}
	}
	switch c.value("aggregateBy") {
	case "", "series":
	case "labels":
		p.ByLabels = true
	default:
		return p, badRequest("invalid aggregation option")
	}
	if ranged {
		p.Step, err = c.parseStep(p.Start, p.End)
	}
	return p, err
}
