// Package race tells tests whether they run under the race detector, which makes them several times slower.
package race

// Cases is how many random cases a test tries that would try n: all of them, or a part under the detector. What they look for shows
// without it, and both are run.
func Cases[N int | uint64](n N) N {
	if Detector {
		return max(1, n/part)
	}
	return n
}

const part = 6
