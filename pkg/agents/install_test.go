package agents

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// onPath prepares an agent that only has to be there.
func onPath(name string) func(t *testing.T) string {
	return func(t *testing.T) string {
		path, err := exec.LookPath(name)
		if err != nil {
			return debian(t, name, name)
		}
		return path
	}
}

// debian gives the path of a program, and installs it with its packages where that is allowed.
func debian(t *testing.T, program string, packages ...string) string {
	t.Helper()
	if path, err := lookPath(program); err == nil {
		return path
	}
	if err := aptInstall(packages...); err != nil {
		missing(t, program, err.Error())
	}
	path, err := lookPath(program)
	require.NoError(t, err)
	return path
}

// lookPath finds daemons too, whose directory is not on every PATH.
func lookPath(program string) (string, error) {
	if path, err := exec.LookPath(program); err == nil {
		return path, nil
	}
	return exec.LookPath("/usr/sbin/" + program)
}

// aptUpdate fetches the lists of packages once.
var aptUpdate = sync.OnceValue(func() error { return quietly(exec.Command("apt-get", "update", "-qq")) })

// aptInstall installs Debian's packages, or says why it may not.
func aptInstall(packages ...string) error {
	why := ""
	switch {
	case !inCI():
		why = "only CI does that by itself"
	case os.Geteuid() != 0:
		why = "the user is not root"
	default:
		if _, err := exec.LookPath("apt-get"); err != nil {
			why = "this is not Debian"
		}
	}
	if why != "" {
		return fmt.Errorf("needs `apt-get install %s`; %s", strings.Join(packages, " "), why)
	}
	if err := aptUpdate(); err != nil {
		return err
	}
	cmd := exec.Command("apt-get", append([]string{"install", "-y", "-qq", "--no-install-recommends"}, packages...)...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	return quietly(cmd)
}

// quietly runs a command and tells what it said only when it fails.
func quietly(cmd *exec.Cmd) error {
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, text)
	}
	return nil
}
