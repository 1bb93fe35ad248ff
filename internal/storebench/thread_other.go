//go:build !linux

package main

import "time"

// ownSpent is the CPU time of the whole process, where a thread's cannot be asked for.
func ownSpent() time.Duration { return spent() }
