//go:build !race

package race

// Detector reports that the program was built with the race detector.
const Detector = false
