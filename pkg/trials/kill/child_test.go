package kill

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/engine"
	"github.com/cambium-logs/cambium/pkg/ingest"
	"github.com/cambium-logs/cambium/pkg/internal/fault"
	"github.com/cambium-logs/cambium/pkg/storage/bucket"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/deletes"
	"github.com/cambium-logs/cambium/pkg/storage/head"
	"github.com/cambium-logs/cambium/pkg/trials"
)

const (
	// childEnv holds the child's orders: directory, what it is, what it does, and where it dies.
	childEnv = "CAMBIUM_TRIAL_CHILD"
	// speed is how much faster than the true clock the one is by which segments grow old: grace periods end within a second.
	speed = 5000
)

func TestMain(m *testing.M) {
	if text := os.Getenv(childEnv); text != "" {
		o, err := parseOrders(text)
		if err == nil {
			err = o.run()
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// orders are what a child is told.
type orders struct {
	dir      string
	slot     int
	inBucket bool
	first    int   // number of its first push
	epoch    int64 // time of push 0
	point    string
	passes   int // how often the point is passed before the child dies there
}

func (o orders) String() string {
	return strings.Join([]string{o.dir, strconv.Itoa(o.slot), strconv.FormatBool(o.inBucket), strconv.Itoa(o.first), strconv.FormatInt(o.epoch, 10), o.point, strconv.Itoa(o.passes)}, "|")
}

func parseOrders(text string) (o orders, err error) {
	f := strings.Split(text, "|")
	if len(f) != 7 {
		return o, fmt.Errorf("bad orders %q", text)
	}
	var errs [5]error
	o.dir, o.point = f[0], f[5]
	o.slot, errs[0] = strconv.Atoi(f[1])
	o.inBucket, errs[1] = strconv.ParseBool(f[2])
	o.first, errs[2] = strconv.Atoi(f[3])
	o.epoch, errs[3] = strconv.ParseInt(f[4], 10, 64)
	o.passes, errs[4] = strconv.Atoi(f[6])
	return o, errors.Join(errs[:]...)
}

// options are those of the engine of a slot.
func (o orders) options() (engine.Options, error) {
	b, err := bucket.Open(bucket.Options{Dir: filepath.Join(o.dir, "bucket")})
	if err != nil {
		return engine.Options{}, err
	}
	opts := engine.Options{Bucket: b, Head: head.Options{ChunkBytes: 2000, Encoders: 1}, FlushBytes: 30_000, CommitInterval: 5 * time.Millisecond}
	opts.DataDir = filepath.Join(o.dir, fmt.Sprint("process-", o.slot))
	if o.inBucket {
		opts.WALLocation = engine.WALInBucket
	}
	opts.Compaction = engine.Compaction{Interval: time.Minute, Settle: time.Minute}
	opts.SetClock(o.clock)
	return opts, nil
}

// clock is the same in all processes.
func (o orders) clock() time.Time {
	return time.Unix(0, o.epoch).Add(time.Duration(time.Now().UnixNano()-o.epoch) * speed)
}

// die makes the process kill itself where it was told to. What it says first is that it got there.
func (o orders) die() {
	var left atomic.Int64
	left.Store(int64(o.passes))
	fault.Hook = func(p string) {
		if p != o.point || left.Add(-1) >= 0 {
			return
		}
		_, _ = os.Stdout.WriteString("at " + p + "\n")
		if self, err := os.FindProcess(os.Getpid()); err == nil {
			_ = self.Kill()
		}
		select {}
	}
}

// run pushes, deletes, flushes and compacts until the process is killed, and writes to stdout what it tries and what was acknowledged.
func (o orders) run() error {
	o.die()
	ctx := context.Background()
	opts, err := o.options()
	if err != nil {
		return err
	}
	e, err := engine.Open(ctx, opts)
	if err != nil {
		return err
	}
	var next atomic.Int64
	next.Store(int64(o.first) - 1)
	var out sync.Mutex
	say := func(what string, k int) {
		out.Lock()
		defer out.Unlock()
		_, _ = fmt.Println(what, k)
	}
	failed := make(chan error)
	for range 2 {
		go func() {
			for {
				k := int(next.Add(1))
				say("try", k)
				if err := e.Append(ctx, tenant, o.push(k)); err != nil {
					failed <- fmt.Errorf("push: %w", err)
				}
				say("ack", k)
				if k%8 == 3 {
					say("erase", k)
					if _, err := e.CreateDelete(ctx, tenant, o.deletion(k)); err != nil {
						failed <- fmt.Errorf("delete: %w", err)
					}
					say("erased", k)
				}
				time.Sleep(3 * time.Millisecond)
			}
		}()
	}
	go func() {
		for {
			time.Sleep(15 * time.Millisecond)
			if err := e.Flush(ctx); err != nil {
				failed <- fmt.Errorf("flush: %w", err)
			}
		}
	}()
	go func() {
		for {
			time.Sleep(10 * time.Millisecond)
			if _, err := e.Maintain(ctx); err != nil {
				failed <- fmt.Errorf("maintain: %w", err)
			}
		}
	}()
	return <-failed
}

const tenant = "org-1"

// erasure is what deletes push number k.
func (o orders) erasure(k int) trials.Erasure {
	at := o.at(k)
	return trials.Erasure{Tenant: tenant, MinT: at, MaxT: at + int64(10*time.Second), Selects: func(labels.Labels) bool { return true }}
}

func (o orders) deletion(k int) deletes.Request {
	r := deletes.Request{Query: trials.Selector, Start: o.erasure(k).MinT, End: o.erasure(k).MaxT}
	if k%16 == 3 {
		r = deletes.Request{Query: fmt.Sprintf(`%s |= "push %d entry "`, trials.Selector, k), Start: 0, End: o.epoch + int64(time.Hour)}
	}
	return r
}

// at is the time of the first entry of push k. Pushes are apart.
func (o orders) at(k int) int64 { return o.epoch - int64(k)*int64(20*time.Second) }

// push is push number k: some entries in two streams, now and then over midnight.
func (o orders) push(k int) []ingest.Stream {
	at := o.at(k)
	var out []ingest.Stream
	for i := range 2 {
		s := ingest.Stream{Labels: labels.FromStrings("app", fmt.Sprint((k+i)%5))}
		for n := range 1 + k%4 {
			s.Entries = append(s.Entries, chunk.Entry{
				Timestamp: at + int64(n)*int64(time.Second), Line: fmt.Appendf(nil, "push %d entry %d %s", k, n, strings.Repeat("x", k%50)),
				Metadata: []labels.Label{{Name: "push", Value: fmt.Sprint(k)}},
			})
		}
		out = append(out, s)
	}
	return out
}
