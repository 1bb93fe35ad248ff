package server

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/grafana/loki/pkg/push"
	"github.com/stretchr/testify/require"
)

// configured starts a server with a configuration file.
func configured(t *testing.T, text string) *running {
	t.Helper()
	file := filepath.Join(t.TempDir(), "cambium.yaml")
	require.NoError(t, os.WriteFile(file, []byte("data_dir: data\nauth: {mode: none}\n"+text), 0o600))
	return start(t, "-config", file)
}

// A client that sends its request byte by byte is cut off.
func TestSlowLoris(t *testing.T) {
	r := configured(t, "server: {http_server_read_header_timeout: 300ms, http_server_read_timeout: 600ms}")
	for name, text := range map[string]string{
		"header": "POST /loki/api/v1/push HTTP/1.1\r\nHost: x\r\nX-Slow: ",
		"body":   "POST /loki/api/v1/push HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{",
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
			require.NoError(t, err)
			defer conn.Close()
			_, err = conn.Write([]byte(text))
			require.NoError(t, err)
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
			_, err = io.Copy(io.Discard, conn)
			require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the server still waits")
		})
	}
	require.Equal(t, 200, first(r.get("/ready")))
}

func first(status int, _ string) int { return status }

// zeros is a body that never held what it claims to be.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestHostileBodies(t *testing.T) {
	r := configured(t, "ingest: {max_recv_msg_size: 2MB, max_decompressed_size: 8MB}")
	send := func(contentType, encoding string, body io.Reader) (int, string) {
		req, err := http.NewRequest(http.MethodPost, r.url+"/loki/api/v1/push", body)
		require.NoError(t, err)
		req.Header.Set("Content-Type", contentType)
		if encoding != "" {
			req.Header.Set("Content-Encoding", encoding)
		}
		resp, err := r.client.Do(req)
		if err != nil {
			return 0, err.Error() // cut off while it was still sending
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(text)
	}
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, err := io.CopyN(z, zeros{}, 64<<20)
	require.NoError(t, err)
	require.NoError(t, z.Close())

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	status, text := send("application/json", "", io.LimitReader(zeros{}, 100<<20))
	require.Contains(t, []int{0, 413}, status, text)
	status, text = send("application/json", "gzip", &bomb)
	require.Equal(t, 413, status, text)
	status, text = send("application/x-protobuf", "", bytes.NewReader([]byte{0xff, 0xff, 0xff, 0xff, 0x0f, 0}))
	require.Equal(t, 413, status, text)
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(128<<20))

	// A million labels.
	var labels strings.Builder
	labels.WriteString(`{"streams":[{"stream":{`)
	for i := range 100_000 {
		fmt.Fprintf(&labels, `"l%d":"v",`, i)
	}
	labels.WriteString(`"z":"v"},"values":[["1795218084000000000","x"]]}]}`)
	status, text = send("application/json", "", strings.NewReader(labels.String()))
	require.Equal(t, 400, status)
	require.Contains(t, text, "has 100001 label names; limit 15")
	require.Less(t, len(text), 64<<10)
	require.Equal(t, 200, first(r.get("/ready")))
	metrics := second(r.get("/metrics"))
	require.Contains(t, metrics, `cambium_discarded_samples_total{format="loki",reason="max_label_names_per_series",tenant="fake"} 1`)
}

func second(_ int, text string) string { return text }

// Many push, many tail: every acknowledged line is found, and every subscriber sees all of them or is told how many it lost.
func TestManyTailsAndPushers(t *testing.T) {
	const tails, pushers, pushes = 50, 10, 20
	r := configured(t, "limits: {max_concurrent_tail_requests: 0, ingestion_rate_mb: 1000, ingestion_burst_size_mb: 1000}")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var readers, writers sync.WaitGroup
	seen := make([]int, tails)
	for i := range tails {
		conn := r.tail(`{app="tail"}`)
		conn.SetReadLimit(1 << 20)
		defer conn.CloseNow()
		readers.Go(func() {
			for seen[i] < pushers*pushes {
				_, frame, err := conn.Read(ctx)
				if err != nil {
					return
				}
				seen[i] += strings.Count(string(frame), `"stream":`) + strings.Count(string(frame), `"timestamp":`)
			}
		})
	}
	for p := range pushers {
		writers.Go(func() {
			for i := range pushes {
				r.push("tail", fmt.Sprintf("line %d of %d", i, p))
			}
		})
	}
	writers.Wait()
	readers.Wait()
	for i, n := range seen {
		require.Equal(t, pushers*pushes, n, "tail %d", i)
	}
	status, text := r.get("/loki/api/v1/query?query=" + "count_over_time(%7Bapp%3D%22tail%22%7D%5B1h%5D)")
	require.Equal(t, 200, status)
	require.Contains(t, text, fmt.Sprintf(`"%d"]`, pushers*pushes))
}

// BenchmarkHTTPPush is a push of 1000 lines of about 120 bytes through HTTP into the log and the head.
func BenchmarkHTTPPush(b *testing.B) {
	for _, sync := range []string{"batch", "none"} {
		b.Run("sync="+sync, func(b *testing.B) {
			file := filepath.Join(b.TempDir(), "cambium.yaml")
			text := "data_dir: data\nauth: {mode: none}\nwal: {sync: " + sync + "}\nlimits: {ingestion_rate_mb: 100000, ingestion_burst_size_mb: 100000, " +
				"per_stream_rate_limit: 100GB, per_stream_rate_limit_burst: 100GB}\nhead: {max_bytes: 512MB}\n"
			require.NoError(b, os.WriteFile(file, []byte(text), 0o600))
			ctx, cancel := context.WithCancel(context.Background())
			up, done := make(chan *Server, 1), make(chan error, 1)
			go func() {
				done <- run(ctx, []string{"-listen", "127.0.0.1:0", "-config", file}, io.Discard, func(s *Server) { up <- s })
			}()
			target := (<-up).URL() + "/loki/api/v1/push"
			defer func() { cancel(); <-done }()
			size := 0
			stamp := time.Now()
			next := func() []byte {
				request := push.PushRequest{Streams: []push.Stream{{Labels: `{app="web", env="prod"}`}}}
				size = 0
				for i := range 1000 {
					stamp = stamp.Add(time.Microsecond)
					line := fmt.Sprintf(`10.0.0.%d - - "GET /api/orders/%d HTTP/1.1" 200 %d "-" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"`, i%256, stamp.UnixMicro()%1e6, i*31)
					size += len(line)
					request.Streams[0].Entries = append(request.Streams[0].Entries, push.Entry{Timestamp: stamp, Line: line})
				}
				body, err := request.Marshal()
				require.NoError(b, err)
				return snappy.Encode(nil, body)
			}
			next()
			b.SetBytes(int64(size))
			for b.Loop() {
				b.StopTimer()
				body := next()
				b.StartTimer()
				for {
					resp, err := http.Post(target, "application/x-protobuf", bytes.NewReader(body))
					require.NoError(b, err)
					resp.Body.Close()
					if resp.StatusCode == http.StatusNoContent {
						break
					}
					require.Equal(b, http.StatusTooManyRequests, resp.StatusCode)
					time.Sleep(10 * time.Millisecond)
				}
			}
		})
	}
}
