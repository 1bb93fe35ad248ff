package ci

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"time"
)

// workbenchStart bounds building the workbench, starting it and loading its logs.
const workbenchStart = 5 * time.Minute

var workbenchURL = regexp.MustCompile(`^\s+open\s+(http://\S+)`)

// startWorkbench runs the workbench on a free port over the built plugin, with the real logs where they are at hand and made-up ones
// otherwise, and returns its address once they are loaded. stop ends it.
func startWorkbench(ctx context.Context, out io.Writer) (url string, stop func(), err error) {
	dir, err := os.MkdirTemp("", "cambium-ci")
	if err != nil {
		return "", nil, err
	}
	remove := func() { _ = os.RemoveAll(dir) }
	program := filepath.Join(dir, "workbench")
	if err := quiet(ctx, out, staticEnv, "go", "build", "-tags", buildTags, "-o", program, "./pkg/workbench/cmd/workbench"); err != nil {
		remove()
		return "", nil, err
	}
	args := []string{"-plugin", Binary(), "-listen", "127.0.0.1:0", "-data", filepath.Join(dir, "data")}
	if logs := filepath.Join(sharedDir(), "logs"); exists(logs) {
		args = append(args, "-load", logs)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 15 * time.Second
	cmd.Stderr = &lockedWriter{w: out}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		remove()
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		remove()
		return "", nil, err
	}
	stop = sync.OnceFunc(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		remove()
	})
	found := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			if m := workbenchURL.FindStringSubmatch(lines.Text()); m != nil {
				found <- m[1]
			}
		}
		close(found)
	}()
	select {
	case url, ok := <-found:
		if !ok {
			err = errors.New("the workbench ended before it was ready")
			break
		}
		return url, stop, nil
	case <-time.After(workbenchStart):
		err = fmt.Errorf("the workbench was not ready after %s", workbenchStart)
	case <-ctx.Done():
		err = ctx.Err()
	}
	stop()
	return "", nil, err
}

// sharedDir is where the test data that the repository does not hold lies, if it is there: CAMBIUM_SHARED, or shared beside the checkout.
func sharedDir() string {
	if dir := os.Getenv("CAMBIUM_SHARED"); dir != "" {
		return dir
	}
	return filepath.Join("..", "shared")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// lockedWriter lets a process write while its starter does.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
