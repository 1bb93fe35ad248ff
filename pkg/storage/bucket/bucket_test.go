package bucket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"github.com/thanos-io/objstore"
	"go.uber.org/goleak"

	"github.com/cambium-logs/cambium/pkg/storage/bucket/buckettest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, buckettest.KnownGoroutines()...) }

func read(t testing.TB, b objstore.BucketReader, name string) string {
	t.Helper()
	data, err := ReadAll(t.Context(), b, name, 1<<20)
	require.NoError(t, err)
	return string(data)
}

func list(t testing.TB, b objstore.BucketReader, dir string, opts ...objstore.IterOption) (names []string) {
	t.Helper()
	require.NoError(t, b.Iter(t.Context(), dir, func(n string) error {
		names = append(names, n)
		return nil
	}, opts...))
	return names
}

// All kinds of buckets behave the same.
func TestBucket(t *testing.T) {
	dir := t.TempDir()
	local, err := Open(Options{Dir: filepath.Join(dir, "a", "b")})
	require.NoError(t, err)
	prefixed, err := Open(Options{Config: fmt.Appendf(nil, "type: filesystem\nconfig: {directory: %q}\nprefix: some/prefix", filepath.Join(dir, "c"))})
	require.NoError(t, err)
	for name, b := range map[string]*Bucket{"local": local, "prefixed": prefixed, "wrapped": Wrap(objstore.NewInMemBucket(), Limits{}, nil)} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, Probe(t.Context(), b))
			require.Empty(t, list(t, b, ""))
			require.NoError(t, b.Upload(t.Context(), "t/d/one", strings.NewReader("1234567")))
			require.NoError(t, b.Upload(t.Context(), "t/d/two", strings.NewReader("x")))
			path := filepath.Join(b.TempDir(t.TempDir()), "file")
			require.NoError(t, os.WriteFile(path, []byte("moved"), 0o600))
			require.NoError(t, b.UploadFile(t.Context(), "u/three", path))
			_, isLocal := b.IsLocal()
			_, err := os.Stat(path)
			require.Equal(t, isLocal, errors.Is(err, os.ErrNotExist))

			require.Equal(t, []string{"t/", "u/"}, list(t, b, ""))
			require.Equal(t, []string{"t/d/one", "t/d/two", "u/three"}, list(t, b, "", objstore.WithRecursiveIter()))
			require.Empty(t, list(t, b, "nowhere"))
			require.Equal(t, "1234567", read(t, b, "t/d/one"))
			require.Equal(t, "moved", read(t, b, "u/three"))
			body, err := b.GetRange(t.Context(), "t/d/one", 2, 3)
			require.NoError(t, err)
			got, err := io.ReadAll(body)
			require.NoError(t, err)
			require.NoError(t, body.Close())
			require.Equal(t, "345", string(got))
			attrs, err := b.Attributes(t.Context(), "t/d/one")
			require.NoError(t, err)
			require.EqualValues(t, 7, attrs.Size)
			_, err = ReadAll(t.Context(), b, "t/d/one", 6)
			require.ErrorContains(t, err, "more than 6")

			_, err = b.Get(t.Context(), "t/none")
			require.True(t, b.IsObjNotFoundErr(err), "%v", err)
			_, err = b.Attributes(t.Context(), "t/none")
			require.True(t, b.IsObjNotFoundErr(err), "%v", err)
			require.True(t, b.IsObjNotFoundErr(b.Delete(t.Context(), "t/none")))
			for _, n := range list(t, b, "", objstore.WithRecursiveIter()) {
				require.NoError(t, b.Delete(t.Context(), n))
			}
			require.Empty(t, list(t, b, ""))
			require.NoError(t, b.Close())
		})
	}
}

func TestLocalNames(t *testing.T) {
	l, err := OpenLocal(t.TempDir())
	require.NoError(t, err)
	for _, name := range []string{"", ".", "..", "../x", "a/../../x", "/x", "a//b", "a/", ".tmp", ".tmp/x"} {
		require.Error(t, l.Upload(t.Context(), name, strings.NewReader("x")), name)
		require.Error(t, l.Delete(t.Context(), name), name)
	}
	require.NoError(t, l.Upload(t.Context(), "a/b", strings.NewReader("x")))
	require.Error(t, l.Delete(t.Context(), "a"), "a directory is not an object")
}

type failingReader struct{ after int }

func (f *failingReader) Read(b []byte) (int, error) {
	if f.after == 0 {
		return 0, errors.New("source is gone")
	}
	f.after--
	return len(b), nil
}

// An upload that fails leaves nothing, and one that replaces an object never shows a mixture.
func TestLocalUploadIsAtomic(t *testing.T) {
	l, err := OpenLocal(t.TempDir())
	require.NoError(t, err)
	require.ErrorContains(t, l.Upload(t.Context(), "a/b", &failingReader{3}), "source is gone")
	exists, err := l.Exists(t.Context(), "a/b")
	require.NoError(t, err)
	require.False(t, exists)
	left, err := os.ReadDir(l.TempDir())
	require.NoError(t, err)
	require.Empty(t, left)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, l.Upload(ctx, "a/b", strings.NewReader("x")), context.Canceled)
}

// Uploads and deletes in one directory, which deletes remove when it is empty, do not disturb each other.
func TestLocalConcurrent(t *testing.T) {
	l, err := OpenLocal(t.TempDir())
	require.NoError(t, err)
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			for k := range 25 {
				name := fmt.Sprintf("t/d/%d-%d", i, k)
				errs[i] = errors.Join(errs[i], l.Upload(t.Context(), name, strings.NewReader(name)), l.Delete(t.Context(), name))
			}
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	require.Empty(t, list(t, l, ""))
}

func TestLocalRemovesStale(t *testing.T) {
	dir := t.TempDir()
	l, err := OpenLocal(dir)
	require.NoError(t, err)
	old, young := filepath.Join(l.TempDir(), "old"), filepath.Join(l.TempDir(), "young")
	require.NoError(t, os.WriteFile(old, nil, 0o600))
	require.NoError(t, os.WriteFile(young, nil, 0o600))
	require.NoError(t, os.Chtimes(old, time.Time{}, time.Now().Add(-2*staleTemp)))
	_, err = OpenLocal(dir)
	require.NoError(t, err)
	require.NoFileExists(t, old)
	require.FileExists(t, young)
}

// flaky fails the first operations.
type flaky struct {
	objstore.Bucket
	fail    int
	err     error
	hang    bool
	partial bool // lists and reads deliver something before they fail
}

func (f *flaky) next(ctx context.Context) error {
	if f.fail == 0 {
		return nil
	}
	f.fail--
	if f.hang {
		<-ctx.Done()
		return ctx.Err()
	}
	return f.err
}

func (f *flaky) Upload(ctx context.Context, name string, r io.Reader, opts ...objstore.ObjectUploadOption) error {
	if err := f.next(ctx); err != nil {
		_, _ = io.CopyN(io.Discard, r, 2)
		return err
	}
	return f.Bucket.Upload(ctx, name, r, opts...)
}

func (f *flaky) Delete(ctx context.Context, name string) error {
	if f.partial && f.fail > 0 {
		_ = f.Bucket.Delete(ctx, name)
	}
	if err := f.next(ctx); err != nil {
		return err
	}
	return f.Bucket.Delete(ctx, name)
}

func (f *flaky) Iter(ctx context.Context, dir string, fn func(string) error, opts ...objstore.IterOption) error {
	if f.partial && f.fail > 0 {
		_ = f.Bucket.Iter(ctx, dir, fn, opts...)
	}
	if err := f.next(ctx); err != nil {
		return err
	}
	return f.Bucket.Iter(ctx, dir, fn, opts...)
}

func (f *flaky) GetRange(ctx context.Context, name string, off, length int64) (io.ReadCloser, error) {
	body, err := f.Bucket.GetRange(ctx, name, off, length)
	if ferr := f.next(ctx); ferr != nil {
		if f.partial && err == nil {
			return io.NopCloser(io.MultiReader(io.LimitReader(body, 1), &failingReader{})), nil
		}
		return nil, ferr
	}
	return body, err
}

func TestRetries(t *testing.T) {
	quick := Limits{Attempts: 3, MinBackoff: time.Microsecond, MaxBackoff: time.Microsecond, Request: 20 * time.Millisecond, Transfer: time.Millisecond}
	for _, f := range []flaky{{fail: 2}, {fail: 2, partial: true}, {fail: 2, hang: true}, {fail: 3}} {
		t.Run(fmt.Sprintf("%+v", f), func(t *testing.T) {
			f.err = errors.New("try again")
			inner := objstore.NewInMemBucket()
			again := func() objstore.Bucket {
				g := f
				g.Bucket = inner
				return newRetrying(&g, quick, prometheus.NewRegistry())
			}
			wantOK := f.fail < 3
			check := func(err error) bool {
				require.Equal(t, wantOK, err == nil, "%v", err)
				return err == nil
			}
			if check(again().Upload(t.Context(), "d/a", bytes.NewReader([]byte("0123456789")))) {
				require.Equal(t, "0123456789", read(t, inner, "d/a"))
			} else {
				require.NoError(t, inner.Upload(t.Context(), "d/a", strings.NewReader("0123456789")))
			}
			if !f.hang {
				require.Error(t, again().Upload(t.Context(), "d/b", io.MultiReader(strings.NewReader("x"))), "a source that cannot be read again is not repeated")
			}
			body, err := again().GetRange(t.Context(), "d/a", 1, 4)
			if check(err) {
				got, err := io.ReadAll(body)
				require.NoError(t, err)
				require.Equal(t, "1234", string(got))
			}
			var names []string
			if check(again().Iter(t.Context(), "d", func(n string) error { names = append(names, n); return nil })) {
				require.Equal(t, []string{"d/a"}, names, "each name once")
			}
			require.NoError(t, inner.Upload(t.Context(), "d/c", strings.NewReader("c")))
			check(again().Delete(t.Context(), "d/c"))
		})
	}
	inner := &flaky{Bucket: objstore.NewInMemBucket()}
	b := newRetrying(inner, quick, prometheus.NewRegistry())
	_, err := b.GetRange(t.Context(), "none", 0, 1)
	require.True(t, b.IsObjNotFoundErr(err))
	require.Zero(t, testutil.ToFloat64(b.retries.WithLabelValues("read")), "what is not there is not asked for again")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	inner.fail, inner.err = 10, errors.New("down")
	require.ErrorIs(t, b.Delete(ctx, "x"), context.Canceled)
	require.Equal(t, 9, inner.fail)
}

func TestProbeNamesTheStep(t *testing.T) {
	for step, b := range map[string]objstore.Bucket{
		"write":  &flaky{Bucket: objstore.NewInMemBucket(), fail: 1, err: errors.New("no")},
		"list":   listless{objstore.NewInMemBucket()},
		"read":   unreadable{objstore.NewInMemBucket()},
		"delete": undeletable{objstore.NewInMemBucket()},
	} {
		err := Probe(t.Context(), b)
		var pe *ProbeError
		require.ErrorAs(t, err, &pe)
		require.Equal(t, step, pe.Step)
	}
	dir := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(dir, nil, 0o600))
	_, err := Open(Options{Dir: dir})
	require.ErrorContains(t, err, dir)
}

type listless struct{ objstore.Bucket }

func (listless) Iter(context.Context, string, func(string) error, ...objstore.IterOption) error {
	return nil
}

type unreadable struct{ objstore.Bucket }

func (unreadable) Get(context.Context, string) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader("something else")), nil
}

type undeletable struct{ objstore.Bucket }

func (undeletable) Delete(context.Context, string) error { return errors.New("not allowed") }

func TestConfig(t *testing.T) {
	secret := "hunter2"
	for name, conf := range map[string]string{
		"no yaml":    "{" + secret,
		"no type":    "config: {secret_key: " + secret + "}",
		"wrong key":  "type: S3\nsecret: " + secret,
		"wrong type": "type: " + "TAPE" + "\nconfig: {secret_key: " + secret + "}",
		"filesystem": "type: FILESYSTEM\nconfig: {dir: " + secret + "}",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(Options{Config: []byte(conf)})
			require.Error(t, err)
			require.NotContains(t, err.Error(), secret)
		})
	}
	b, err := Open(Options{Config: []byte("type: S3\nconfig: {bucket: logs, endpoint: \"127.0.0.1:1\", access_key: a, secret_key: b, insecure: true}\nprefix: x")})
	require.NoError(t, err)
	_, isLocal := b.IsLocal()
	require.False(t, isLocal)
	require.NoError(t, b.Close())
	_, err = Open(Options{})
	require.Error(t, err)
}
