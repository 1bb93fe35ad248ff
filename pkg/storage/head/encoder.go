package head

import (
	"context"
	"fmt"
	"sync"
)

// encodeJob is a sealed buffer to be encoded.
type encodeJob struct {
	data   *tenantData
	sealed *sealed
}

// encoder encodes sealed buffers in the background. The queue is bounded by the memory of the head.
type encoder struct {
	head *Head
	mu   sync.Mutex
	wake *sync.Cond
	jobs []encodeJob
	stop bool
	done sync.WaitGroup
}

func newEncoder(h *Head, workers int) *encoder {
	e := &encoder{head: h}
	e.wake = sync.NewCond(&e.mu)
	for range workers {
		e.done.Go(e.run)
	}
	return e
}

func (e *encoder) enqueue(j encodeJob) {
	e.mu.Lock()
	e.jobs = append(e.jobs, j)
	e.mu.Unlock()
	e.wake.Signal()
}

func (e *encoder) run() {
	var scratch encodeScratch
	for {
		e.mu.Lock()
		for len(e.jobs) == 0 && !e.stop {
			e.wake.Wait()
		}
		if e.stop {
			e.mu.Unlock()
			return
		}
		j := e.jobs[0]
		e.jobs[0] = encodeJob{}
		e.jobs = e.jobs[1:]
		e.mu.Unlock()
		if err := j.encode(&scratch); err != nil {
			e.head.opts.Logger.Error("A chunk could not be encoded; it stays in memory until the flush tries again", "tenant", j.data.tenant.id, "error", err)
		}
	}
}

func (e *encoder) close() {
	e.mu.Lock()
	e.stop = true
	e.mu.Unlock()
	e.wake.Broadcast()
	e.done.Wait()
}

// encode does the job, or waits for whoever does it and returns at once when it is done.
func (j encodeJob) encode(scratch *encodeScratch) error {
	s, t := j.sealed, j.data.tenant
	s.encoding.Lock()
	defer s.encoding.Unlock()
	t.mu.RLock()
	done, buf := s.chunks != nil, s.buf
	t.mu.RUnlock()
	if done {
		return nil
	}
	v := buf.makeView(len(buf.entries)) // sealed: nobody writes to it
	chunks, err := scratch.encode(v, t.head.opts.Encoding)
	if err != nil {
		return fmt.Errorf("encode a chunk of the head: %w", err)
	}
	t.finishEncoding(j.data, s, chunks)
	t.head.metrics.encoded.Inc()
	return nil
}

// encodeAll does jobs with some goroutines and stops at the first error or when the context ends.
func encodeAll(ctx context.Context, jobs []encodeJob, workers int) error {
	var (
		mu    sync.Mutex
		next  int
		first error
		done  sync.WaitGroup
	)
	const step = 64
	for range max(1, min(workers, len(jobs)/step+1)) {
		done.Go(func() {
			var scratch encodeScratch
			for {
				mu.Lock()
				if first == nil {
					first = ctx.Err()
				}
				lo := next
				next += step
				stop := first != nil
				mu.Unlock()
				if stop || lo >= len(jobs) {
					return
				}
				for _, j := range jobs[lo:min(lo+step, len(jobs))] {
					if err := j.encode(&scratch); err != nil {
						mu.Lock()
						first = err
						mu.Unlock()
						return
					}
				}
			}
		})
	}
	done.Wait()
	return first
}
