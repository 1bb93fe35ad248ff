package plugin

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/pkg/httpapi"
	"github.com/cambium-logs/cambium/pkg/query"
)

func tailPath(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "tail/" + base64.RawURLEncoding.EncodeToString(sum[:]) + "/0"
}

func TestParseTail(t *testing.T) {
	const text = `{"expr":"{app=\"<é>\"}"}`
	request, err := parseTail(tailPath(text), []byte(text))
	require.NoError(t, err)
	require.Equal(t, `{app="<é>"}`, request.Expr)

	_, err = parseTail(tailPath(text), []byte(`{ "expr" : "{app=\"\u003cé\u003e\"}" }`))
	require.NoError(t, err, "a host may have written the data anew")

	for _, path := range []string{"", "tail", tailPath(text) + "/1", "other/" + tailPath(text)[5:], "tail/%%%/0", tailPath(`{"expr":"{app=\"other\"}"}`)} {
		_, err = parseTail(path, []byte(text))
		require.ErrorIs(t, err, errChannel, path)
	}
	_, err = parseTail(tailPath("{"), []byte("{"))
	require.Error(t, err)
}

// scriptTail gives what it is told to, then waits.
type scriptTail struct {
	steps  []func() ([]query.Entry, int64, error)
	closed atomic.Bool
}

func (s *scriptTail) Next(ctx context.Context) ([]query.Entry, int64, error) {
	if len(s.steps) == 0 {
		<-ctx.Done()
		return nil, 0, ctx.Err()
	}
	step := s.steps[0]
	s.steps = s.steps[1:]
	return step()
}

func (s *scriptTail) Close() { s.closed.Store(true) }

// packets collects what a stream sends.
type packets chan json.RawMessage

func (p packets) Send(packet *backend.StreamPacket) error {
	p <- packet.Data
	return nil
}

func entriesOf(n int) []query.Entry {
	ls := &query.EntryLabels{Stream: labels.FromStrings("app", "web")}
	entries := make([]query.Entry, n)
	for i := range entries {
		entries[i] = query.Entry{Timestamp: int64(i), Line: fmt.Sprint("line ", i), Labels: ls}
	}
	return entries
}

func TestTail(t *testing.T) {
	tail := &scriptTail{steps: []func() ([]query.Entry, int64, error){
		func() ([]query.Entry, int64, error) { return entriesOf(1500), 0, nil },
		func() ([]query.Entry, int64, error) { return entriesOf(1), 7, nil },
		func() ([]query.Entry, int64, error) { return nil, 0, errors.New("the store is gone") },
	}}
	db := &fakeDB{history: entriesOf(2), tail: tail}
	i := instanceOver(db, `{}`, nil)
	const text = `{"expr":"{app=\"web\"} |= \"x\""}`
	viewer := backend.PluginContext{OrgID: 1, User: &backend.User{Role: "Viewer"}}

	subscribed, err := i.SubscribeStream(context.Background(), &backend.SubscribeStreamRequest{PluginContext: viewer, Path: tailPath(text), Data: []byte(text)})
	require.NoError(t, err)
	require.Equal(t, backend.SubscribeStreamStatusOK, subscribed.Status)
	var initial data.Frame
	require.NoError(t, json.Unmarshal(subscribed.InitialData.Data(), &initial))
	require.Equal(t, 2, initial.Rows())

	sent := make(packets, 10)
	err = i.RunStream(context.Background(), &backend.RunStreamRequest{PluginContext: viewer, Path: tailPath(text), Data: []byte(text)}, backend.NewStreamSender(sent))
	require.ErrorContains(t, err, "the store is gone")
	require.True(t, tail.closed.Load())
	close(sent)
	var rows []int
	var last json.RawMessage
	for packet := range sent {
		var shape struct {
			Schema *json.RawMessage `json:"schema"`
			Data   struct {
				Values []json.RawMessage `json:"values"`
			} `json:"data"`
		}
		require.NoError(t, json.Unmarshal(packet, &shape))
		require.Equal(t, len(rows) == 0, shape.Schema != nil, "the schema is sent once")
		var bodies []string
		require.NoError(t, json.Unmarshal(shape.Data.Values[2], &bodies))
		rows = append(rows, len(bodies))
		last = packet
	}
	require.Equal(t, []int{1000, 500, 2}, rows)
	require.Contains(t, string(last), "7 lines were left out")
}

func TestTailIsRefused(t *testing.T) {
	i := instanceOver(&fakeDB{tail: &scriptTail{}}, `{"roleSelectors":[{"role":"Viewer","selector":"{env=\"prod\"}"}]}`, nil)
	subscribe := func(user *backend.User, text string) (*backend.SubscribeStreamResponse, error) {
		return i.SubscribeStream(context.Background(), &backend.SubscribeStreamRequest{
			PluginContext: backend.PluginContext{OrgID: 1, User: user}, Path: tailPath(text), Data: []byte(text),
		})
	}
	const lines, metric = `{"expr":"{app=\"web\"}"}`, `{"expr":"rate({app=\"web\"}[1m])"}`
	const scoped = `{"expr":"{app=\"web\"}","scope":"Viewer"}`
	for _, c := range []struct {
		name   string
		user   *backend.User
		text   string
		status backend.SubscribeStreamStatus
	}{
		{"nobody", nil, lines, backend.SubscribeStreamStatusPermissionDenied},
		{"no role", &backend.User{}, lines, backend.SubscribeStreamStatusPermissionDenied},
		{"confined without a scope", &backend.User{Role: "Viewer"}, lines, backend.SubscribeStreamStatusPermissionDenied},
		{"confined", &backend.User{Role: "Viewer"}, scoped, backend.SubscribeStreamStatusOK},
		{"not confined", &backend.User{Role: "Editor"}, lines, backend.SubscribeStreamStatusOK},
	} {
		t.Run(c.name, func(t *testing.T) {
			response, err := subscribe(c.user, c.text)
			require.NoError(t, err)
			require.Equal(t, c.status, response.Status)
		})
	}
	_, err := subscribe(&backend.User{Role: "Admin"}, metric)
	require.ErrorContains(t, err, "needs a log query")
	_, err = subscribe(&backend.User{Role: "Admin"}, `{"expr":"{app="}`)
	require.ErrorContains(t, err, "parse error")
	published, err := i.PublishStream(context.Background(), &backend.PublishStreamRequest{})
	require.NoError(t, err)
	require.Equal(t, backend.PublishStreamStatusPermissionDenied, published.Status)
}

func TestParkedTailIsClosedWhenNobodyTakesIt(t *testing.T) {
	var parked parkedTails
	first, second := &scriptTail{}, &scriptTail{}
	parked.park("k", first)
	parked.park("k", second)
	require.True(t, second.closed.Load(), "the older one has all that the newer one would give")
	require.Equal(t, httpapi.Tail(first), parked.take("k"))
	require.Nil(t, parked.take("k"))

	third := &scriptTail{}
	parked.park("k", third)
	parked.tails["k"].timer.Reset(time.Nanosecond)
	require.Eventually(t, third.closed.Load, 5*time.Second, time.Millisecond)
}
