package faultbucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/thanos-io/objstore"
)

func upload(t *testing.T, b objstore.Bucket, name, content string) error {
	t.Helper()
	return b.Upload(t.Context(), name, strings.NewReader(content))
}

func get(t *testing.T, b objstore.Bucket, name string) (string, error) {
	t.Helper()
	r, err := b.Get(t.Context(), name)
	if err != nil {
		return "", err
	}
	content, err := io.ReadAll(r)
	return string(content), errors.Join(err, r.Close())
}

func list(t *testing.T, b objstore.Bucket, dir string) []string {
	t.Helper()
	var out []string
	require.NoError(t, b.Iter(t.Context(), dir, func(n string) error { out = append(out, n); return nil }))
	return out
}

func TestEveryFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewStore(objstore.NewInMemBucket())
		b, other := s.Connect(1), s.Connect(2)
		require.NoError(t, upload(t, b, "d/a", "content"))

		b.Set(Faults{Fail: 1})
		require.ErrorIs(t, upload(t, b, "d/b", "x"), ErrInjected)
		require.ErrorIs(t, b.Delete(t.Context(), "d/a"), ErrInjected)
		require.Equal(t, []string{"d/a"}, s.Names())
		got, err := get(t, other, "d/a")
		require.NoError(t, err, "a connection's faults are its own")
		require.Equal(t, "content", got)

		b.Set(Faults{Lost: 1})
		require.ErrorIs(t, upload(t, b, "d/b", "x"), ErrInjected)
		require.Equal(t, []string{"d/a", "d/b"}, s.Names())
		require.ErrorIs(t, b.Delete(t.Context(), "d/b"), ErrInjected)
		require.Equal(t, []string{"d/a"}, s.Names())

		b.Set(Faults{Truncate: 1})
		got, err = get(t, b, "d/a")
		require.NoError(t, err)
		require.Less(t, len(got), len("content"))
		require.True(t, strings.HasPrefix("content", got))

		b.Set(Faults{Flip: 1})
		got, err = get(t, b, "d/a")
		require.NoError(t, err)
		require.Len(t, got, len("content"))
		require.NotEqual(t, "content", got)

		b.Set(Faults{Stall: 1, StallFor: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
		_, err = b.Attributes(ctx, "d/a")
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded)
		began := time.Now()
		_, err = b.Attributes(t.Context(), "d/a")
		require.NoError(t, err)
		require.Positive(t, time.Since(began))

		b.Set(Faults{})
		s.SetSpace(10)
		require.ErrorIs(t, upload(t, b, "d/c", "12345"), ErrNoSpace)
		require.NoError(t, b.Delete(t.Context(), "d/a"))
		require.NoError(t, upload(t, b, "d/c", "12345"))
		require.EqualValues(t, 5, s.Used())

		down := errors.New("gone")
		b.Down(down)
		require.ErrorIs(t, upload(t, b, "d/c", "x"), down)
		b.Down(nil)
		require.NoError(t, upload(t, b, "d/c", "x"))
		b.Cut()
		require.ErrorIs(t, upload(t, b, "d/c", "y"), ErrCut)
	})
}

func TestStaleListsShowThePast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewStore(objstore.NewInMemBucket())
		b := s.Connect(1)
		require.NoError(t, upload(t, b, "d/old", "x"))
		require.NoError(t, upload(t, b, "d/e/f", "x"))
		time.Sleep(time.Hour)
		require.NoError(t, b.Delete(t.Context(), "d/old"))
		require.NoError(t, upload(t, b, "d/new", "x"))
		require.ElementsMatch(t, []string{"d/e/", "d/new"}, list(t, b, "d/"))
		b.Set(Faults{Stale: 1, StaleFor: 59 * time.Minute})
		shown := map[string]bool{}
		for range 200 {
			l := list(t, b, "d/")
			require.Contains(t, l, "d/e/")
			shown[fmt.Sprint(l)] = true
		}
		require.Contains(t, shown, "[d/e/ d/old]", "all of it as it was")
		require.Greater(t, len(shown), 1, "parts of it as they were")
		time.Sleep(time.Hour)
		require.ElementsMatch(t, []string{"d/e/", "d/new"}, list(t, b, "d/"))
		require.Empty(t, list(t, b, "elsewhere/"))
	})
}

func TestFaultsAreReplayed(t *testing.T) {
	run := func(t *testing.T) string {
		s := NewStore(objstore.NewInMemBucket())
		b := s.Connect(7)
		b.Set(Faults{Fail: 0.3, Lost: 0.3, Truncate: 0.3, Flip: 0.3, Stale: 0.3, StallFor: time.Nanosecond})
		var out []string
		for i := range 100 {
			name := fmt.Sprint(i % 7)
			out = append(out, fmt.Sprint(upload(t, b, name, fmt.Sprint("content ", i))))
			got, err := get(t, b, name)
			out = append(out, got, fmt.Sprint(err))
		}
		return strings.Join(append(out, b.Injected()...), "\n")
	}
	synctest.Test(t, func(t *testing.T) {
		require.Equal(t, run(t), run(t))
	})
}
