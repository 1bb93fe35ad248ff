// Package conformance holds a server against a corpus of recorded answers of Loki's HTTP API: it loads the corpus's data, sends its
// requests, and compares what comes back by the corpus's rules.
package conformance

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// Request is one request of the corpus.
type Request struct {
	ID      string            `json:"id"`
	Group   string            `json:"group"`
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Params  map[string]any    `json:"params"` // a string, or a list of strings
	Headers map[string]string `json:"headers"`
	Body    *string           `json:"body"`
}

// Answer is what the reference answered.
type Answer struct {
	ID           string `json:"id"`
	Status       int    `json:"status"`
	ContentType  string `json:"content_type"`
	Body         any    `json:"body"`
	Compare      string `json:"compare"`
	StatusAlso   []int  `json:"status_also"`
	TextVolatile bool   `json:"text_volatile"`
	Unstable     string `json:"unstable"`
	Quirk        any    `json:"quirk"`
}

// Case is a request with its answer.
type Case struct {
	Request
	Answer Answer
}

// Load reads the cases of a directory with queries.jsonl and answers.jsonl, in the order of the requests.
func Load(dir string) ([]Case, error) {
	answers := map[string]Answer{}
	err := eachLine(filepath.Join(dir, "answers.jsonl"), func(line []byte) error {
		var a Answer
		if err := decode(line, &a); err != nil {
			return err
		}
		answers[a.ID] = a
		return nil
	})
	if err != nil {
		return nil, err
	}
	var cases []Case
	err = eachLine(filepath.Join(dir, "queries.jsonl"), func(line []byte) error {
		var r Request
		if err := decode(line, &r); err != nil {
			return err
		}
		a, ok := answers[r.ID]
		if !ok {
			return fmt.Errorf("request %s has no answer", r.ID)
		}
		cases = append(cases, Case{r, a})
		return nil
	})
	return cases, err
}

// decode reads JSON, numbers as they are written.
func decode(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return d.Decode(v)
}

func eachLine(path string, f func(line []byte) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	r := bufio.NewReaderSize(file, 1<<20)
	for n := 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			if err := f(line); err != nil {
				return fmt.Errorf("%s:%d: %w", path, n, err)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// Server is the server under test.
type Server struct {
	URL    string // without a slash at the end
	Client *http.Client
}

// LoadData pushes the data set that lies in dir, and demands that every push is taken. It calls after, which may be nil, behind each.
func (s *Server) LoadData(ctx context.Context, dir string, after func() error) error {
	push := func(contentType string, body []byte) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/loki/api/v1/push", bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", contentType)
		resp, err := s.Client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			return err
		}
		if resp.StatusCode != http.StatusNoContent {
			return fmt.Errorf("push was answered %d: %s", resp.StatusCode, text)
		}
		if after == nil {
			return nil
		}
		return after()
	}
	err := eachLine(filepath.Join(dir, "dataset.jsonl"), func(line []byte) error { return push("application/json", line) })
	if err != nil {
		return err
	}
	return eachLine(filepath.Join(dir, "dataset-binary.jsonl"), func(line []byte) error {
		var binary struct {
			ContentType string `json:"content_type"`
			Body        string `json:"body_b64"`
		}
		if err := json.Unmarshal(line, &binary); err != nil {
			return err
		}
		body, err := base64.StdEncoding.DecodeString(binary.Body)
		if err != nil {
			return err
		}
		return push(binary.ContentType, body)
	})
}

// Got is what the server under test answered.
type Got struct {
	Status      int
	ContentType string
	Body        []byte
}

// Send sends a request.
func (s *Server) Send(ctx context.Context, r Request) (Got, error) {
	values := url.Values{}
	for name, v := range r.Params {
		switch v := v.(type) {
		case string:
			values.Add(name, v)
		case []any:
			for _, one := range v {
				values.Add(name, fmt.Sprint(one))
			}
		}
	}
	target := s.URL + r.Path
	var body io.Reader
	contentType := ""
	switch {
	case r.Body != nil:
		body = strings.NewReader(*r.Body)
		if len(values) > 0 {
			target += "?" + values.Encode()
		}
	case r.Method == http.MethodPost:
		body = strings.NewReader(values.Encode())
		contentType = "application/x-www-form-urlencoded"
	case len(values) > 0:
		target += "?" + values.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, target, body)
	if err != nil {
		return Got{}, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for name, v := range r.Headers {
		req.Header.Set(name, v)
	}
	resp, err := s.Client.Do(req)
	if err != nil {
		return Got{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return Got{resp.StatusCode, resp.Header.Get("Content-Type"), text}, err
}
