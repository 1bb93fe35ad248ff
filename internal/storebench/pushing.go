package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/cambium-logs/cambium/internal/loggen"
	"github.com/cambium-logs/cambium/pkg/engine"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/wal"
)

const (
	// pushedBytes is how many bytes of lines pushing is measured with.
	pushedBytes = 256 << 20
	// pushRuns is how often it is measured with each encoding, in turns; the cheapest counts.
	pushRuns = 3
)

// pushCost is what pushing took.
type pushCost struct {
	raw  int64
	own  time.Duration // CPU time of the thread that pushes: all that is done before the acknowledgement
	wall time.Duration // from the beginning to the acknowledgement of a push: the median, which what else runs on the machine changes least
	all  time.Duration // CPU time of the process: encoding and flushes too

	refused int // pushes that had to wait for a flush
	each    []time.Duration
}

// measurePushing pushes with chunks that are encoded in columns, and with plain ones.
func measurePushing(ctx context.Context, pushes, dir string, b *bars) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(runtime.NumCPU()))
	best := map[chunk.Encoding]pushCost{}
	for range pushRuns {
		for _, enc := range []chunk.Encoding{chunk.EncodingPlain, chunk.EncodingHead} {
			c, err := pushWith(ctx, pushes, filepath.Join(dir, "pushing"), enc)
			if err != nil {
				return err
			}
			if was, ok := best[enc]; ok {
				c.own, c.wall, c.all = min(c.own, was.own), min(c.wall, was.wall), min(c.all, was.all)
			}
			best[enc] = c
		}
	}
	plain, columnar := best[chunk.EncodingPlain], best[chunk.EncodingHead]
	fmt.Printf("### Pushing, by encoding\n\n%s of lines, decode → check → log → head, without fsync, with flushes behind it as they come. What waits for a flush is pushed again, and only the push that was accepted counts.\n\n", megabytes(plain.raw))
	fmt.Print("| chunks | CPU until acknowledged | | a push of 1 MiB until acknowledged | CPU of everything | | refused |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, r := range []struct {
		name string
		pushCost
	}{{"plain", plain}, {"columnar", columnar}} {
		rate := func(d time.Duration) string { return fmt.Sprintf("%.0f MB/s", float64(r.raw)/1e6/d.Seconds()) }
		fmt.Printf("| %s | %s | %s | %.2f ms | %s | %s | %d |\n", r.name, seconds2(r.own), rate(r.own), ms(r.wall), seconds2(r.all), rate(r.all), r.refused)
	}
	fmt.Println()
	b.atMost("pushing: CPU until acknowledged, of plain's (two runs of the same differ by 5%)", 1.05, columnar.own.Seconds()/plain.own.Seconds(), " ×")
	b.atMost("pushing: time until a push is acknowledged, median, of plain's (two runs of the same differ by 10%)", 1.1, columnar.wall.Seconds()/plain.wall.Seconds(), " ×")
	return nil
}

func seconds2(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

var errEnough = errors.New("enough was pushed")

// pushWith pushes into an engine as an instance has it, whose flushes run behind the pushes. A push that is refused because the head is full is
// repeated; only what the accepted one took counts.
func pushWith(ctx context.Context, pushes, dir string, enc chunk.Encoding) (c pushCost, err error) {
	defer os.RemoveAll(dir)
	o := engine.Options{DataDir: dir, WALSync: wal.SyncNone}
	o.Head.Encoding = enc
	e, err := engine.Open(ctx, o)
	if err != nil {
		return c, err
	}
	defer e.Close(ctx)
	r := receiver(e)
	runtime.GC()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	began := spent()
	err = loggen.Pushes(pushes, func(body []byte, raw, _ int64) error {
		for {
			own, wall := ownSpent(), time.Now()
			err := push(ctx, r, body)
			if errors.Is(err, engine.ErrBusy) {
				c.refused++
				time.Sleep(10 * time.Millisecond)
				continue
			}
			if err != nil {
				return err
			}
			c.own += ownSpent() - own
			c.each = append(c.each, time.Since(wall))
			break
		}
		if c.raw += raw; c.raw >= pushedBytes {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	if err == nil {
		err = e.Flush(ctx)
	}
	c.all = spent() - began
	if len(c.each) > 0 {
		slices.Sort(c.each)
		c.wall = c.each[len(c.each)/2]
	}
	return c, err
}
