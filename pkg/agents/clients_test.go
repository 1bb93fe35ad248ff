package agents

import (
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

var buildClients = sync.OnceValues(func() (string, error) { return buildModule("clients") })

// buildModule builds the program of a module beside this package, which is quick when nothing has changed, and gives its path.
func buildModule(name string) (string, error) {
	dir, err := cacheDir(name)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, name)
	cmd := exec.Command("go", "build", "-mod=readonly", "-o", path, ".")
	cmd.Dir = name
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	return path, quietly(cmd)
}

// prepareClients gives the program with the Go clients.
func prepareClients(t *testing.T) string {
	path, err := buildClients()
	require.NoError(t, err)
	return path
}

// sendGoClient runs one of the Go clients.
func sendGoClient(t *testing.T, path string, a *agent, d *door, lines []string) {
	require.Empty(t, runClient(t, exec.Command(path, a.name, d.base, d.token(a.name), corpusFile(t, lines))))
}
