package client

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"

	"github.com/prometheus/prometheus/model/labels"
)

// Push sends entries of one stream. When it returns nil the server has acknowledged them; after an error it may have them or not.
func (c *Client) Push(ctx context.Context, ls labels.Labels, entries []Entry) error {
	values := make([][2]string, len(entries))
	for i, e := range entries {
		values[i] = [2]string{strconv.FormatInt(e.Timestamp, 10), e.Line}
	}
	body, err := json.Marshal(map[string]any{"streams": []any{map[string]any{"stream": ls.Map(), "values": values}}})
	if err != nil {
		return err
	}
	answer, cancel, err := c.do(ctx, http.MethodPost, "/loki/api/v1/push", nil, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer cancel()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, maxMessage))
	return answer.Body.Close()
}
