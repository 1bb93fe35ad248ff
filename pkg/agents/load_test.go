package agents

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// A thousand tails and a hundred pushers at once.
const (
	tails          = 1000
	pushers        = 100
	pushes         = 20
	linesOfPush    = 20
	linesOfPusher  = pushes * linesOfPush
	loadTimeout    = 3 * time.Minute
	loadTailedLine = "push %d line %d of pusher %d"
)

// TestLoad pushes from a hundred clients under a thousand tails. Every tail shows every line of its stream once or says how many it
// lost; the server is killed as soon as the last push is acknowledged, and every acknowledged line is there afterwards.
func TestLoad(t *testing.T) {
	data := t.TempDir()
	config := "auth: {mode: none}\nlimits: {max_concurrent_tail_requests: 0, ingestion_rate_mb: 1000, ingestion_burst_size_mb: 1000, max_entries_limit_per_query: 100000}\n"
	address, process := serveIn(t, data, config)
	v := &victim{t, address}
	ctx, cancel := context.WithTimeout(t.Context(), loadTimeout)
	defer cancel()

	var readers sync.WaitGroup
	seen := make([]tailed, tails)
	for i := range tails {
		query := url.Values{"query": {fmt.Sprintf(`{agent="pusher-%d"}`, i%pushers)}}
		conn, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(address, "http")+"/loki/api/v1/tail?"+query.Encode(), nil)
		require.NoError(t, err, "tail %d", i)
		conn.SetReadLimit(8 << 20)
		defer conn.CloseNow()
		readers.Go(func() { seen[i].follow(ctx, conn) })
	}

	var writers sync.WaitGroup
	var acknowledged, repeated atomic.Int64
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: pushers}}
	start := time.Now()
	for p := range pushers {
		writers.Go(func() {
			for i := range pushes {
				var lines []string
				for k := range linesOfPush {
					lines = append(lines, fmt.Sprintf(loadTailedLine, i, k, p))
				}
				body := jsonBody(t, fmt.Sprintf("pusher-%d", p), start.Add(time.Duration(i*linesOfPush)), lines)
				for ctx.Err() == nil {
					status, wait := pushOnce(ctx, client, address, body)
					if status == http.StatusNoContent {
						acknowledged.Add(int64(len(lines)))
						break
					}
					repeated.Add(1)
					t.Logf("a push was answered with %d", status)
					time.Sleep(wait)
				}
			}
		})
	}
	writers.Wait()
	took := time.Since(start)
	require.EqualValues(t, pushers*linesOfPusher, acknowledged.Load())
	t.Logf("%d lines in %d pushes were acknowledged in %s, %d pushes were repeated", acknowledged.Load(), pushers*pushes, took.Round(time.Millisecond), repeated.Load())
	require.NotZero(t, v.metric("cambium_ingest_received_lines_total"))
	readers.Wait()

	lost := 0
	for i := range seen {
		s := &seen[i]
		require.Empty(t, s.twice, "tail %d", i)
		require.Equal(t, linesOfPusher, len(s.lines)+s.lost, "tail %d ended: %v", i, s.err)
		lost += s.lost
	}
	t.Logf("%d lines were shown to tails, %d were told to be lost, after %s", tails*linesOfPusher-lost, lost, time.Since(start).Round(time.Millisecond))

	require.NoError(t, process.cmd.Process.Signal(syscall.SIGKILL))
	<-process.done
	address, _ = serveIn(t, data, config)
	d := &door{base: address, tenant: func(string) string { return "" }}
	for p := range pushers {
		_, entries := d.stored(t, "", fmt.Sprintf(`{agent="pusher-%d"}`, p))
		require.Len(t, entries, linesOfPusher)
		for i, e := range entries {
			require.Equal(t, fmt.Sprintf(loadTailedLine, i/linesOfPush, i%linesOfPush, p), e.line)
		}
	}
}

// pushOnce pushes and gives the status, 0 where there is none, and how long to wait before the next try.
func pushOnce(ctx context.Context, client *http.Client, address string, body []byte) (status int, wait time.Duration) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/loki/api/v1/push", bytes.NewReader(body))
	if err != nil {
		return 0, time.Second
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return 0, 100 * time.Millisecond
	}
	_ = resp.Body.Close()
	seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err != nil {
		seconds = 1
	}
	return resp.StatusCode, time.Duration(seconds) * time.Second
}

// tailed is what one tail showed.
type tailed struct {
	lines map[string]bool
	twice []string
	lost  int
	err   error
}

// follow reads a tail until it has told of every line.
func (s *tailed) follow(ctx context.Context, conn *websocket.Conn) {
	s.lines = map[string]bool{}
	for len(s.lines)+s.lost < linesOfPusher {
		_, text, err := conn.Read(ctx)
		if err != nil {
			s.err = err
			return
		}
		var frame struct {
			Streams []struct {
				Values [][2]string `json:"values"`
			} `json:"streams"`
			Dropped []json.RawMessage `json:"dropped_entries"`
		}
		if s.err = json.Unmarshal(text, &frame); s.err != nil {
			return
		}
		s.lost += len(frame.Dropped)
		for _, stream := range frame.Streams {
			for _, value := range stream.Values {
				if s.lines[value[1]] {
					s.twice = append(s.twice, value[1])
				}
				s.lines[value[1]] = true
			}
		}
	}
}
