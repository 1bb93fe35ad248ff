package head

import "unsafe"

// textOf shows bytes as a string without copying them. The bytes must never change while the string is in use.
func textOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
