package s3server

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
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
	stop      func()

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
	s, err := start(path, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	return s
}

// shared is the server of all tests of a package.
var shared struct {
	mu     sync.Mutex // guards what follows
	server *Server
	dir    string
}

// Shared gives the server of all tests of the package, whose TestMain calls StopShared. It skips the test when there is no server to be had.
func Shared(t testing.TB) *Server {
	t.Helper()
	path, err := Binary()
	if err != nil {
		t.Skip("no S3 server: ", err)
	}
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.server != nil {
		return shared.server
	}
	if shared.dir, err = os.MkdirTemp("", "cambium-s3-*"); err == nil {
		shared.server, err = start(path, shared.dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	return shared.server
}

// StopShared ends the server of Shared, if there is one.
func StopShared() {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.server != nil {
		shared.server.stop()
	}
	if shared.dir != "" {
		_ = os.RemoveAll(shared.dir)
	}
	shared.server, shared.dir = nil, ""
}

// start starts a server over a directory and waits until it answers.
func start(path, dir string) (*Server, error) {
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	s := &Server{addr: addr, dir: filepath.Join(dir, "objects")}
	for _, d := range []string{s.dir, filepath.Join(dir, "sidecar")} {
		if err := os.Mkdir(d, 0o750); err != nil {
			return nil, err
		}
	}
	cmd := exec.Command(path, "--port", s.addr, "--access", accessKey, "--secret", secretKey, "--quiet", "--health", "/health",
		"posix", "--sidecar", filepath.Join(dir, "sidecar"), s.dir)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	endWithParent(cmd)
	started, ended := make(chan error), make(chan struct{})
	go func() {
		defer close(ended)
		runtime.LockOSThread() // where the server ends with its parent, it ends with the thread that started it
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start the S3 server: %w", err)
	}
	s.stop = func() {
		_ = cmd.Process.Kill()
		<-ended
	}
	for deadline := time.Now().Add(startTime); ; {
		if s.healthy() {
			return s, nil
		}
		select {
		case <-ended:
			return nil, fmt.Errorf("the S3 server ended: %s", output.String())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			s.stop()
			return nil, fmt.Errorf("the S3 server does not answer: %s", output.String())
		}
	}
}

func (s *Server) healthy() bool {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Second}
	resp, err := client.Get("http://" + s.addr + "/health")
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("no address for the S3 server: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
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
