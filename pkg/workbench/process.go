package workbench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend/grpcplugin"
	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
)

// restartDelay is how long Grafana leaves a dead plugin before it starts it again.
const restartDelay = 500 * time.Millisecond

// ErrUnavailable is returned while the plugin's process is not running.
var ErrUnavailable = errors.New("plugin unavailable")

// ProcessOptions say how the plugin is started.
type ProcessOptions struct {
	Binary  string    // path of the plugin
	DataDir string    // where the plugin keeps its data; empty: its own choice
	Env     []string  // more environment, KEY=value; the host's own environment is not forwarded, as in Grafana
	Log     io.Writer // the plugin's log; nil discards it
	Verbose bool      // debug lines too
	Keep    bool      // leave a dead plugin dead
}

// Clients speak to a running plugin. They are replaced when the plugin is started again.
type Clients struct {
	Diagnostics grpcplugin.DiagnosticsClient
	Resource    grpcplugin.ResourceClient
	Data        grpcplugin.DataClient
	Stream      grpcplugin.StreamClient
}

// Process keeps one plugin process running.
type Process struct {
	options ProcessOptions
	stop    chan struct{}
	done    chan struct{}

	mu       sync.Mutex // guards what follows
	client   *goplugin.Client
	clients  *Clients
	starts   int
	lastDown error
}

// StartProcess starts the plugin and waits for its handshake.
func StartProcess(ctx context.Context, o ProcessOptions) (*Process, error) {
	if _, err := os.Stat(o.Binary); err != nil {
		return nil, fmt.Errorf("plugin binary: %w (build it with `go tool mage build`)", err)
	}
	abs, err := filepath.Abs(o.Binary)
	if err != nil {
		return nil, err
	}
	o.Binary = abs
	if o.Log == nil {
		o.Log = io.Discard
	}
	p := &Process{options: o, stop: make(chan struct{}), done: make(chan struct{})}
	if err := p.start(); err != nil {
		return nil, err
	}
	go p.supervise()
	return p, ctx.Err()
}

// Clients of the running plugin, or ErrUnavailable.
func (p *Process) Clients() (*Clients, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.clients == nil || p.client.Exited() {
		if p.lastDown != nil {
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, p.lastDown)
		}
		return nil, ErrUnavailable
	}
	return p.clients, nil
}

// PID of the plugin's process, 0 while there is none.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.client == nil || p.client.Exited() || p.client.ReattachConfig() == nil {
		return 0
	}
	return p.client.ReattachConfig().Pid
}

// Starts tells how often the plugin has been started.
func (p *Process) Starts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.starts
}

// Close stops the plugin as Grafana does: asked first, killed after two seconds.
func (p *Process) Close() {
	close(p.stop)
	<-p.done
	p.mu.Lock()
	client := p.client
	p.mu.Unlock()
	if client != nil {
		client.Kill()
	}
}

// supervise starts the plugin again when it has died.
func (p *Process) supervise() {
	defer close(p.done)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	var down time.Time
	for {
		select {
		case <-p.stop:
			return
		case <-tick.C:
		}
		p.mu.Lock()
		dead := p.client == nil || p.client.Exited()
		p.mu.Unlock()
		switch {
		case !dead:
			down = time.Time{}
		case p.options.Keep:
			return
		case down.IsZero():
			down = time.Now()
		case time.Since(down) >= restartDelay:
			if err := p.start(); err != nil {
				p.mu.Lock()
				p.lastDown = err
				p.mu.Unlock()
			}
			down = time.Time{}
		}
	}
}

// start launches the plugin and connects to it.
func (p *Process) start() error {
	level := hclog.Info
	if p.options.Verbose {
		level = hclog.Debug
	}
	cmd := exec.Command(p.options.Binary)
	cmd.Dir = filepath.Dir(p.options.Binary)
	cmd.Env = p.environment()
	client := goplugin.NewClient(&goplugin.ClientConfig{
		Cmd: cmd,
		HandshakeConfig: goplugin.HandshakeConfig{
			ProtocolVersion:  grpcplugin.ProtocolVersion,
			MagicCookieKey:   grpcplugin.MagicCookieKey,
			MagicCookieValue: grpcplugin.MagicCookieValue,
		},
		VersionedPlugins: map[int]goplugin.PluginSet{grpcplugin.ProtocolVersion: {
			"diagnostics": &grpcplugin.DiagnosticsGRPCPlugin{},
			"resource":    &grpcplugin.ResourceGRPCPlugin{},
			"data":        &grpcplugin.DataGRPCPlugin{},
			"stream":      &grpcplugin.StreamGRPCPlugin{},
		}},
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		SkipHostEnv:      true,
		StartTimeout:     time.Minute,
		Logger:           hclog.New(&hclog.LoggerOptions{Name: "plugin", Level: level, Output: p.options.Log}),
	})
	clients, err := connect(client)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.starts++
	p.client = client
	if err != nil {
		client.Kill()
		p.clients = nil
		return fmt.Errorf("start %s: %w", p.options.Binary, err)
	}
	p.clients, p.lastDown = clients, nil
	return nil
}

// environment is what the plugin sees: what Grafana sets, and what a process needs to find its temporary directory and zone.
func (p *Process) environment() []string {
	env := []string{"GF_VERSION=13.1.1", "GF_EDITION=Open Source"}
	for _, key := range []string{"TMPDIR", "TZ", "HOME", "PATH", "SystemRoot", "GOCOVERDIR", "GOGC", "GOMEMLIMIT"} {
		if value, ok := os.LookupEnv(key); ok {
			env = append(env, key+"="+value)
		}
	}
	if p.options.DataDir != "" {
		env = append(env, "GF_PLUGIN_DATA_DIR="+p.options.DataDir)
	}
	return append(env, p.options.Env...)
}

// connect starts client's process and dispenses the services that Grafana uses.
func connect(client *goplugin.Client) (*Clients, error) {
	rpc, err := client.Client()
	if err != nil {
		return nil, err
	}
	clients := &Clients{}
	for name, take := range map[string]func(any) bool{
		"diagnostics": func(c any) (ok bool) { clients.Diagnostics, ok = c.(grpcplugin.DiagnosticsClient); return },
		"resource":    func(c any) (ok bool) { clients.Resource, ok = c.(grpcplugin.ResourceClient); return },
		"data":        func(c any) (ok bool) { clients.Data, ok = c.(grpcplugin.DataClient); return },
		"stream":      func(c any) (ok bool) { clients.Stream, ok = c.(grpcplugin.StreamClient); return },
	} {
		raw, err := rpc.Dispense(name)
		if err != nil {
			return nil, fmt.Errorf("dispense %s: %w", name, err)
		}
		if !take(raw) {
			return nil, fmt.Errorf("dispense %s: got %T", name, raw)
		}
	}
	return clients, nil
}
