package agents

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// prepareNpm gives the directory with the npm clients, installed as their lock file says.
func prepareNpm(t *testing.T) string {
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			missing(t, program, "not installed")
		}
	}
	dir, err := installNpm()
	require.NoError(t, err)
	return dir
}

var npmFiles = []string{"package.json", "package-lock.json", "send.mjs"}

var installNpm = sync.OnceValues(func() (string, error) {
	hash := sha256.New()
	texts := map[string][]byte{}
	for _, name := range npmFiles {
		text, err := os.ReadFile(filepath.Join("npm", name))
		if err != nil {
			return "", err
		}
		texts[name] = text
		if name != "send.mjs" {
			_, _ = hash.Write(text)
		}
	}
	dir, err := cacheDir(fmt.Sprintf("npm-%x", hash.Sum(nil)[:8]))
	if err != nil {
		return "", err
	}
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return "", err
		}
	}
	done := filepath.Join(dir, "installed")
	if _, err := os.Stat(done); err == nil {
		return dir, nil
	}
	cmd := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	cmd.Dir = dir
	if err := quietly(cmd); err != nil {
		return "", err
	}
	return dir, os.WriteFile(done, nil, 0o644)
})

// sendNpm runs one of the npm clients.
func sendNpm(t *testing.T, dir string, a *agent, d *door, lines []string) {
	cmd := exec.Command("node", "send.mjs", a.name, d.base, d.token(a.name), corpusFile(t, lines))
	cmd.Dir = dir
	require.Empty(t, runClient(t, cmd))
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}
