package server

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// A push that runs when the server stops is stored and acknowledged, tails that are open see it and are told why they end, and nobody new gets in.
func TestServeDrains(t *testing.T) {
	dir := t.TempDir()
	r := start(t, "-data", dir, "-auth", "none")
	var tails []*websocket.Conn
	for range 3 {
		conn := r.tail(`{app="tail"}`)
		defer conn.CloseNow()
		tails = append(tails, conn)
	}
	r.push("tail", "before")
	for _, conn := range tails {
		require.Equal(t, []string{"before"}, next(t, conn, 1))
	}
	body, slow := io.Pipe()
	answered := make(chan error, 1)
	go func() {
		resp, err := r.client.Post(r.url+"/loki/api/v1/push", "application/json", body)
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode != http.StatusNoContent {
				err = fmt.Errorf("status %d", resp.StatusCode)
			}
		}
		answered <- err
	}()
	_, err := io.WriteString(slow, `{"streams":[{"stream":{"app":"tail"},"values":[["`+fmt.Sprint(time.Now().UnixNano())+`",`)
	require.NoError(t, err)
	time.Sleep(100 * time.Millisecond) // the request is being read
	r.cancel()
	address := strings.TrimPrefix(r.url, "http://")
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err != nil
	}, 10*time.Second, 10*time.Millisecond, "nobody new gets in")
	_, err = io.WriteString(slow, `"during"]]}]}`)
	require.NoError(t, err)
	require.NoError(t, slow.Close())
	require.NoError(t, <-answered)
	for _, conn := range tails {
		for {
			_, _, err := conn.Read(t.Context())
			if err == nil {
				continue
			}
			var closed websocket.CloseError
			require.ErrorAs(t, err, &closed)
			require.Equal(t, websocket.StatusGoingAway, closed.Code)
			require.Equal(t, "the server stops", closed.Reason)
			break
		}
	}
	r.stop()
	again := start(t, "-data", dir, "-auth", "none")
	require.Equal(t, []string{"before", "during"}, again.lines(`{app="tail"}`))
}
