//go:build unix

package main

import (
	"syscall"
	"time"
)

// spent is the CPU time that the process has used so far, which others on the machine hardly change.
func spent() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
