package engine

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/query"
	"github.com/cambium-logs/cambium/pkg/storage/bucket"
)

// TestDamagedIndexFailsItsRangeOnly: a segment of which nothing can be read, because its index or footer is damaged, fails the queries over its range and
// tells its name and what to do; queries over the rest of the same day are answered.
func TestDamagedIndexFailsItsRangeOnly(t *testing.T) {
	onStores(t, testDamagedIndexFailsItsRangeOnly)
}

func testDamagedIndexFailsItsRangeOnly(t *testing.T, st store) {
	ctx := context.Background()
	for name, fromEnd := range map[string]int{"trailer": 4, "footer": 40} {
		opts := Options{DataDir: t.TempDir(), Bucket: st.open(t)}
		e := open(t, opts)
		for hour := range int64(3) {
			require.NoError(t, e.Append(ctx, "t", stream(labels.FromStrings("a", "b"), entry(hour*1000, "first"), entry(hour*1000+500, "second"))))
			require.NoError(t, e.Flush(ctx))
		}
		closeEngine(t, e)
		b := opts.Bucket
		if b == nil {
			b = openStore(t, bucket.Options{Dir: opts.bucketDir()})
		}
		damaged := ""
		for _, object := range objects(t, b) {
			if strings.Contains(object, "-1000-1500-") {
				damaged = object
			}
		}
		data, err := bucket.ReadAll(ctx, b, damaged, 1<<20)
		require.NoError(t, err)
		data[len(data)-fromEnd] ^= 0x40
		require.NoError(t, b.Upload(ctx, damaged, bytes.NewReader(data)))

		e = open(t, opts)
		q := query.New(query.Options{Source: e})
		ask := func(start, end int64) (*query.Result, error) {
			return q.Query(ctx, query.Params{Tenant: "t", Expr: `{a="b"}`, Start: start, End: end, Limit: 100})
		}
		for _, in := range [][2]int64{{0, 1000}, {1501, 3000}} {
			result, err := ask(in[0], in[1])
			require.NoError(t, err, name)
			require.Len(t, result.Entries, 2, name)
		}
		for _, expr := range []string{`{a="b"}`, `count_over_time({a="b"}[1m])`} {
			_, err := q.Query(ctx, query.Params{Tenant: "t", Expr: expr, Start: 1200, End: 1300, Step: 1e9, Limit: 100})
			require.ErrorContains(t, err, damaged, name)
			require.ErrorContains(t, err, "verify", fmt.Sprint(name, expr))
		}
		closeEngine(t, e)
	}
}
