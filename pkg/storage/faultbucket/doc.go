// Package faultbucket is object storage that misbehaves, for tests of what is built on it.
//
// A Store holds the objects and what the store itself does wrong: it runs out of space, and objects in it are damaged. A Bucket is one
// process' connection to it, with faults of its own: requests fail, stall, are carried out although their answer is lost, give too few
// bytes or wrong ones, and list what was there a while ago. Cut ends a connection for good, as the death of the process does.
//
// Faults are drawn from a seed in the order of the requests: the same requests in the same order meet the same faults.
package faultbucket
