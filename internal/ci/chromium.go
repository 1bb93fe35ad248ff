package ci

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
)

// errNoChromium tells how to get a browser where it cannot be installed from here.
var errNoChromium = errors.New("no Chromium found: install the package chromium (or Google Chrome), or set CHROMIUM to a browser's path")

// findChromium returns a Chromium's path. Where there is none and the machine has apt and the right to use it, it installs Debian's.
func findChromium(ctx context.Context, out io.Writer) (string, error) {
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path, nil
	}
	if path, ok := lookChromium(); ok {
		return path, nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return "", errNoChromium
	}
	env := []string{"DEBIAN_FRONTEND=noninteractive"}
	if err := quiet(ctx, out, env, "apt-get", "update", "-q"); err != nil {
		return "", errors.Join(errNoChromium, err)
	}
	if err := quiet(ctx, out, env, "apt-get", "install", "-q", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core"); err != nil {
		return "", errors.Join(errNoChromium, err)
	}
	if path, ok := lookChromium(); ok {
		return path, nil
	}
	return "", errNoChromium
}

func lookChromium() (string, bool) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, true
		}
	}
	return "", false
}
