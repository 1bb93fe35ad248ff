//go:build !race

package trials

// RaceDetector reports that the program was built with the race detector.
const RaceDetector = false
