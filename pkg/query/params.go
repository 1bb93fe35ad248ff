package query

import (
	"strings"
	"time"
)

// Direction is the order in which a log query walks through time.
type Direction int

// Directions. The zero value is the default of the API.
const (
	Backward Direction = iota // newest entries first
	Forward
)

// String gives the name that the API uses.
func (d Direction) String() string {
	if d == Forward {
		return "forward"
	}
	return "backward"
}

// ParseDirection takes "forward" or "backward" in any case; empty is Backward.
func ParseDirection(s string) (Direction, error) {
	switch strings.ToLower(s) {
	case "", "backward":
		return Backward, nil
	case "forward":
		return Forward, nil
	}
	return Backward, badRequest("invalid direction '%s'", s)
}

// Params is one query. Times and durations are nanoseconds.
type Params struct {
	Tenant string
	Expr   string // LogQL

	// Instant asks for one evaluation at Time; else the query runs from Start to End. A log query reads [Start, End);
	// a metric query is evaluated at Start, Start+Step, … up to and including End.
	Instant    bool
	Time       int64
	Start, End int64
	Step       int64 // metric range queries; > 0

	// Log queries only. Limit 0 means no limit but the query's memory. Interval > 0 thins out the entries that Limit has selected.
	Direction Direction
	Limit     int
	Interval  int64

	Limits Limits
	Now    int64             // for limits that count from now; 0 = the clock
	Tags   map[string]string // of X-Query-Tags, for blocked queries

	// Extensions allows PromQL's functions, subqueries and @ over log range aggregations, and approx_topk over a range.
	Extensions bool
	// AlignStep rounds Start down and End up to multiples of Step before a metric query is evaluated.
	AlignStep bool
	// PartialSeries answers with the first MaxSeries series and a warning where there are more.
	PartialSeries bool
	// NoCache computes everything anew, and keeps nothing of it.
	NoCache bool
	// Explain fills Result.Plan.
	Explain bool
}

func (p *Params) now() int64 {
	if p.Now != 0 {
		return p.Now
	}
	return time.Now().UnixNano()
}
