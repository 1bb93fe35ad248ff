package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/pprof"
	"time"

	"github.com/cambium-logs/cambium/internal/loggen"
	"github.com/cambium-logs/cambium/pkg/query"
)

// question is one row of the table of queries.
type question struct {
	name   string
	expr   string // %s is the range of a metric query over everything
	limit  int    // of a log query
	step   time.Duration
	system string // whose streams are asked; "" = all
	// What the floors look for: literal in lines in memory and, unless there is a pattern or the lines are parsed, in decompressed lines.
	literal string
	pattern string
	parsed  bool    // the second floor is the same query over plain chunks
	faster  float64 // how many times faster than the second floor is wanted; 0 = nothing is
}

func (w *survey) questions() []question {
	const all = `{system=~".+"}`
	m := time.Minute
	return []question{
		{name: "needle (32 bytes)", expr: all + fmt.Sprintf(" |= %q", w.needle), limit: 100, literal: w.needle, faster: 30},
		{name: "needle (16 bytes of it)", expr: all + fmt.Sprintf(" |= %q", w.needle[5:21]), limit: 100, literal: w.needle[5:21], faster: 30},
		{name: "rare word, limit 1000", expr: all + fmt.Sprintf(" |= %q", loggen.RareWord), limit: 1000, literal: loggen.RareWord, faster: 5},
		{name: "common word, limit 1000", expr: all + fmt.Sprintf(" |= %q", loggen.CommonWord), limit: 1000, literal: loggen.CommonWord},
		{name: "common word, counted", expr: fmt.Sprintf("sum(count_over_time(%s |= %q [%%s]))", all, loggen.CommonWord), literal: loggen.CommonWord},
		{name: "regex with a literal", expr: "sum(count_over_time(" + all + " |~ `connection (refused|reset)` [%s]))", literal: "connection re", pattern: `connection (refused|reset)`, faster: 3},
		{name: "(?i) regex", expr: "sum(count_over_time(" + all + " |~ `(?i)error.*block` [%s]))", literal: "block", pattern: `(?i)error.*block`, faster: 3},
		{name: "regex without a literal", expr: "sum(count_over_time(" + all + " |~ `[a-z]+[0-9]{7,}x` [%s]))", literal: "x", pattern: `[a-z]+[0-9]{7,}x`, faster: 1},
		{name: "json filter, by status", expr: `sum by (status) (count_over_time({system="web-json"} | json | status >= 500 [5m]))`, step: m, system: "web-json", literal: `"status":5`, parsed: true, faster: 5},
		{name: "json filter, lines", expr: `{system="web-json"} | json | status >= 500`, limit: 1 << 20, system: "web-json", literal: `"status":5`, parsed: true, faster: 5},
		{name: "logfmt quantile, by path", expr: `quantile_over_time(0.99, {system="web-logfmt"} | logfmt | unwrap duration [5m]) by (path)`, step: m, system: "web-logfmt", literal: "duration=", parsed: true, faster: 5},
		{name: "count per minute", expr: `sum(count_over_time(` + all + `[1m]))`, step: m, literal: "\n"},
		{name: "sum by (system), rate", expr: `sum by (system) (rate(` + all + `[5m]))`, step: m, literal: "\n"},
	}
}

// measured is what one question took.
type measured struct {
	took, raw, decompress time.Duration
	read                  int64
	stats                 query.Stats
	found                 int64
}

// measureStore fills a store, and asks it.
func measureStore(ctx context.Context, w *survey, o options, dir string, b *bars) error {
	wanted, err := regexp.Compile(o.only)
	if err != nil {
		return err
	}
	st, err := openStore(ctx, filepath.Join(dir, "store"))
	if err != nil {
		return err
	}
	defer st.engine.Close(ctx)
	if err := st.fill(ctx, w, o.pushes); err != nil {
		return err
	}
	size, err := st.size(ctx, w.begin, w.end)
	if err != nil {
		return err
	}
	st.print(w, size)
	w.printStored(size, b)
	runtime.GC()
	return w.askAll(ctx, st, size.all, wanted, o.profile, b)
}

// printStored prints what the store takes beside what the lines take compressed, and adds the bar.
func (w *survey) printStored(size storedSize, b *bars) {
	of := func(n int64) float64 { return float64(size.all) / float64(n) }
	fmt.Printf("### Stored\n\n%s in %s, of which %s are timestamps and %s skip filters.\n\n| compared with | bytes | stored, of it |\n| --- | ---: | ---: |\n",
		megabytes(w.raw), megabytes(size.all), megabytes(size.times), megabytes(size.filters))
	row := func(what string, n int64) { fmt.Printf("| %s | %s | %.3f |\n", what, megabytes(n), of(n)) }
	row("the lines", w.raw)
	row("snappy, a file of the lines", w.filed.snappy)
	row("zstd -3, a file of the lines", w.filed.zstd)
	row("zstd -3, lines in the order of the pushes", w.pushed.zstd)
	row("zstd -3, lines of each stream by themselves", w.inStreams())
	fmt.Println()
	b.atMost("workload: stored bytes with filters and index, of zstd -3's for a file of the lines", 0.65, of(w.filed.zstd), "")
	b.atMost("the same, of zstd -3's for the lines as they are pushed, sorted by stream", 0.65, of(w.pushed.zstd), "")
}

func (w *survey) askAll(ctx context.Context, st *store, stored int64, wanted *regexp.Regexp, profile string, b *bars) error {
	fmt.Print("### Queries\n\n| query | found | time | bytes read | of stored | chunks | pruned | opened | lines in memory (×) | zstd and scan (×) |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	q := query.New(query.Options{Source: st.engine, Workers: 1, MaxMemory: 8 << 30})
	if profile != "" {
		return w.profile(ctx, q, wanted, profile)
	}
	for _, x := range w.questions() {
		if !wanted.MatchString(x.name) {
			continue
		}
		m, err := w.ask(ctx, q, st.bucket, x, true)
		if err != nil {
			return fmt.Errorf("%s: %w", x.name, err)
		}
		m.print(x.name, stored)
		ratio := m.decompress.Seconds() / m.took.Seconds()
		if x.faster > 0 {
			b.atLeast(x.name+": faster than decompressing and scanning, or parsing", x.faster, ratio, " ×")
		}
		switch x.name {
		case "needle (32 bytes)", "needle (16 bytes of it)":
			b.atMost(x.name+": bytes read, of stored", 0.02, float64(m.read)/float64(stored), "")
		case "count per minute":
			b.atMost("count per minute: chunks whose lines are read", 0, float64(m.stats.ChunksOpened), "")
		case "logfmt quantile, by path":
			again, err := w.ask(ctx, q, st.bucket, x, false)
			if err != nil {
				return err
			}
			again.decompress, again.raw = m.decompress, m.raw
			again.print(x.name+", asked again", stored)
		}
	}
	return nil
}

func (m *measured) print(name string, stored int64) {
	fmt.Printf("| %s | %d | %.1f ms | %s | %.2f%% | %d | %d | %d | %.1f ms (%.1f) | %.1f ms (%.1f) |\n", name, m.found, ms(m.took), megabytes(m.read), 100*float64(m.read)/float64(stored),
		m.stats.ChunksTotal, m.stats.ChunksPruned, m.stats.ChunksOpened, ms(m.raw), m.raw.Seconds()/m.took.Seconds(), ms(m.decompress), m.decompress.Seconds()/m.took.Seconds())
}

func ms(d time.Duration) float64 { return d.Seconds() * 1e3 }

// profile repeats the wanted questions for some seconds under the CPU profiler.
func (w *survey) profile(ctx context.Context, q *query.Engine, wanted *regexp.Regexp, path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := pprof.StartCPUProfile(file); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	for began := spent(); spent()-began < 5*time.Second; {
		for _, x := range w.questions() {
			if !wanted.MatchString(x.name) {
				continue
			}
			p := w.params(x)
			p.NoCache = true
			if _, err := q.Query(ctx, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// ask asks a question some times and takes the fastest; first, without a cache, its floors too.
func (w *survey) ask(ctx context.Context, q *query.Engine, bucket *countingBucket, x question, first bool) (measured, error) {
	var m measured
	p := w.params(x)
	if p.NoCache = first; !first {
		if _, err := q.Query(ctx, p); err != nil {
			return m, err
		}
	}
	var failed error
	m.took = bestOf(func() time.Duration {
		before, began := bucket.read.Load(), spent()
		result, err := q.Query(ctx, p)
		if err != nil {
			failed = err
			return enough
		}
		took := spent() - began
		m.read, m.stats, m.found = bucket.read.Load()-before, result.Stats, answer(result)
		return took
	})
	if failed != nil {
		return m, failed
	}
	if !first {
		return m, nil
	}
	var found int64
	m.raw = w.scan(x)
	switch {
	case x.parsed:
		took, err := w.parse(ctx, x, m.found)
		m.decompress = took
		return m, err
	default:
		m.decompress, found = w.decompress(x)
	}
	if x.step == 0 && found != m.found && (x.limit == 0 || m.found < int64(x.limit)) {
		return m, fmt.Errorf("found %d lines, and there are %d", m.found, found)
	}
	return m, nil
}

// params makes the query of a question. The limits are none.
func (w *survey) params(x question) query.Params {
	p := query.Params{Tenant: tenant, Expr: x.expr, Start: w.begin, End: w.end, Limit: x.limit, Step: int64(x.step), Limits: query.Limits{MaxMemory: 8 << 30}}
	if x.step == 0 && x.limit == 0 {
		p.Expr = fmt.Sprintf(x.expr, fmt.Sprintf("%ds", (w.end-w.begin)/1e9+1))
		p.Instant, p.Time = true, w.end
	}
	if x.step > 0 {
		p.End = w.end + int64(x.step)
	}
	return p
}

// answer is the number of lines, of what was counted, or of points.
func answer(r *query.Result) int64 {
	switch {
	case r.Type == query.ResultStreams:
		return int64(len(r.Entries))
	case r.Type == query.ResultVector && len(r.Vector) > 0:
		return int64(r.Vector[0].Value)
	}
	n := 0
	for _, s := range r.Matrix {
		n += len(s.Points)
	}
	return int64(n)
}

// parse asks the same of plain chunks in memory, where every line is decompressed and parsed.
func (w *survey) parse(ctx context.Context, x question, want int64) (time.Duration, error) {
	q := query.New(query.Options{Source: w.plain[x.system], Workers: 1, MaxMemory: 8 << 30})
	p := w.params(x)
	p.NoCache = true
	var failed error
	best := bestOf(func() time.Duration {
		began := spent()
		result, err := q.Query(ctx, p)
		if err == nil && answer(result) != want {
			err = fmt.Errorf("%d from columns, %d from plain chunks", want, answer(result))
		}
		if err != nil {
			failed = err
			return enough
		}
		return spent() - began
	})
	return best, failed
}
