package engine

import (
	"context"
	"fmt"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/storage/deletes"
)

// TestSubscriptionsHideDeletes: an entry that arrives while a request to delete it waits is not shown to those who listen either.
func TestSubscriptionsHideDeletes(t *testing.T) { onStores(t, testSubscriptionsHideDeletes) }

func testSubscriptionsHideDeletes(t *testing.T, st store) {
	e := open(t, Options{Bucket: st.open(t)})
	ctx := context.Background()
	a, b := labels.FromStrings("app", "a"), labels.FromStrings("app", "b")
	for _, r := range []deletes.Request{{Query: `{app="a"} |= "secret"`, Start: 10, End: 20}, {Query: `{app="b"}`, Start: 30, End: 40}} {
		_, err := e.CreateDelete(ctx, "t", r)
		require.NoError(t, err)
	}
	sub := e.Subscribe("t", 0)
	defer sub.Close()
	push := func(ls labels.Labels, ts int64, line string) {
		require.NoError(t, e.Append(ctx, "t", stream(ls, entry(ts, line))))
	}
	push(a, 15, "late secret")
	push(a, 16, "late")
	push(a, 21, "new secret")
	push(b, 15, "late secret")
	push(b, 35, "late")
	push(b, 41, "new")
	require.NoError(t, e.Append(ctx, "t", stream(a, entry(17, "secret 1"), entry(18, "shown"), entry(19, "secret 2"))))
	var got []string
	for len(got) < 5 {
		events, dropped, err := sub.Next(ctx)
		require.NoError(t, err)
		require.Zero(t, dropped)
		for _, event := range events {
			require.NotEmpty(t, event.Entries)
			for _, en := range event.Entries {
				got = append(got, fmt.Sprint(event.Labels.Get("app"), " ", en.Timestamp, " ", string(en.Line)))
			}
		}
	}
	require.Equal(t, []string{"a 16 late", "a 21 new secret", "b 15 late secret", "b 41 new", "a 18 shown"}, got)
}

// TestClosedSubscriptionsFollowNobody: a tail that begins while the engine closes leaves nothing running.
func TestClosedSubscriptionsFollowNobody(t *testing.T) {
	e := open(t, sharing(stores[1].open(t)))
	others, err := e.newFollower(t.Context(), "t")
	require.NoError(t, err)
	sub, snap := e.listen("t", 0, nil)
	snap.Close()
	pinned, err := e.catalog.Snapshot(t.Context(), "t", 0, 10)
	require.NoError(t, err)
	defer pinned.Close()
	e.endSubscriptions()
	require.NoError(t, others.start(t.Context(), sub, pinned))
	require.Nil(t, sub.follower)
	_, _, err = sub.Next(t.Context())
	require.ErrorIs(t, err, ErrUnsubscribed)
}
