// Package loggen makes up log lines to measure with: access logs in JSON and logfmt, and the text of five kinds of systems. The same options
// give the same lines. A needle that stands in one line, a rare word and a common word are planted.
package loggen

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Words that are planted.
const (
	RareWord   = "quarkdump"    // in one line of ten thousand
	CommonWord = "backpressure" // in one line of ten
)

// Options say how much is made.
type Options struct {
	Bytes      int64 // of lines, about
	Begin, End time.Time
	Hosts      int // of which each has every system; 0 = 8
}

// Line is one line and where it comes from.
type Line struct {
	System, Host, Level string
	Time                time.Time
	Text                string
}

type system struct {
	name   string
	weight int
	line   func(g *generator, e *event) string
}

var systems = []system{
	{"web-json", 3, (*generator).json},
	{"web-logfmt", 3, (*generator).logfmt},
	{"nginx", 2, (*generator).combined},
	{"sshd", 1, (*generator).sshd},
	{"java", 2, (*generator).java},
	{"kernel", 1, (*generator).kernel},
	{"storage", 2, (*generator).storage},
}

// event is what a line tells.
type event struct {
	at         time.Time
	level, msg string
	host       string
	status     int
	ms         float64
	bytes      int
}

type generator struct {
	rng *rand.Rand
	seq int
}

// meanLine is about how long a line is.
const meanLine = 155

// Each makes the lines in order of time and passes them to f until it gives an error. It returns the needle: 32 hexadecimal digits that stand in
// one line.
func Each(o Options, f func(Line) error) (needle string, err error) {
	if o.Hosts <= 0 {
		o.Hosts = 8
	}
	g := &generator{rng: rand.New(rand.NewPCG(1, 2))}
	needle = g.hex(16)
	total := 0
	for _, s := range systems {
		total += s.weight
	}
	n := max(o.Bytes/meanLine, 1)
	gap := max(int64(o.End.Sub(o.Begin))/n, 1)
	for i := range n {
		pick, which := g.rng.IntN(total), 0
		for pick >= systems[which].weight {
			pick -= systems[which].weight
			which++
		}
		e := &event{at: o.Begin.Add(time.Duration(i*gap + g.rng.Int64N(gap))), host: fmt.Sprintf("host-%d", g.rng.IntN(o.Hosts))}
		g.fill(e)
		if i == n*3/8 {
			e.msg += " " + needle
		}
		l := Line{System: systems[which].name, Host: e.host, Level: e.level, Time: e.at, Text: systems[which].line(g, e)}
		if err := f(l); err != nil {
			return needle, err
		}
	}
	return needle, nil
}

func (g *generator) fill(e *event) {
	g.seq++
	e.status, e.level = 200, "info"
	switch n := g.rng.IntN(1000); {
	case n < 8:
		e.status, e.level = g.of(500, 502, 503), "error"
	case n < 60:
		e.status, e.level = g.of(400, 401, 404), "warn"
	case n < 110:
		e.status = g.of(201, 204, 304)
	}
	e.ms = 10 * math.Exp(g.rng.NormFloat64())
	e.bytes = int(math.Exp(6.5 + 1.4*g.rng.NormFloat64()))
	e.msg = g.word("request served", "cache miss", "session renewed", "batch written")
	if e.level == "error" {
		e.msg = g.word("connection refused by upstream", "connection reset", "error reading block", "deadline exceeded")
	}
	if g.rng.IntN(10) == 0 {
		e.msg += " " + CommonWord
	}
	if g.rng.IntN(10000) == 0 {
		e.msg += " " + RareWord
	}
}

func (g *generator) word(w ...string) string { return w[g.rng.IntN(len(w))] }
func (g *generator) of(n ...int) int         { return n[g.rng.IntN(len(n))] }

// skewed gives numbers below n, small ones more often.
func (g *generator) skewed(n int) int { return int(float64(n) * math.Pow(g.rng.Float64(), 3)) }

func (g *generator) hex(bytes int) string {
	b := make([]byte, bytes)
	for i := range b {
		b[i] = byte(g.rng.Uint32())
	}
	return fmt.Sprintf("%x", b)
}

func (g *generator) address() string {
	n := g.skewed(1 << 16)
	return fmt.Sprintf("10.%d.%d.%d", n>>12, n>>6&63, n&63)
}

func (g *generator) route() (method, route, url string) {
	method = g.word("GET", "GET", "GET", "GET", "POST", "PUT")
	route = g.word("/", "/api/v1/items", "/api/v1/items/{id}", "/api/v1/orders/{id}", "/api/v1/search", "/healthz", "/static/app.js")
	url = route
	if n := len(route); route[n-1] == '}' {
		url = fmt.Sprintf("%s%d", route[:n-4], g.skewed(2_000_000))
	}
	return method, route, url
}

func (g *generator) json(e *event) string {
	method, route, url := g.route()
	return fmt.Sprintf(`{"ts":"%s","level":"%s","msg":"%s","method":"%s","path":"%s","url":"%s","status":%d,"duration":%.3f,"bytes":%d,"user":"u%d","remote":"%s","trace_id":"%s"}`,
		e.at.UTC().Format("2006-01-02T15:04:05.000000Z"), e.level, e.msg, method, route, url, e.status, e.ms, e.bytes, g.skewed(50_000), g.address(), g.hex(16))
}

func (g *generator) logfmt(e *event) string {
	method, route, url := g.route()
	return fmt.Sprintf(`ts=%s level=%s msg="%s" method=%s path=%s url=%s status=%d duration=%.3f bytes=%d user=u%d remote=%s trace_id=%s`,
		e.at.UTC().Format("2006-01-02T15:04:05.000000Z"), e.level, e.msg, method, route, url, e.status, e.ms, e.bytes, g.skewed(50_000), g.address(), g.hex(16))
}

func (g *generator) combined(e *event) string {
	method, _, url := g.route()
	return fmt.Sprintf(`%s - - [%s] "%s %s HTTP/1.1" %d %d "-" "%s" %s`, g.address(), e.at.UTC().Format("02/Jan/2006:15:04:05 -0700"), method, url, e.status, e.bytes,
		g.word("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "curl/8.5.0", "Go-http-client/2.0", "okhttp/4.12.0"), e.msg)
}

func (g *generator) sshd(e *event) string {
	stamp := fmt.Sprintf("%s %s sshd[%d]: ", e.at.UTC().Format("Jan _2 15:04:05"), e.host, 1000+g.seq/20%30000)
	switch g.rng.IntN(4) {
	case 0:
		return fmt.Sprintf("%sFailed password for invalid user %s from %s port %d ssh2: %s", stamp, g.word("admin", "test", "oracle", "pi"), g.address(), 30000+g.rng.IntN(30000), e.msg)
	case 1:
		return fmt.Sprintf("%sAccepted publickey for deploy from %s port %d ssh2: ED25519 SHA256:%s %s", stamp, g.address(), 30000+g.rng.IntN(30000), g.hex(12), e.msg)
	case 2:
		return fmt.Sprintf("%spam_unix(sshd:session): session opened for user deploy(uid=%d) %s", stamp, 1000+g.rng.IntN(20), e.msg)
	}
	return fmt.Sprintf("%sReceived disconnect from %s port %d:11: %s [preauth]", stamp, g.address(), 30000+g.rng.IntN(30000), e.msg)
}

func (g *generator) java(e *event) string {
	return fmt.Sprintf("%s %-5s [%s-%d] %s - %s (task %d.%d in stage %d.0, %d ms)", e.at.UTC().Format("2006-01-02 15:04:05,000"),
		map[string]string{"info": "INFO", "warn": "WARN", "error": "ERROR"}[e.level], g.word("pool", "worker", "http-nio"), g.rng.IntN(32),
		g.word("o.e.storage.BlockManager", "o.e.net.Transport", "o.e.exec.Executor", "o.e.sched.TaskScheduler"), e.msg, g.skewed(4000), g.rng.IntN(4), g.seq/5000, int(e.ms*10))
}

func (g *generator) kernel(e *event) string {
	return fmt.Sprintf("[%7d.%06d] %s: %s on %s, sector %d, cpu%d", g.seq/500, g.rng.IntN(1_000_000), g.word("blk_update", "eth0", "nvme0n1", "EXT4-fs"), e.msg, g.word("sda", "sdb", "nvme0n1p2"), g.rng.IntN(1<<30), g.rng.IntN(16))
}

func (g *generator) storage(e *event) string {
	return fmt.Sprintf("%s %d %s dfs.DataNode: %s block blk_%d of size %d from /%s:50010", e.at.UTC().Format("060102 150405"), g.rng.IntN(4000),
		map[string]string{"info": "INFO", "warn": "WARN", "error": "ERROR"}[e.level], e.msg, int64(g.rng.Uint64()), 1<<26-g.rng.IntN(3)*g.rng.IntN(1<<20), g.address())
}
