package s3server

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

const (
	accessKey = "trial"
	secretKey = "trial-secret"
	startTime = 30 * time.Second
)

// Server is a running S3 server.
type Server struct {
	addr, dir string

	mu      sync.Mutex // guards buckets
	buckets int
}

// Start starts a server that ends with the test. It skips the test when there is no server to be had.
func Start(t testing.TB) *Server {
	t.Helper()
	path, err := Binary()
	if err != nil {
		t.Skip("no S3 server: ", err)
	}
	dir := t.TempDir()
	s := &Server{addr: freeAddress(t), dir: filepath.Join(dir, "objects")}
	for _, d := range []string{s.dir, filepath.Join(dir, "sidecar")} {
		if err := os.Mkdir(d, 0o750); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(path, "--port", s.addr, "--access", accessKey, "--secret", secretKey, "--quiet", "--health", "/health",
		"posix", "--sidecar", filepath.Join(dir, "sidecar"), s.dir)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal("start the S3 server: ", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	for deadline := time.Now().Add(startTime); ; {
		if resp, err := http.Get("http://" + s.addr + "/health"); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return s
			}
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("the S3 server ended: %v: %s", err, output.String())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("the S3 server does not answer: %s", output.String())
		}
	}
}

func freeAddress(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Bucket makes an empty bucket and gives its configuration, as cambium.yaml and data sources take it.
func (s *Server) Bucket(t testing.TB) []byte {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buckets++
	name := fmt.Sprintf("trial-%d", s.buckets)
	if err := os.Mkdir(filepath.Join(s.dir, name), 0o750); err != nil {
		t.Fatal(err)
	}
	return fmt.Appendf(nil, `
type: S3
config:
  bucket: %s
  endpoint: %s
  region: us-east-1
  access_key: %s
  secret_key: %s
  insecure: true
`, name, s.addr, accessKey, secretKey)
}
