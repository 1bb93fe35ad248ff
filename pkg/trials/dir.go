package trials

import "os"

// TempDir makes a directory that costs little to sync, where there is such a place. What is in it survives processes, but no power loss.
func TempDir() (string, error) {
	if dir, err := os.MkdirTemp("/dev/shm", "cambium-trial-*"); err == nil {
		return dir, nil
	}
	return os.MkdirTemp("", "cambium-trial-*")
}
