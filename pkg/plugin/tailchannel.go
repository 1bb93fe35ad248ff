package plugin

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/cambium-logs/cambium/pkg/httpapi"
	"github.com/cambium-logs/cambium/pkg/logql"
)

// maxTailData bounds what a subscriber sends along.
const maxTailData = 64 << 10

// tailRequest is the data of a tail's channel.
type tailRequest struct {
	Expr string `json:"expr"`
	// Scope names the role whose selectors confine the tail. Callers that are confined must name their own, so that they never share
	// a channel with callers who see more.
	Scope string `json:"scope,omitempty"`
}

// errChannel is answered to a path that no tail has.
var errChannel = errors.New("no such channel")

// parseTail reads a channel's path and data. The path is tail/<base64url of the data's SHA-256>/<attempt>: Grafana shares a channel
// between all who subscribe to its path and runs it with the data of the first, so a path that does not fit its data would show one
// subscriber another's query. The attempt has no meaning here; a new one escapes an error that Grafana remembers.
func parseTail(path string, data []byte) (tailRequest, error) {
	parts := strings.Split(path, "/")
	if len(parts) != 3 || parts[0] != "tail" || len(data) > maxTailData {
		return tailRequest{}, errChannel
	}
	hash, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return tailRequest{}, errChannel
	}
	var request tailRequest
	if err := json.Unmarshal(data, &request); err != nil {
		return tailRequest{}, fmt.Errorf("tail: %w", err)
	}
	if !isHash(hash, data) && !isHash(hash, request.canonical()) {
		return tailRequest{}, errChannel
	}
	return request, nil
}

func isHash(hash, data []byte) bool {
	sum := sha256.Sum256(data)
	return subtle.ConstantTimeCompare(hash, sum[:]) == 1
}

// canonical is the request as the frontend writes it, for a host that wrote it anew on the way.
func (t tailRequest) canonical() []byte {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(t); err != nil { // two strings can always be encoded
		return nil
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n"))
}

// tailQuery checks a tail's query and confines it to the request's scope.
func (c *call) tailQuery(t tailRequest) (*logql.LogExpr, error) {
	expr, err := logql.Parse(t.Expr, logql.ParseOptions{Extensions: true})
	if err != nil {
		return nil, err
	}
	log, ok := expr.(*logql.LogExpr)
	if !ok {
		return nil, errors.New("a live tail needs a log query: a metric query has no lines to follow")
	}
	if t.Scope == "" {
		return log, nil
	}
	role := httpapi.ParseRole(t.Scope)
	if role == httpapi.RoleNone {
		return nil, fmt.Errorf("tail: %q is not a role", t.Scope)
	}
	if text := c.settings.Selectors[role]; text != "" {
		matchers, err := logql.ParseSelector(text)
		if err != nil {
			return nil, err
		}
		addMatchers(log, matchers)
	}
	return log, nil
}

// mayTail tells whether the caller may subscribe to a channel of a scope.
func (c *call) mayTail(scope string) bool {
	if c.user == nil || c.role() == httpapi.RoleNone {
		return false
	}
	if c.settings.Selectors[c.role()] == "" {
		return true
	}
	return httpapi.ParseRole(scope) == c.role()
}
