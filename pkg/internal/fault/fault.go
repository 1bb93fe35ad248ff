// Package fault names the instants between two durable steps, so that a test can stop the process, or make a step fail, exactly there.
package fault

// Hook is called with the name of every point that is passed. It is nil outside tests, and only a test's main may set it,
// before anything else runs.
var Hook func(point string)

// Point marks an instant. It does nothing unless a test has set Hook.
func Point(name string) {
	if Hook != nil {
		Hook(name)
	}
}
