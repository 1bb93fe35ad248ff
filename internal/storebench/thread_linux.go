package main

import (
	"syscall"
	"time"
)

// rusageThread asks getrusage for the calling thread.
const rusageThread = 1

// ownSpent is the CPU time that the calling thread has used so far.
func ownSpent() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(rusageThread, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
