package canary

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/tools/cli"
	"github.com/cambium-logs/cambium/pkg/tools/client"
)

const (
	// maxWindow is how many lines one query is asked for; with room for duplicates it stays below the limit that servers have.
	maxWindow = 1000
	// tailRetry is how long a tail that broke is not begun again.
	tailRetry = time.Second
	// tailHistory is how much a tail that is begun again asks for.
	tailHistory = 5000
	// maxTold is how many single lines are told of.
	maxTold = 50
)

// canary is one run.
type canary struct {
	client  *client.Client
	options options
	id      string // tells the lines of this run
	stream  labels.Labels
	ledger  *ledger
	metrics *metrics

	sent, acked, dropped atomic.Int64
	refusal              error // the first one; the writer's until it has ended

	mu   sync.Mutex // guards told and out
	told int
	out  io.Writer
}

func newCanary(c *client.Client, o options, out io.Writer) *canary {
	b := &canary{client: c, options: o, id: rand.Text()[:10], stream: o.stream(), metrics: newMetrics(), out: out}
	b.ledger = &ledger{late: o.late, wait: o.wait, tail: !o.noTail, tell: b.tell}
	return b
}

// tell reports a line that is not as it should be.
func (b *canary) tell(kind string, c channel, l *line) {
	b.metrics.found.WithLabelValues(kind, c.String()).Inc()
	b.mu.Lock()
	defer b.mu.Unlock()
	switch b.told++; {
	case b.told <= maxTold:
		fmt.Fprintf(b.out, "canary: line %d of %s is %s by %s\n", l.seq, cli.ShortTime(l.at), kind, c)
	case b.told == maxTold+1:
		fmt.Fprintln(b.out, "canary: further lines are counted only")
	}
}

func (b *canary) note(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	fmt.Fprintf(b.out, "canary: "+format+"\n", args...)
}

// run writes for as long as it was told and waits until the fate of every line is known. The error says why nothing could be tried.
func (b *canary) run(ctx context.Context) error {
	// What was written is checked even when the writing is interrupted.
	checking, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var work sync.WaitGroup
	defer work.Wait()
	defer stop()
	if !b.options.noTail {
		started := make(chan error, 1)
		work.Go(func() { b.tail(checking, started) })
		select {
		case err := <-started:
			if err != nil {
				return fmt.Errorf("tail: %w", err)
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	written := make(chan struct{})
	work.Go(func() {
		defer close(written)
		b.write(ctx)
	})
	b.check(checking, written)
	if b.acked.Load() == 0 {
		if b.refusal != nil {
			return fmt.Errorf("no line was acknowledged: %w", b.refusal)
		}
		return errors.New("no line was written")
	}
	return nil
}

// write pushes batches at the rate until the duration is over or ctx ends.
func (b *canary) write(ctx context.Context) {
	if d := time.Duration(b.options.duration); d > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d)
		defer cancel()
	}
	tick := time.NewTicker(time.Duration(float64(b.options.batch) / b.options.rate * float64(time.Second)))
	defer tick.Stop()
	seq, last := uint64(0), int64(0)
	for {
		entries := make([]client.Entry, b.options.batch)
		from := seq
		for i := range entries {
			last = max(last+1, time.Now().UnixNano())
			entries[i] = client.Entry{Timestamp: last, Line: b.text(seq)}
			b.ledger.add(seq, last)
			seq++
		}
		b.push(entries, from)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// push sends a batch whose first line has the number from. It is not cut off when the writing ends: then nobody would know what the server has.
func (b *canary) push(entries []client.Entry, from uint64) {
	n := int64(len(entries))
	b.sent.Add(n)
	b.metrics.sent.Add(float64(n))
	start := time.Now()
	err := b.client.Push(context.Background(), b.stream, entries)
	if err != nil {
		b.ledger.pushed(from, len(entries), time.Time{})
		b.metrics.refused.Add(float64(n))
		if b.refusal == nil {
			b.refusal = err
			b.note("a push failed: %s", err)
		}
		return
	}
	now := time.Now()
	b.metrics.push.Observe(now.Sub(start).Seconds())
	b.metrics.acked.Add(float64(n))
	b.acked.Add(n)
	b.ledger.pushed(from, len(entries), now)
}

// text is a line: its run, its number, and padding.
func (b *canary) text(seq uint64) string {
	text := "run=" + b.id + " seq=" + strconv.FormatUint(seq, 10) + " "
	return text + strings.Repeat("p", max(0, b.options.size-len(text)))
}

// parse gives the number of a line of this run.
func (b *canary) parse(text string) (uint64, bool) {
	rest, ok := strings.CutPrefix(text, "run="+b.id+" seq=")
	if !ok {
		return 0, false
	}
	number, _, _ := strings.Cut(rest, " ")
	seq, err := strconv.ParseUint(number, 10, 64)
	return seq, err == nil
}

func (b *canary) expression() string { return b.stream.String() + ` |= "run=` + b.id + ` "` }

// check asks for what is outstanding until everything that was written is settled.
func (b *canary) check(ctx context.Context, written <-chan struct{}) {
	tick := time.NewTicker(b.options.every)
	defer tick.Stop()
	ended := false
	checked := time.Time{} // when the last round of queries that all succeeded began
	for {
		select {
		case <-tick.C:
		case <-written:
			ended, written = true, nil
		}
		if began := time.Now(); b.ask(ctx) {
			checked = began
		}
		b.ledger.expire(time.Now(), checked)
		if ended && (b.ledger.finished() || b.givenUp(checked)) {
			return
		}
	}
}

// givenUp reports whether queries have failed for so long after the writing that nothing can be said any more; then what is open is missing.
func (b *canary) givenUp(checked time.Time) bool {
	last := time.Unix(0, b.ledger.newest())
	now := time.Now()
	if now.Sub(last) <= 2*b.options.wait || now.Sub(checked) <= b.options.wait {
		return false
	}
	b.note("queries have failed for too long")
	b.ledger.expire(now, now)
	return true
}

// ask queries for the lines that were not found yet. It is false when a query failed.
func (b *canary) ask(ctx context.Context) bool {
	for _, w := range b.ledger.windows(maxWindow) {
		sent := time.Now()
		result, err := b.client.Query(ctx, client.Request{
			Expr: b.expression(), Start: w.from, End: w.to + 1, Limit: min(2*w.lines+100, tailHistory), Forward: true,
		})
		if err != nil {
			b.metrics.queryFail.Inc()
			if ctx.Err() == nil {
				b.note("a query failed: %s", err)
			}
			return false
		}
		found := map[uint64]int{}
		for _, e := range result.Entries {
			if seq, ok := b.parse(e.Line); ok {
				found[seq]++
			}
		}
		b.ledger.queried(w, found, sent)
	}
	return true
}

// tail follows the run's lines, over as many connections as it takes. The first attempt's outcome goes to started.
func (b *canary) tail(ctx context.Context, started chan<- error) {
	request := client.TailRequest{Expr: b.expression(), Start: time.Now().UnixNano(), Limit: tailHistory}
	for connection := 1; ; connection++ {
		up := false
		err := b.client.Tail(ctx, request, func() {
			up = true
			if connection == 1 {
				started <- nil
			}
		}, func(f client.Frame) error {
			now := time.Now()
			for _, e := range f.Entries {
				if seq, ok := b.parse(e.Line); ok {
					if delay, known := b.ledger.tailed(seq, connection, now); known {
						b.metrics.tail.Observe(delay.Seconds())
					}
				}
			}
			b.dropped.Add(int64(f.Dropped))
			b.metrics.dropped.Add(float64(f.Dropped))
			return nil
		})
		if ctx.Err() != nil {
			return
		}
		if connection == 1 && !up {
			started <- err
			return
		}
		b.note("tail: %s; trying again", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(tailRetry):
		}
		request.Start = b.ledger.oldest(time.Now())
	}
}

// summary is the last line.
func (b *canary) summary() string {
	t := b.ledger.totals()
	text := fmt.Sprintf("canary: %d sent, %d acknowledged; query: %d missing, %d late, %d duplicate", b.sent.Load(), b.acked.Load(),
		t.missing[byQuery], t.late[byQuery], t.duplicate[byQuery])
	if b.options.noTail {
		return text
	}
	return text + fmt.Sprintf("; tail: %d missing, %d late, %d duplicate, %d dropped", t.missing[byTail], t.late[byTail], t.duplicate[byTail], b.dropped.Load())
}
