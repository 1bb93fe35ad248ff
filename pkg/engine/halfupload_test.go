package engine

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
	"github.com/thanos-io/objstore"

	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

// halfBucket runs out of space in the middle of segments, and leaves what it has of them.
type halfBucket struct {
	objstore.Bucket
	full atomic.Bool
	left atomic.Int64 // parts of segments that it left
}

func (b *halfBucket) Upload(ctx context.Context, name string, r io.Reader, opts ...objstore.ObjectUploadOption) error {
	if !b.full.Load() || !strings.HasSuffix(name, segment.Extension) {
		return b.Bucket.Upload(ctx, name, r, opts...)
	}
	data, err := io.ReadAll(r)
	if err == nil {
		err = b.Bucket.Upload(ctx, name, bytes.NewReader(data[:len(data)/2]), opts...)
	}
	b.left.Add(1)
	return errors.Join(err, errors.New("no space left"))
}

// TestHalfUploads: a bucket that leaves parts of segments when it is full does not make queries fail for ever.
func TestHalfUploads(t *testing.T) {
	for name, location := range map[string]WALLocation{"log on disk": WALOnDisk, "log in bucket": WALInBucket} {
		t.Run(name, func(t *testing.T) {
			ls := labels.FromStrings("app", "a")
			b := &halfBucket{Bucket: objstore.NewInMemBucket()}
			opts := Options{DataDir: t.TempDir(), Bucket: b, WALLocation: location, CommitInterval: time.Millisecond, FlushRetry: time.Hour}
			e := open(t, opts)
			require.NoError(t, e.Append(t.Context(), "t", stream(ls, entry(1, "before"))))
			require.NoError(t, e.Flush(t.Context()))
			b.full.Store(true)
			err := e.Append(t.Context(), "t", stream(ls, entry(2, "meanwhile")))
			require.Equal(t, location == WALOnDisk, err == nil)
			require.ErrorContains(t, e.Flush(t.Context()), "no space left")
			require.Positive(t, b.left.Load())
			other := open(t, Options{DataDir: t.TempDir(), Bucket: b})
			require.Equal(t, []string{"1 before []"}, contents(t, other, "t", 0, math.MaxInt64)[ls.String()])
			b.full.Store(false)
			require.Eventually(t, func() bool { return e.Flush(t.Context()) == nil }, 10*time.Second, time.Millisecond)
			require.Equal(t, []string{"1 before []", "2 meanwhile []"}, contents(t, e, "t", 0, math.MaxInt64)[ls.String()])
			fresh := open(t, Options{DataDir: t.TempDir(), Bucket: b})
			require.Equal(t, []string{"1 before []", "2 meanwhile []"}, contents(t, fresh, "t", 0, math.MaxInt64)[ls.String()])
		})
	}
}
