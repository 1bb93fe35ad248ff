package pipeline

import (
	"strconv"
	"time"

	"github.com/dustin/go-humanize"
)

// parseNumber converts a label value by Go's rules for floats.
func parseNumber(s string) (float64, error) { return strconv.ParseFloat(s, 64) }

// parseSeconds converts a label value by Go's rules for durations, to seconds.
func parseSeconds(s string) (float64, error) {
	d, err := time.ParseDuration(s)
	return d.Seconds(), err
}

// parseBytes converts a label value such as "1.5 KiB", "1,024 B" or "100" to bytes. Units do not care for case, and a fraction of a
// byte is cut off.
func parseBytes(s string) (uint64, error) {
	if n, ok := parsePlainBytes(s); ok {
		return n, nil
	}
	return humanize.ParseBytes(s)
}

// parsePlainBytes converts digits with a usual unit, which is what most values are, without allocating.
func parsePlainBytes(s string) (uint64, bool) {
	var n uint64
	i := 0
	for i < len(s) && isDigit(s[i]) && i < 12 {
		n = n*10 + uint64(s[i]-'0')
		i++
	}
	if i == 0 {
		return 0, false
	}
	switch s[i:] {
	case "", "B":
		return n, true
	case "kB", "KB":
		return n * 1e3, true
	case "KiB":
		return n << 10, true
	case "MB":
		return n * 1e6, true
	case "MiB":
		return n << 20, true
	}
	return 0, false
}
