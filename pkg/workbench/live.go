package workbench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"
)

// Bounds of the live routes.
const (
	maxLivePath   = 160 - len("ds/"+UID+"/") // Grafana's limit of a channel's name
	maxLiveData   = 64 << 10                 // Grafana's limit of a client's message
	liveQueue     = 256                      // frames that wait for a slow reader
	idleStream    = time.Second              // how long a channel runs on without subscribers; Grafana: about 20 s
	restartStream = 200 * time.Millisecond
)

// live runs the plugin's streams: one RunStream per channel, however many subscribe, each of whom the plugin is asked about.
type live struct {
	host   *Host
	ctx    context.Context
	cancel context.CancelFunc
	runs   sync.WaitGroup

	mu       sync.Mutex // guards what follows
	channels map[string]*channel
}

// channel is one running stream and the queues of its subscribers.
type channel struct {
	cancel      context.CancelFunc
	subscribers map[chan []byte]bool
}

func newLive(h *Host) *live {
	ctx, cancel := context.WithCancel(context.Background())
	return &live{host: h, ctx: ctx, cancel: cancel, channels: map[string]*channel{}}
}

func (l *live) close() {
	l.cancel()
	l.runs.Wait()
}

// serve is GET /api/live/ds/<uid>/<path>?data=<JSON>: a websocket that carries one JSON frame per message, the initial frame first.
func (l *live) serve(w http.ResponseWriter, r *http.Request) {
	path, text := r.PathValue("path"), r.URL.Query().Get("data")
	if len(path) > maxLivePath || len(text) > maxLiveData {
		writeError(w, http.StatusBadRequest, errors.New("live: the path or the data is too long"))
		return
	}
	if text != "" && !json.Valid([]byte(text)) {
		writeError(w, http.StatusBadRequest, errors.New("live: data is not JSON"))
		return
	}
	pluginContext, err := l.host.caller(r)
	if err != nil {
		writeError(w, http.StatusBadRequest, err)
		return
	}
	answer, err := l.subscribe(r.Context(), pluginContext, path, text)
	if err != nil {
		writeUnavailable(w, err)
		return
	}
	switch answer.Status {
	case pluginv2.SubscribeStreamResponse_OK:
	case pluginv2.SubscribeStreamResponse_NOT_FOUND:
		writeError(w, http.StatusNotFound, errors.New("live: no such channel"))
		return
	default:
		writeError(w, http.StatusForbidden, errors.New("live: permission denied"))
		return
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return // Accept has answered
	}
	defer conn.CloseNow()
	ctx := conn.CloseRead(r.Context())
	key := fmt.Sprintf("%d %s", pluginContext.OrgID, path)
	queue, leave := l.join(key, pluginContext, path, text)
	defer leave()
	if len(answer.Data) > 0 && conn.Write(ctx, websocket.MessageText, answer.Data) != nil {
		return
	}
	for {
		select {
		case frame, ok := <-queue:
			if !ok {
				_ = conn.Close(websocket.StatusNormalClosure, "the stream has ended")
				return
			}
			if conn.Write(ctx, websocket.MessageText, frame) != nil {
				return
			}
		case <-ctx.Done():
			return
		case <-l.ctx.Done():
			_ = conn.Close(websocket.StatusGoingAway, "the workbench stops")
			return
		}
	}
}

func (l *live) subscribe(ctx context.Context, pc backend.PluginContext, path, data string) (*pluginv2.SubscribeStreamResponse, error) {
	clients, err := l.host.process.Clients()
	if err != nil {
		return nil, err
	}
	return clients.Stream.SubscribeStream(ctx, backend.ToProto().SubscribeStreamRequest(&backend.SubscribeStreamRequest{
		PluginContext: pc, Path: path, Data: json.RawMessage(data),
	}))
}

// join adds a subscriber to a channel and starts the channel when it is the first.
func (l *live) join(key string, pc backend.PluginContext, path, data string) (queue chan []byte, leave func()) {
	queue = make(chan []byte, liveQueue)
	l.mu.Lock()
	defer l.mu.Unlock()
	ch := l.channels[key]
	if ch == nil {
		ctx, cancel := context.WithCancel(l.ctx)
		ch = &channel{cancel: cancel, subscribers: map[chan []byte]bool{}}
		l.channels[key] = ch
		l.runs.Go(func() { l.run(ctx, key, ch, pc, path, data) })
	}
	ch.subscribers[queue] = true
	return queue, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(ch.subscribers, queue)
		if len(ch.subscribers) == 0 {
			time.AfterFunc(idleStream, func() { l.stopIdle(key, ch) })
		}
	}
}

func (l *live) stopIdle(key string, ch *channel) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(ch.subscribers) == 0 && l.channels[key] == ch {
		delete(l.channels, key)
		ch.cancel()
	}
}

// run keeps the plugin's stream of a channel running until the channel is stopped or the plugin says that it has ended.
func (l *live) run(ctx context.Context, key string, ch *channel, pc backend.PluginContext, path, data string) {
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.channels[key] == ch {
			delete(l.channels, key)
		}
		for queue := range ch.subscribers {
			close(queue)
		}
		ch.subscribers = map[chan []byte]bool{}
		ch.cancel()
	}()
	for delay := restartStream; ; delay = min(2*delay, 5*time.Second) {
		sent, err := l.runOnce(ctx, ch, pc, path, data)
		if err == nil || ctx.Err() != nil {
			return
		}
		if sent {
			delay = restartStream
		}
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return
		}
	}
}

// runOnce runs the stream once; sent tells whether anything came of it. A nil error means that the plugin ended it.
func (l *live) runOnce(ctx context.Context, ch *channel, pc backend.PluginContext, path, data string) (sent bool, err error) {
	clients, err := l.host.process.Clients()
	if err != nil {
		return false, err
	}
	stream, err := clients.Stream.RunStream(ctx, backend.ToProto().RunStreamRequest(&backend.RunStreamRequest{
		PluginContext: pc, Path: path, Data: json.RawMessage(data),
	}))
	if err != nil {
		return false, err
	}
	for {
		packet, err := stream.Recv()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return sent, nil
			}
			return sent, err
		}
		sent = true
		l.mu.Lock()
		for queue := range ch.subscribers {
			select {
			case queue <- packet.Data:
			default: // a reader this slow loses frames, as in Grafana
			}
		}
		l.mu.Unlock()
	}
}
