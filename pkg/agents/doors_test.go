package agents

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Tokens of the doors. Agents push with serviceToken; the tests read with readerToken.
const (
	serviceToken = "glsa_agents_may_push"
	readerToken  = "glsa_tests_may_read"
)

// pushToken is the listener's token of an agent's tenant.
func pushToken(agent string) string { return "push-" + agent }

// door is one way in.
type door struct {
	name string
	base string // the address that stands before Loki's and OTLP's paths
	// token is what an agent sends; tenant is what a reader asks for, "" where there are none.
	token, tenant func(agent string) string
}

// url is the address of a path behind the door.
func (d *door) url(path string) string { return d.base + path }

// path is the part of url after the host.
func (d *door) path(path string) string {
	u, err := url.Parse(d.url(path))
	if err != nil {
		panic(err) // base is the address of a server that runs
	}
	return u.Path
}

// host is the host and port of the door.
func (d *door) host() string {
	rest := strings.TrimPrefix(d.base, "http://")
	host, _, _ := strings.Cut(rest, "/")
	return host
}

// openDoors starts the listener and Grafana for a list of agents.
func openDoors(t testing.TB, agents []string) []*door {
	t.Helper()
	return []*door{openListener(t, agents), {
		name: "grafana", base: grafana(t, readAll), token: func(string) string { return serviceToken }, tenant: func(string) string { return "" },
	}}
}

// readAll lets the tests read all that an agent sent in one query.
const readAll = "limits: {max_entries_limit_per_query: 100000}\n"

// openListener starts the listener, on which every agent has a token and a tenant of its own.
func openListener(t testing.TB, agents []string) *door {
	t.Helper()
	var config strings.Builder
	config.WriteString(readAll + "auth_enabled: true\nauth:\n  tokens:\n")
	grant := func(name, token, tenant, scope string) {
		fmt.Fprintf(&config, "    - {name: %s, sha256: %x, tenants: ['%s'], scopes: [%s]}\n", name, sha256.Sum256([]byte(token)), tenant, scope)
	}
	grant("reader", readerToken, "*", "read")
	for _, agent := range agents {
		grant(agent, pushToken(agent), agent, "push")
	}
	listener, _ := serve(t, config.String())
	return &door{name: "listener", base: listener, token: pushToken, tenant: func(agent string) string { return agent }}
}

// entry is one stored entry.
type entry struct {
	timestamp int64
	line      string
}

// stored reads the entries of the one stream that a selector finds, in order, and its labels.
func (d *door) stored(t testing.TB, agent, selector string) (labels map[string]string, entries []entry) {
	t.Helper()
	now := time.Now()
	span := url.Values{"start": {fmt.Sprint(now.Add(-time.Hour).UnixNano())}, "end": {fmt.Sprint(now.Add(time.Minute).UnixNano())}}
	var series struct {
		Data []map[string]string `json:"data"`
	}
	require.NoError(t, json.Unmarshal(d.read(t, agent, "/loki/api/v1/series?"+span.Encode()+"&match[]="+url.QueryEscape(selector)), &series))
	require.Len(t, series.Data, 1, "streams of %s", selector)
	query := url.Values{
		// Structured metadata would spread the entries over several streams of the answer.
		"query": {selector + " | keep service_name"}, "direction": {"forward"}, "limit": {"100000"},
	}
	var answer struct {
		Data struct {
			Result []struct {
				Values [][2]string `json:"values"`
			} `json:"result"`
		} `json:"data"`
	}
	require.NoError(t, json.Unmarshal(d.read(t, agent, "/loki/api/v1/query_range?"+span.Encode()+"&"+query.Encode()), &answer))
	require.LessOrEqual(t, len(answer.Data.Result), 1)
	for _, stream := range answer.Data.Result {
		for _, value := range stream.Values {
			timestamp, err := strconv.ParseInt(value[0], 10, 64)
			require.NoError(t, err)
			entries = append(entries, entry{timestamp, value[1]})
		}
	}
	return series.Data[0], entries
}

// read gets a path as a reader of the agent's tenant.
func (d *door) read(t testing.TB, agent, path string) []byte {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, d.url(path), nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+readerToken)
	if tenant := d.tenant(agent); tenant != "" {
		req.Header.Set("X-Scope-OrgID", tenant)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, "%s: %s", path, body)
	return body
}

// await waits until n entries are stored, for agents that say nothing when they are done.
func (d *door) await(t testing.TB, agent, selector string, n int, running *daemon) {
	t.Helper()
	deadline := time.Now().Add(90 * time.Second)
	count := 0
	for time.Now().Before(deadline) {
		if count = d.count(t, agent, selector); count >= n {
			return
		}
		select {
		case <-running.done:
			require.Fail(t, "the agent ended", "%d of %d entries were stored; it said:\n%s", count, n, running.out)
		case <-time.After(200 * time.Millisecond):
		}
	}
	require.Fail(t, "the agent takes too long", "%d of %d entries were stored; it said:\n%.4000s", count, n, running.out)
}

func (d *door) count(t testing.TB, agent, selector string) int {
	t.Helper()
	query := url.Values{"query": {"sum(count_over_time(" + selector + "[1h]))"}, "time": {fmt.Sprint(time.Now().Add(time.Second).UnixNano())}}
	var answer struct {
		Data struct {
			Result []struct {
				Value [2]any `json:"value"`
			} `json:"result"`
		} `json:"data"`
	}
	require.NoError(t, json.Unmarshal(d.read(t, agent, "/loki/api/v1/query?"+query.Encode()), &answer))
	if len(answer.Data.Result) == 0 {
		return 0
	}
	n, err := strconv.Atoi(fmt.Sprint(answer.Data.Result[0].Value[1]))
	require.NoError(t, err)
	return n
}
