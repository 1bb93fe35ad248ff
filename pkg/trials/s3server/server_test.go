package s3server

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/storage/bucket"
)

func TestServer(t *testing.T) {
	s := Start(t)
	first, second := s.Bucket(t), s.Bucket(t)
	b, err := bucket.Open(bucket.Options{Config: first})
	require.NoError(t, err)
	defer b.Close()
	require.NoError(t, bucket.Probe(t.Context(), b))
	require.NoError(t, b.Upload(t.Context(), "t/2026-01-01/x", strings.NewReader("content")))
	got, err := bucket.ReadAll(t.Context(), b, "t/2026-01-01/x", 100)
	require.NoError(t, err)
	require.Equal(t, "content", string(got))
	_, err = b.Attributes(t.Context(), "nothing")
	require.True(t, b.IsObjNotFoundErr(err), err)
	err = b.Delete(t.Context(), "nothing")
	require.True(t, err == nil || b.IsObjNotFoundErr(err), err)

	other, err := bucket.Open(bucket.Options{Config: second})
	require.NoError(t, err)
	defer other.Close()
	require.NoError(t, other.Iter(t.Context(), "", func(n string) error { t.Error(n); return nil }))

	prefixed, err := bucket.Open(bucket.Options{Config: append(bytes.Clone(first), "prefix: a/b\n"...)})
	require.NoError(t, err)
	defer prefixed.Close()
	require.NoError(t, bucket.Probe(t.Context(), prefixed))
}
