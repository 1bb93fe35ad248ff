package faultbucket

import (
	"fmt"
	"time"
)

// Faults are the probabilities, from 0 to 1, with which a request meets each of them. They are independent of each other.
type Faults struct {
	Fail     float64 // nothing is done, an error is given
	Stall    float64 // the request waits for up to StallFor, or until its context ends; then it goes on
	Lost     float64 // uploads and deletions are done, but an error is given
	Truncate float64 // reads end early, without an error
	Flip     float64 // one bit of what is read is wrong
	Stale    float64 // lists show what was there up to StaleFor ago; half of them of some objects only, as if those had been listed first

	StallFor time.Duration // default 1 min
	StaleFor time.Duration // default 10 s
	// Only keeps faults to some requests; nil = all.
	Only func(op Operation, name string) bool
}

// Operation is a kind of request.
type Operation uint8

// Operations. Attributes are also asked by Exists, ranges are gets.
const (
	Upload Operation = iota
	Get
	List
	Attributes
	Delete
	operations
)

var operationNames = [operations]string{"upload", "get", "list", "attributes", "delete"}

func (o Operation) String() string { return operationNames[o] }

// Counts says what was asked of a bucket.
type Counts struct {
	Requests [operations]int64
	// In and Out are the bytes uploaded and read.
	In, Out int64
}

// Sub gives what came since an earlier count.
func (c Counts) Sub(earlier Counts) Counts {
	for i := range c.Requests {
		c.Requests[i] -= earlier.Requests[i]
	}
	c.In -= earlier.In
	c.Out -= earlier.Out
	return c
}

func (c Counts) String() string {
	return fmt.Sprintf("%d PUT, %d GET, %d LIST, %d HEAD, %d DELETE, %d bytes in, %d bytes out",
		c.Requests[Upload], c.Requests[Get], c.Requests[List], c.Requests[Attributes], c.Requests[Delete], c.In, c.Out)
}
