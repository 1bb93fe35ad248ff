package bucket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/thanos-io/objstore"
)

// Limits bound what one operation may take. Zero values mean the defaults.
type Limits struct {
	Attempts   int           // of one operation, the first included; default 4
	MinBackoff time.Duration // before the second attempt, doubled for each further one, with jitter; default 100 ms
	MaxBackoff time.Duration // default 3 s
	Request    time.Duration // one attempt of listing, reading attributes, deleting, or reading a range; default 30 s
	// Transfer is the time of one attempt of an upload or of reading a whole object, on top of Request, per MiB; default 4 s.
	// Where the size is not known the limit is that for 1 GiB.
	Transfer time.Duration
}

func (l Limits) withDefaults() Limits {
	if l.Attempts <= 0 {
		l.Attempts = 4
	}
	if l.MinBackoff <= 0 {
		l.MinBackoff = 100 * time.Millisecond
	}
	if l.MaxBackoff <= 0 {
		l.MaxBackoff = 3 * time.Second
	}
	if l.Request <= 0 {
		l.Request = 30 * time.Second
	}
	if l.Transfer <= 0 {
		l.Transfer = 4 * time.Second
	}
	return l
}

// maxBufferedRange is the length up to which a range is read into memory within the attempt, so that a connection that breaks half-way is retried too.
const maxBufferedRange = 16 << 20

// retrying gives every operation a time limit and repeats those that failed for a reason that may pass. All operations are safe to
// repeat: objects are immutable and have names of their own, so uploading twice leaves the same object, and a list is handed on only when it is complete.
type retrying struct {
	objstore.Bucket
	limits  Limits
	retries *prometheus.CounterVec
}

func newRetrying(b objstore.Bucket, limits Limits, reg prometheus.Registerer) *retrying {
	return &retrying{
		Bucket: b,
		limits: limits.withDefaults(),
		retries: promauto.With(reg).NewCounterVec(prometheus.CounterOpts{
			Name: "cambium_bucket_retries_total",
			Help: "Object store operations that were repeated after a failure.",
		}, []string{"operation"}),
	}
}

// do runs op until it succeeds, fails for good, or the attempts or the context are used up.
func (b *retrying) do(ctx context.Context, operation, name string, limit time.Duration, op func(ctx context.Context) error) error {
	backoff := b.limits.MinBackoff
	for attempt := 1; ; attempt++ {
		err := b.attempt(ctx, limit, op)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("%s %s: %w", operation, name, errors.Join(ctx.Err(), err))
		case attempt >= b.limits.Attempts || b.final(err):
			return fmt.Errorf("%s %s: %w", operation, name, err)
		}
		b.retries.WithLabelValues(operation).Inc()
		t := time.NewTimer(backoff/2 + rand.N(backoff/2+1))
		select {
		case <-ctx.Done():
			t.Stop()
			return fmt.Errorf("%s %s: %w", operation, name, errors.Join(ctx.Err(), err))
		case <-t.C:
		}
		backoff = min(2*backoff, b.limits.MaxBackoff)
	}
}

func (b *retrying) attempt(ctx context.Context, limit time.Duration, op func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within %s", limit))
	defer cancel()
	err := op(ctx)
	if err != nil && errors.Is(err, context.DeadlineExceeded) && context.Cause(ctx) != nil {
		err = fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
	return err
}

// permanentError is a failure of the caller's own making.
type permanentError struct{ error }

func (e permanentError) Unwrap() error { return e.error }

func (b *retrying) final(err error) bool {
	var p permanentError
	return errors.As(err, &p) || b.IsObjNotFoundErr(err) || b.IsAccessDeniedErr(err) || errors.Is(err, objstore.ErrOptionNotSupported)
}

func (b *retrying) IsObjNotFoundErr(err error) bool { return anyErr(err, b.Bucket.IsObjNotFoundErr) }
func (b *retrying) IsAccessDeniedErr(err error) bool {
	return anyErr(err, b.Bucket.IsAccessDeniedErr)
}

// anyErr asks for err and everything it wraps: some providers look at the outermost error only.
func anyErr(err error, is func(error) bool) bool {
	if err == nil {
		return false
	}
	if is(err) {
		return true
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		return anyErr(e.Unwrap(), is)
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			if anyErr(err, is) {
				return true
			}
		}
	}
	return false
}

func (b *retrying) Iter(ctx context.Context, dir string, f func(string) error, opts ...objstore.IterOption) error {
	var names []string
	err := b.do(ctx, "list", dir, b.limits.transfer(-1), func(ctx context.Context) error {
		names = names[:0]
		return b.Bucket.Iter(ctx, dir, func(name string) error {
			names = append(names, name)
			return nil
		}, opts...)
	})
	if err != nil {
		return err
	}
	for _, n := range names {
		if err := f(n); err != nil {
			return err
		}
	}
	return nil
}

func (b *retrying) IterWithAttributes(ctx context.Context, dir string, f func(objstore.IterObjectAttributes) error, opts ...objstore.IterOption) error {
	var all []objstore.IterObjectAttributes
	err := b.do(ctx, "list", dir, b.limits.transfer(-1), func(ctx context.Context) error {
		all = all[:0]
		return b.Bucket.IterWithAttributes(ctx, dir, func(a objstore.IterObjectAttributes) error {
			all = append(all, a)
			return nil
		}, opts...)
	})
	if err != nil {
		return err
	}
	for _, a := range all {
		if err := f(a); err != nil {
			return err
		}
	}
	return nil
}

func (b *retrying) Attributes(ctx context.Context, name string) (attrs objstore.ObjectAttributes, err error) {
	err = b.do(ctx, "attributes", name, b.limits.Request, func(ctx context.Context) (err error) {
		attrs, err = b.Bucket.Attributes(ctx, name)
		return err
	})
	return attrs, err
}

func (b *retrying) Exists(ctx context.Context, name string) (exists bool, err error) {
	err = b.do(ctx, "exists", name, b.limits.Request, func(ctx context.Context) (err error) {
		exists, err = b.Bucket.Exists(ctx, name)
		return err
	})
	return exists, err
}

// Delete repeats like the others; an object that is gone at a second attempt was deleted by the first.
func (b *retrying) Delete(ctx context.Context, name string) error {
	attempts := 0
	return b.do(ctx, "delete", name, b.limits.Request, func(ctx context.Context) error {
		attempts++
		err := b.Bucket.Delete(ctx, name)
		if attempts > 1 && b.IsObjNotFoundErr(err) {
			return nil
		}
		return err
	})
}

func (b *retrying) GetRange(ctx context.Context, name string, off, length int64) (io.ReadCloser, error) {
	if length < 0 || length > maxBufferedRange {
		return b.stream(ctx, name, length, func(ctx context.Context) (io.ReadCloser, error) {
			return b.Bucket.GetRange(ctx, name, off, length)
		})
	}
	var data []byte
	err := b.do(ctx, "read", name, b.limits.transfer(length), func(ctx context.Context) error {
		body, err := b.Bucket.GetRange(ctx, name, off, length)
		if err != nil {
			return err
		}
		defer body.Close()
		buf := bytes.NewBuffer(make([]byte, 0, length+bytes.MinRead))
		_, err = buf.ReadFrom(io.LimitReader(body, length))
		data = buf.Bytes()
		return err
	})
	if err != nil {
		return nil, err
	}
	return objstore.NopCloserWithSize(bytes.NewReader(data)), nil
}

func (b *retrying) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	return b.stream(ctx, name, -1, func(ctx context.Context) (io.ReadCloser, error) {
		return b.Bucket.Get(ctx, name)
	})
}

// stream opens a body whose reading is limited in time. Only the opening is repeated.
func (b *retrying) stream(ctx context.Context, name string, length int64, open func(ctx context.Context) (io.ReadCloser, error)) (io.ReadCloser, error) {
	bodyCtx, cancel := context.WithTimeout(ctx, b.limits.transfer(length))
	var body io.ReadCloser
	err := b.do(bodyCtx, "read", name, b.limits.transfer(length), func(context.Context) (err error) {
		body, err = open(bodyCtx)
		return err
	})
	if err != nil {
		cancel()
		return nil, err
	}
	return &cancelingBody{body, cancel}, nil
}

type cancelingBody struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (c *cancelingBody) Close() error {
	defer c.cancel()
	return c.ReadCloser.Close()
}

// Upload repeats only when the source can be read again from where it stood.
func (b *retrying) Upload(ctx context.Context, name string, r io.Reader, opts ...objstore.ObjectUploadOption) error {
	size, err := objstore.TryToGetSize(r)
	if err != nil {
		size = -1
	}
	seeker, canSeek := r.(io.Seeker)
	var start int64
	if canSeek {
		if start, err = seeker.Seek(0, io.SeekCurrent); err != nil {
			canSeek = false
		}
	}
	first := true
	return b.do(ctx, "upload", name, b.limits.transfer(size), func(ctx context.Context) error {
		if !first {
			if _, err := seeker.Seek(start, io.SeekStart); err != nil {
				return permanentError{err}
			}
		}
		first = false
		err := b.Bucket.Upload(ctx, name, r, opts...)
		if err != nil && !canSeek {
			return permanentError{err}
		}
		return err
	})
}

// transfer is the time limit for moving size bytes; negative = unknown.
func (l Limits) transfer(size int64) time.Duration {
	if size < 0 {
		size = 1 << 30
	}
	return l.Request + time.Duration(float64(l.Transfer)*float64(size)/(1<<20))
}
