package s3server

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

const (
	module  = "github.com/versity/versitygw"
	version = "v1.8.0"
	// buildTime bounds downloading and building, which compile everything when nothing is cached.
	buildTime = 15 * time.Minute
)

// Binary gives the path of the server's program, which is built when it is not there.
var Binary = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no place for the S3 server: %w", err)
	}
	dir := filepath.Join(cache, "cambium-tools", "versitygw-"+version)
	path := filepath.Join(dir, "versitygw")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", fmt.Errorf("no place for the S3 server: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), buildTime)
	defer cancel()
	lock := flock.New(filepath.Join(dir, "lock")) // tests of several packages run at a time
	if ok, err := lock.TryLockContext(ctx, 100*time.Millisecond); err != nil || !ok {
		return "", fmt.Errorf("wait for the S3 server to be built: %w", err)
	}
	defer lock.Unlock()
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	cmd := exec.CommandContext(ctx, "go", "install", module+"/cmd/versitygw@"+version)
	cmd.Dir = dir // outside of this module
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "GOFLAGS=") || strings.HasPrefix(v, "GOBIN=")
	}), "GOBIN="+dir, "GOFLAGS=-buildvcs=false", "CGO_ENABLED=0")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		text := strings.TrimSpace(output.String())
		return "", fmt.Errorf("build the S3 server %s %s: %w: %s", module, version, err, text[max(0, len(text)-500):])
	}
	return path, nil
})
