package workbench

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

// Demo makes up the logs of a small shop: a web server that logs JSON, an API that logs logfmt with trace ids, a database and a worker
// that log text. The same seed gives the same lines.
type Demo struct {
	rng  *rand.Rand
	next int
}

// NewDemo starts a generator.
func NewDemo(seed uint64) *Demo { return &Demo{rng: rand.New(rand.NewPCG(seed, 1))} }

// demoLine makes one line; trace is empty where a service knows no trace ids.
type demoLine func(d *Demo, at time.Time, trace string) string

type demoService struct {
	name, level string
	weight      int
	traced      bool
	line        demoLine
}

var demoServices = []demoService{
	{"web", "", 50, false, (*Demo).webLine},
	{"api", "", 30, true, (*Demo).apiLine},
	{"db", "", 12, false, (*Demo).dbLine},
	{"worker", "", 8, true, (*Demo).workerLine},
}

// Lines makes n lines spread over the time between from and to, as one source per service.
func (d *Demo) Lines(n int, from, to time.Time) []Source {
	sources := make([]Source, len(demoServices))
	total := 0
	for i, s := range demoServices {
		sources[i].Labels = labels.FromStrings("env", "demo", "job", "demo", "service_name", s.name)
		total += s.weight
	}
	gap := to.Sub(from) / time.Duration(max(n, 1))
	for i := range n {
		at := from.Add(time.Duration(i) * gap).Add(time.Duration(d.rng.Int64N(max(int64(gap), 1))))
		pick, which := d.rng.IntN(total), 0
		for pick >= demoServices[which].weight {
			pick -= demoServices[which].weight
			which++
		}
		service := demoServices[which]
		line := Line{Time: at}
		trace := ""
		if service.traced {
			trace = fmt.Sprintf("%016x%016x", d.rng.Uint64(), d.rng.Uint64())
			line.Metadata = []labels.Label{{Name: "trace_id", Value: trace}}
		}
		line.Text = service.line(d, at, trace)
		sources[which].Lines = append(sources[which].Lines, line)
		d.next++
	}
	return sources
}

func (d *Demo) pick(values ...string) string { return values[d.rng.IntN(len(values))] }

// level is info mostly, warn and error now and then.
func (d *Demo) level() string {
	switch n := d.rng.IntN(100); {
	case n < 3:
		return "error"
	case n < 10:
		return "warn"
	case n < 25:
		return "debug"
	}
	return "info"
}

func (d *Demo) webLine(at time.Time, _ string) string {
	status, level := 200, "info"
	switch n := d.rng.IntN(100); {
	case n < 2:
		status, level = 502, "error"
	case n < 8:
		status, level = 404, "warn"
	case n < 15:
		status = 304
	}
	return fmt.Sprintf(`{"time":%q,"level":%q,"method":%q,"path":"/%s/%d","status":%d,"duration_ms":%d,"bytes":%d,"ip":"10.0.%d.%d"}`,
		at.UTC().Format(time.RFC3339Nano), level, d.pick("GET", "GET", "GET", "POST", "PUT"), d.pick("cart", "item", "user", "search"),
		d.rng.IntN(5000), status, 2+d.rng.IntN(400), d.rng.IntN(90000), d.rng.IntN(4), d.rng.IntN(255))
}

func (d *Demo) apiLine(at time.Time, trace string) string {
	level := d.level()
	message := d.pick("request served", "cache hit", "cache miss", "retrying upstream")
	if level == "error" {
		message = d.pick("upstream timed out", "payment declined", "connection reset by peer")
	}
	return fmt.Sprintf("ts=%s level=%s msg=%q route=/v1/%s user=%d duration=%dms trace_id=%s",
		at.UTC().Format(time.RFC3339Nano), level, message, d.pick("orders", "payments", "stock"), d.rng.IntN(2000), 1+d.rng.IntN(900), trace)
}

func (d *Demo) dbLine(at time.Time, _ string) string {
	stamp := at.UTC().Format("2006-01-02 15:04:05.000 MST")
	switch n := d.rng.IntN(100); {
	case n < 4:
		return fmt.Sprintf("%s [%d] ERROR:  deadlock detected while locking tuple (%d,%d)", stamp, 100+d.rng.IntN(40), d.rng.IntN(900), d.rng.IntN(90))
	case n < 20:
		return fmt.Sprintf("%s [%d] WARNING:  slow statement: duration %d ms", stamp, 100+d.rng.IntN(40), 500+d.rng.IntN(4000))
	}
	return fmt.Sprintf("%s [%d] LOG:  checkpoint complete: wrote %d buffers (%d.%d%%)", stamp, 100, d.rng.IntN(3000), d.rng.IntN(20), d.rng.IntN(10))
}

func (d *Demo) workerLine(_ time.Time, trace string) string {
	switch d.level() {
	case "error":
		return fmt.Sprintf("ERROR job %d failed after %d attempts: mailbox unavailable (trace %s)", d.rng.IntN(100000), 1+d.rng.IntN(5), trace)
	case "warn":
		return fmt.Sprintf("WARN job %d is late by %ds", d.rng.IntN(100000), d.rng.IntN(300))
	}
	return fmt.Sprintf("INFO job %d %s in %dms", d.rng.IntN(100000), d.pick("mailed", "indexed", "billed"), 5+d.rng.IntN(2000))
}
