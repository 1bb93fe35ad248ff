//go:build !windows

package plugin

import "os"

// unixParent is the parent that this process had when it started. An orphan gets another.
type unixParent int

func currentParent() (parentProcess, error) { return unixParent(os.Getppid()), nil }

func (p unixParent) gone() bool { return os.Getppid() != int(p) }
