package pipeline

import "unsafe"

// viewString returns b as a string without copying. The string is valid only as long as b is neither modified nor reused,
// so it must not outlive the entry it was taken from.
func viewString(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// viewBytes returns the bytes of s without copying. They must not be modified.
func viewBytes(s string) []byte {
	return unsafe.Slice(unsafe.StringData(s), len(s))
}
