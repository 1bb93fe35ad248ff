package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/cambium-logs/cambium/pkg/workbench"
)

// pluginRun is what is measured at the plugin's process.
type pluginRun struct {
	push       time.Duration
	idle, busy float64 // MiB resident
	afterwards float64
	anonymous  float64 // of idle, what is not the executable's own pages
}

// measurePlugin pushes the corpus through the built plugin's resource route over gRPC and watches its memory.
func (c *corpus) measurePlugin(ctx context.Context, binary, dir string) (pluginRun, error) {
	var out pluginRun
	file := filepath.Join(dir, "cambium.yaml")
	settings := "limits: {ingestion_rate_mb: 100000, ingestion_burst_size_mb: 100000, per_stream_rate_limit: 1TB, per_stream_rate_limit_burst: 1TB}\n"
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		return out, err
	}
	process, err := workbench.StartProcess(ctx, workbench.ProcessOptions{
		Binary: binary, DataDir: filepath.Join(dir, "plugin"), Env: []string{"GF_PLUGIN_CONFIG=" + file}, Keep: true,
	})
	if err != nil {
		return out, err
	}
	defer process.Close()
	time.Sleep(3 * time.Second)
	out.idle, out.anonymous = resident(process.PID(), "VmRSS"), resident(process.PID(), "RssAnon")
	watching, stop := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() {
		for watching.Err() == nil {
			out.busy = max(out.busy, resident(process.PID(), "VmRSS"))
			time.Sleep(20 * time.Millisecond)
		}
	})
	out.push, err = c.pushAll(1, resourceSend(ctx, process))
	stop()
	watch.Wait()
	time.Sleep(3 * time.Second)
	out.afterwards = resident(process.PID(), "VmRSS")
	return out, err
}

// resourceSend pushes through the plugin's resource route and repeats what was refused for now.
func resourceSend(ctx context.Context, process *workbench.Process) func([]byte) error {
	return func(body []byte) error {
		for range 1000 {
			status, text, err := callPush(ctx, process, body)
			switch {
			case err != nil:
				return err
			case status == http.StatusNoContent:
				return nil
			case status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable:
				return fmt.Errorf("push: %d %s", status, text)
			}
			time.Sleep(10 * time.Millisecond)
		}
		return errors.New("push: refused again and again")
	}
}

func callPush(ctx context.Context, process *workbench.Process, body []byte) (int, string, error) {
	clients, err := process.Clients()
	if err != nil {
		return 0, "", err
	}
	stream, err := clients.Resource.CallResource(ctx, backend.ToProto().CallResourceRequest(&backend.CallResourceRequest{
		PluginContext: backend.PluginContext{
			OrgID: 1, PluginID: workbench.PluginID, User: &backend.User{Role: "Editor"},
			DataSourceInstanceSettings: &backend.DataSourceInstanceSettings{ID: 1, UID: workbench.UID, JSONData: []byte("{}"), Updated: time.Unix(1, 0)},
		},
		Path: "loki/api/v1/push", URL: "loki/api/v1/push", Method: http.MethodPost,
		Headers: map[string][]string{"Content-Type": {"application/x-protobuf"}}, Body: body,
	}))
	if err != nil {
		return 0, "", err
	}
	status, text := 0, ""
	for {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return status, text, nil
		}
		if err != nil {
			return 0, "", err
		}
		status, text = int(part.Code), text+string(part.Body)
	}
}

// resident is a field of a process's status in MiB, 0 where that cannot be found out.
func resident(pid int, field string) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		name, value, _ := strings.Cut(line, ":")
		var kib float64
		if name == field {
			if n, _ := fmt.Sscanf(strings.TrimSpace(value), "%f kB", &kib); n == 1 {
				return kib / 1024
			}
		}
	}
	return 0
}
