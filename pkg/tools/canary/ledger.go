package canary

import (
	"sync"
	"time"
)

// channel is a way in which lines come back.
type channel int

const (
	byQuery channel = iota
	byTail
	channels
)

func (c channel) String() string { return [channels]string{"query", "tail"}[c] }

// line is one line that was written.
type line struct {
	seq   uint64
	at    int64     // its timestamp
	done  bool      // the push has succeeded or failed
	acked time.Time // zero: not acknowledged
	seen  [channels]bool
	lost  [channels]bool // declared missing
	late  [channels]bool
	twice [channels]bool
	tail  int // number of the tail connection that showed it last
}

// settled reports whether nothing of a channel is waited for any more.
func (l *line) settled(c channel) bool { return l.acked.IsZero() || l.seen[c] || l.lost[c] }

// counts are what is reported, by channel.
type counts struct {
	missing, late, duplicate [channels]int64
}

// ledger knows the lines of the last while. It forgets a line when its fate is known and twice the waiting time has passed.
type ledger struct {
	late, wait time.Duration
	tail       bool // whether lines are expected by tail

	mu     sync.Mutex // guards what follows
	first  uint64     // sequence number of lines[0]
	lines  []*line
	counts counts
	tell   func(kind string, c channel, l *line) // told of every line that counts
}

// add notes a line that is about to be pushed.
func (g *ledger) add(seq uint64, at int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.lines) == 0 {
		g.first = seq
	}
	g.lines = append(g.lines, &line{seq: seq, at: at})
}

// pushed notes the end of the push of n lines from a number on: when it was acknowledged, or the zero time.
func (g *ledger) pushed(from uint64, n int, acked time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range uint64(n) {
		if l := g.line(from + i); l != nil {
			l.done, l.acked = true, acked
		}
	}
}

func (g *ledger) line(seq uint64) *line {
	if seq < g.first || seq >= g.first+uint64(len(g.lines)) {
		return nil
	}
	return g.lines[seq-g.first]
}

// tailed notes a line that a tail connection showed. A later connection may repeat what an earlier one has shown.
func (g *ledger) tailed(seq uint64, connection int, now time.Time) (delay time.Duration, known bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.line(seq)
	if l == nil {
		return 0, false
	}
	if l.seen[byTail] && l.tail == connection {
		g.mark("duplicate", byTail, l, &l.twice, &g.counts.duplicate)
	}
	l.tail = connection
	if !l.acked.IsZero() {
		delay = now.Sub(l.acked)
	}
	if !l.seen[byTail] && delay > g.late {
		g.mark("late", byTail, l, &l.late, &g.counts.late)
	}
	l.seen[byTail] = true
	return max(delay, 0), true
}

// mark counts a line once.
func (g *ledger) mark(kind string, c channel, l *line, marked *[channels]bool, count *[channels]int64) {
	if marked[c] {
		return
	}
	marked[c] = true
	count[c]++
	g.tell(kind, c, l)
}

// window is a run of lines that a query is to find.
type window struct {
	from, to int64 // times, both inclusive
	lines    int
}

// windows gives the runs of lines that begin and end with one that a query has not found yet, each of at most most lines.
func (g *ledger) windows(most int) []window {
	g.mu.Lock()
	defer g.mu.Unlock()
	var out []window
	start := 0 // position of the last window's first line
	for i, l := range g.lines {
		switch n := len(out); {
		case l.settled(byQuery):
		case n == 0 || i-start >= most:
			start = i
			out = append(out, window{l.at, l.at, 1})
		default:
			out[n-1].to, out[n-1].lines = l.at, i-start+1
		}
	}
	return out
}

// queried notes what a query that was sent at a time found in a window: how often each line.
func (g *ledger) queried(w window, found map[uint64]int, sent time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, l := range g.lines {
		if l.at < w.from || l.at > w.to || l.acked.IsZero() {
			continue
		}
		n := found[l.seq]
		if n > 1 {
			g.mark("duplicate", byQuery, l, &l.twice, &g.counts.duplicate)
		}
		switch {
		case n > 0:
			l.seen[byQuery] = true
		case !l.seen[byQuery] && sent.Sub(l.acked) > g.late:
			g.mark("late", byQuery, l, &l.late, &g.counts.late)
		}
	}
}

// expire declares missing what was waited for long enough and forgets what is old. checked is when the last query was sent.
func (g *ledger) expire(now, checked time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, l := range g.lines {
		if l.acked.IsZero() {
			continue
		}
		if !l.seen[byQuery] && checked.Sub(l.acked) > g.wait {
			g.lose(byQuery, l)
		}
		if g.tail && !l.seen[byTail] && now.Sub(l.acked) > g.wait {
			g.lose(byTail, l)
		}
	}
	for len(g.lines) > 1 {
		l := g.lines[0]
		since := l.acked
		if since.IsZero() {
			since = time.Unix(0, l.at)
		}
		if now.Sub(since) <= 2*g.wait || !g.done(l) {
			return
		}
		g.lines = g.lines[1:]
		g.first++
	}
}

// lose declares a line missing; it is no longer merely late.
func (g *ledger) lose(c channel, l *line) {
	if l.late[c] && !l.lost[c] {
		g.counts.late[c]--
	}
	g.mark("missing", c, l, &l.lost, &g.counts.missing)
}

func (g *ledger) done(l *line) bool {
	return l.done && l.settled(byQuery) && (!g.tail || l.settled(byTail))
}

// finished reports whether the fate of every line is known.
func (g *ledger) finished() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, l := range g.lines {
		if !g.done(l) {
			return false
		}
	}
	return true
}

// oldest is the time of the oldest line that a tail has not shown, or now.
func (g *ledger) oldest(now time.Time) int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, l := range g.lines {
		if !l.settled(byTail) {
			return l.at
		}
	}
	return now.UnixNano()
}

func (g *ledger) totals() counts {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.counts
}

// newest is the time of the newest line, 0 when there is none.
func (g *ledger) newest() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.lines) == 0 {
		return 0
	}
	return g.lines[len(g.lines)-1].at
}
