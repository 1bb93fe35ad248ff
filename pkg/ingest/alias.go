package ingest

import "unsafe"

// alias is the text of b without a copy. b must not change while the string is in use.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
