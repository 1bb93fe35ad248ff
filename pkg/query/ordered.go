package query

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// ordered runs do for the tasks 0 … n-1 on some workers and passes the results to take one after the other in the order of the tasks, whatever
// order they finish in. At most 2·workers results are held. The first error in task order ends it and is returned; all workers have
// stopped by then. A panic in do is an error.
func ordered[T any](ctx context.Context, workers, n int, do func(ctx context.Context, i int) (T, error), take func(i int, v T) error) error {
	if workers <= 1 || n <= 1 {
		for i := range n {
			v, err := guarded(ctx, i, do)
			if err == nil {
				err = take(i, v)
			}
			if err != nil {
				return err
			}
		}
		return ctx.Err()
	}
	workers = min(workers, n)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type result struct {
		i   int
		v   T
		err error
	}
	held := make(chan struct{}, 2*workers)
	results := make(chan result, 2*workers)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				select {
				case held <- struct{}{}:
				case <-ctx.Done():
					return
				}
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				v, err := guarded(ctx, i, do)
				results <- result{i, v, err}
			}
		}()
	}
	pending := map[int]result{}
	var failure error
	for at := 0; at < n && failure == nil; {
		r, ok := pending[at]
		if !ok {
			select {
			case r := <-results:
				pending[r.i] = r
			case <-ctx.Done():
				failure = ctx.Err()
			}
			continue
		}
		delete(pending, at)
		if failure = r.err; failure == nil {
			failure = take(at, r.v)
		}
		<-held
		at++
	}
	cancel()
	wg.Wait()
	return failure
}

func guarded[T any](ctx context.Context, i int, do func(ctx context.Context, i int) (T, error)) (v T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("query worker failed: %v\n%s", p, debug.Stack())
		}
	}()
	if err := ctx.Err(); err != nil {
		return v, err
	}
	return do(ctx, i)
}
