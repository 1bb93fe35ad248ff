package agents

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/stretchr/testify/require"
)

// victim is a server without authentication.
type victim struct {
	t   testing.TB
	url string
}

func (v *victim) push(contentType, encoding string, body io.Reader) (status int, text string, err error) {
	req, err := http.NewRequest(http.MethodPost, v.url+"/loki/api/v1/push", body)
	require.NoError(v.t, err)
	req.Header.Set("Content-Type", contentType)
	if encoding != "" {
		req.Header.Set("Content-Encoding", encoding)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(answer), err
}

// metric is the sum of a metric's series whose labels contain all of parts.
func (v *victim) metric(name string, parts ...string) float64 {
	v.t.Helper()
	resp, err := http.Get(v.url + "/metrics")
	require.NoError(v.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(v.t, err)
	sum := 0.0
series:
	for line := range strings.Lines(string(text)) {
		series, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		base, labels, _ := strings.Cut(series, "{")
		if base != name {
			continue
		}
		for _, part := range parts {
			if !strings.Contains(labels, part) {
				continue series
			}
		}
		n, err := strconv.ParseFloat(value, 64)
		require.NoError(v.t, err)
		sum += n
	}
	return sum
}

// answered is how many pushes were answered with a status.
func (v *victim) answered(status int) float64 {
	return v.metric("cambium_http_request_duration_seconds_count", `route="/loki/api/v1/push"`, fmt.Sprintf(`status_code="%d"`, status))
}

// lives demands that an honest push is taken.
func (v *victim) lives() {
	v.t.Helper()
	status, text, err := v.push("application/json", "", bytes.NewReader(jsonBody(v.t, "honest", time.Now(), []string{"still here"})))
	require.NoError(v.t, err)
	require.Equal(v.t, http.StatusNoContent, status, text)
}

// watchMemory follows the resident memory of a process until the result is called, which gives the largest value in bytes.
func watchMemory(t testing.TB, process *daemon) func() int64 {
	var most atomic.Int64
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			most.Store(max(most.Load(), residentMemory(process.cmd.Process.Pid)))
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	return func() int64 {
		close(stop)
		<-done
		if most.Load() == 0 {
			missing(t, "memory of a process", "there is no /proc")
		}
		return most.Load()
	}
}

// residentMemory is 0 where it is not known.
func residentMemory(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

// Clients that send byte by byte are cut off, and meanwhile others are served.
func TestSlowLoris(t *testing.T) {
	const connections = 500
	url, _ := serve(t, "auth: {mode: none}\nserver: {http_server_read_header_timeout: 1s, http_server_read_timeout: 2s}\n")
	v := &victim{t, url}
	texts := []string{
		"POST /loki/api/v1/push HTTP/1.1\r\nHost: x\r\nX-Slow: ",
		"POST /loki/api/v1/push HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{",
	}
	var work sync.WaitGroup
	var stuck atomic.Int64
	for i := range connections {
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		require.NoError(t, err)
		defer conn.Close()
		work.Go(func() {
			_, _ = conn.Write([]byte(texts[i%2]))
			deadline := time.Now().Add(30 * time.Second)
			for time.Now().Before(deadline) {
				_ = conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
				if _, err := io.Copy(io.Discard, conn); !os.IsTimeout(err) {
					return
				}
				_, _ = conn.Write([]byte("x"))
			}
			stuck.Add(1)
		})
	}
	v.lives()
	work.Wait()
	require.Zero(t, stuck.Load(), "connections that the server still waits for")
	v.lives()
	require.EqualValues(t, connections/2, v.answered(http.StatusServiceUnavailable))
	require.Zero(t, v.answered(http.StatusInternalServerError))
}

// endless is a body of blanks without end.
type endless struct{}

var blanks = bytes.Repeat([]byte{' '}, 64<<10)

func (endless) Read(p []byte) (int, error) { return copy(p, blanks), nil }

// Bodies that are too large, or would become so, are refused with the default bounds, many at once, in bounded memory, and counted.
func TestHugeBodies(t *testing.T) {
	const clients = 16
	url, process := serve(t, "auth: {mode: none}\n")
	v := &victim{t, url}
	// Members of gzip may follow each other: 16 MiB of blanks, 64 times.
	bomb := bytes.Repeat(gzipped(t, bytes.Repeat([]byte{' '}, 16<<20)), 64)
	snapped := snappy.Encode(nil, make([]byte, 513<<20))
	require.Less(t, len(bomb), 3<<20)

	for _, attack := range []struct {
		name, contentType, encoding string
		body                        func() io.Reader
	}{
		{"endless", "application/json", "", func() io.Reader { return endless{} }},
		{"100 MB", "application/json", "", func() io.Reader { return io.LimitReader(endless{}, 100<<20+1) }},
		{"gzip bomb", "application/json", "gzip", func() io.Reader { return bytes.NewReader(bomb) }},
		{"snappy bomb", "application/x-protobuf", "", func() io.Reader { return bytes.NewReader(snapped) }},
	} {
		t.Run(attack.name, func(t *testing.T) {
			refusals := func() float64 {
				return v.answered(http.StatusRequestEntityTooLarge) + v.answered(http.StatusServiceUnavailable)
			}
			before := refusals()
			status, text, err := v.push(attack.contentType, attack.encoding, attack.body())
			require.NoError(t, err)
			require.Equal(t, http.StatusRequestEntityTooLarge, status, text)

			memory := watchMemory(t, process)
			var work sync.WaitGroup
			var taken atomic.Int64
			for range clients {
				work.Go(func() {
					status, _, err := v.push(attack.contentType, attack.encoding, attack.body())
					if err == nil && status != http.StatusRequestEntityTooLarge && status != http.StatusServiceUnavailable {
						taken.Add(1)
					}
				})
			}
			work.Wait()
			most := memory()
			t.Logf("at most %d MiB of memory", most>>20)
			require.Less(t, most, int64(3<<30))
			require.Zero(t, taken.Load())
			require.EqualValues(t, clients+1, refusals()-before)
			v.lives()
		})
	}
}
