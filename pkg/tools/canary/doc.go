// Package canary writes lines with sequence numbers to a server and looks whether they come back, by query and by tail.
//
// A line counts from when its push is acknowledged. It is late when it is not there within -late, and missing when it is not there within -wait.
// A line whose push failed is not waited for: the server may have it or not.
package canary
