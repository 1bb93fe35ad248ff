package deletes

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

// Request asks that the entries which a query selects between two times disappear.
type Request struct {
	ID      string `json:"id"` // eight hexadecimal digits
	Query   string `json:"query"`
	Start   int64  `json:"start"` // nanoseconds, both inclusive
	End     int64  `json:"end"`
	Created int64  `json:"created"` // nanoseconds
	// MaxInterval is the largest piece in which it is to be carried out, as the sender asked; 0 = none was asked for.
	MaxInterval time.Duration `json:"maxIntervalNanos,omitempty"`
}

// State is how far a request has come.
type State struct {
	// Progress is the share of the segments in the request's range, by number, in which nothing that it selects is stored; 0 to 1.
	Progress float64 `json:"progress"`
	// Processed is when nothing of it was stored any more, in nanoseconds; 0 = not yet.
	Processed int64 `json:"processed,omitempty"`
}

// Status is a request with what became of it.
type Status struct {
	Request
	State
	Ended int64 // when it stopped to hide anything, in nanoseconds; 0 = it hides
}

const (
	dirName     = "deletes/"
	requestName = ".json"
	stateName   = ".state.json"
	endedName   = ".ended.json"
	// maxObject bounds the objects of a request: a query is shorter than 128 KiB.
	maxObject = 1 << 20
)

// Dir is the prefix of a tenant's requests, with the delimiter at its end.
func Dir(tenant string) string { return segment.TenantDir(tenant) + dirName }

// Path is the object name of a request.
func Path(tenant, id string) string { return Dir(tenant) + id + requestName }

func statePath(tenant, id string) string { return Dir(tenant) + id + stateName }
func endedPath(tenant, id string) string { return Dir(tenant) + id + endedName }

// parsePath gives the id and the kind, by ending, of one of a tenant's objects.
func parsePath(tenant, path string) (id, kind string, ok bool) {
	name, ok := strings.CutPrefix(path, Dir(tenant))
	if !ok {
		return "", "", false
	}
	id, rest, ok := strings.Cut(name, ".")
	if !ok || !validID(id) {
		return "", "", false
	}
	kind = "." + rest
	return id, kind, kind == requestName || kind == stateName || kind == endedName
}

const idBytes = 4

func newID() (string, error) {
	var b [idBytes]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("make an id: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

func validID(id string) bool {
	if len(id) != 2*idBytes {
		return false
	}
	_, err := hex.DecodeString(id)
	return err == nil && strings.ToLower(id) == id
}
