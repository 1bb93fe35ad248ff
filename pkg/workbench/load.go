package workbench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/golang/snappy"
	"github.com/grafana/loki/pkg/push"
	"github.com/prometheus/prometheus/model/labels"
)

// PushPath is the route under which agents push to the hosted plugin.
const PushPath = "/api/datasources/uid/" + UID + "/resources/loki/api/v1/push"

// maxBatch is about how many bytes of lines one request holds, as an agent's default is.
const maxBatch = 1 << 20

// Source is a stream and its lines in the order of their time.
type Source struct {
	Labels labels.Labels
	Lines  []Line
}

// Line is one entry of a Source.
type Line struct {
	Time     time.Time
	Text     string
	Metadata []labels.Label
}

// ReadFiles makes a source of every *.log file of a directory: labels {job, filename, system}, the lines spread evenly over the time
// between from and to.
func ReadFiles(dir, job string, from, to time.Time) ([]Source, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("no *.log file in %s", dir)
	}
	var sources []Source
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		name := filepath.Base(path)
		source := Source{
			Labels: labels.FromStrings("job", job, "filename", name, "system", strings.ToLower(strings.TrimSuffix(name, ".log"))),
			Lines:  make([]Line, len(lines)),
		}
		gap := to.Sub(from) / time.Duration(len(lines))
		for i, line := range lines {
			source.Lines[i] = Line{Time: from.Add(time.Duration(i) * gap), Text: strings.TrimSuffix(line, "\r")}
		}
		sources = append(sources, source)
	}
	return sources, nil
}

// Batches cuts sources into push requests in the order of time, as an agent that follows all of them at once would send them.
func Batches(sources []Source) []push.PushRequest {
	next := make([]int, len(sources))
	var batches []push.PushRequest
	for {
		request, bytes := push.PushRequest{}, 0
		share := max(maxBatch/max(len(sources), 1), 1)
		for i, source := range sources {
			stream := push.Stream{Labels: source.Labels.String()}
			for taken := 0; next[i] < len(source.Lines) && taken < share; next[i]++ {
				line := source.Lines[next[i]]
				entry := push.Entry{Timestamp: line.Time, Line: line.Text}
				for _, m := range line.Metadata {
					entry.StructuredMetadata = append(entry.StructuredMetadata, push.LabelAdapter{Name: m.Name, Value: m.Value})
				}
				stream.Entries = append(stream.Entries, entry)
				taken += len(line.Text) + 1
				bytes += len(line.Text) + 1
			}
			if len(stream.Entries) > 0 {
				request.Streams = append(request.Streams, stream)
			}
		}
		if bytes == 0 {
			return batches
		}
		batches = append(batches, request)
	}
}

// Loader pushes batches as an agent does: again after 429 and 5xx and when nobody answers, never again after another refusal.
type Loader struct {
	URL    string // of the push route
	Client *http.Client
	Role   string // sent as X-Workbench-Role; empty: none
	// Retries bounds the attempts for one batch; 0 = 20.
	Retries int
}

// Push sends one batch. A nil error means that the plugin has acknowledged it.
func (l *Loader) Push(ctx context.Context, batch *push.PushRequest) error {
	raw, err := batch.Marshal()
	if err != nil {
		return err
	}
	body := snappy.Encode(nil, raw)
	retries := l.Retries
	if retries == 0 {
		retries = 20
	}
	wait := 100 * time.Millisecond
	for attempt := 1; ; attempt++ {
		again, after, err := l.send(ctx, body)
		if err == nil || !again || attempt >= retries {
			return err
		}
		select {
		case <-time.After(max(wait, after)):
		case <-ctx.Done():
			return ctx.Err()
		}
		wait = min(2*wait, 2*time.Second)
	}
}

// send makes one attempt; again tells whether another may succeed, after how long to wait at least.
func (l *Loader) send(ctx context.Context, body []byte) (again bool, after time.Duration, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, l.URL, bytes.NewReader(body))
	if err != nil {
		return false, 0, err
	}
	request.Header.Set("Content-Type", "application/x-protobuf")
	if l.Role != "" {
		request.Header.Set("X-Workbench-Role", l.Role)
	}
	client := l.Client
	if client == nil {
		client = http.DefaultClient
	}
	response, err := client.Do(request)
	if err != nil {
		return !errors.Is(err, context.Canceled), 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 4<<10))
	if err != nil {
		return true, 0, err
	}
	if response.StatusCode/100 == 2 {
		return false, 0, nil
	}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil {
		after = time.Duration(seconds) * time.Second
	}
	again = response.StatusCode == http.StatusTooManyRequests || response.StatusCode >= 500
	return again, after, fmt.Errorf("push: %s: %s", response.Status, strings.TrimSpace(string(text)))
}
