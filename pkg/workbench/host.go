package workbench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
)

// maxRequestBody is the most that the host reads of a request's body.
const maxRequestBody = 128 << 20

// HostOptions configure a Host.
type HostOptions struct {
	Process *Process
	Dist    string // the built plugin: module.js, plugin.json, …
	Page    string // the built workbench page
}

// Host answers the requests that a page or an agent would send to Grafana. The header X-Workbench-Role (Viewer, Editor, Admin; "none" for
// a call that no user made) says who calls, Admin when it is missing; X-Workbench-Org says in which org, 1 when it is missing.
type Host struct {
	process  *Process
	settings *settings
	live     *live
	mux      *http.ServeMux
}

// NewHost makes a Host over a running plugin.
func NewHost(o HostOptions) *Host {
	h := &Host{process: o.Process, settings: newSettings(), mux: http.NewServeMux()}
	h.live = newLive(h)
	const ds = "/api/datasources/uid/" + UID
	h.mux.HandleFunc("GET /api/health", h.ready)
	h.mux.HandleFunc("POST /api/ds/query", h.query)
	h.mux.HandleFunc("GET /api/datasources", h.list)
	h.mux.HandleFunc("GET "+ds, h.get)
	h.mux.HandleFunc("PUT "+ds, h.put)
	h.mux.HandleFunc("GET "+ds+"/health", h.health)
	h.mux.HandleFunc(ds+"/resources/", h.resource)
	h.mux.HandleFunc("GET /api/plugins/"+PluginID+"/metrics", h.metrics)
	h.mux.HandleFunc("GET /metrics/plugins/"+PluginID, h.metrics)
	h.mux.HandleFunc("GET /api/live/ds/"+UID+"/{path...}", h.live.serve)
	h.mux.Handle("/public/plugins/"+PluginID+"/", http.StripPrefix("/public/plugins/"+PluginID, files(o.Dist)))
	h.mux.Handle("/", files(o.Page))
	return h
}

// ServeHTTP implements http.Handler.
func (h *Host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxRequestBody)
	h.mux.ServeHTTP(w, r)
}

// Close ends the live streams.
func (h *Host) Close() { h.live.close() }

// caller is who and where a request comes from, by its headers.
func (h *Host) caller(r *http.Request) (backend.PluginContext, error) {
	org := int64(1)
	if text := r.Header.Get("X-Workbench-Org"); text != "" {
		var err error
		if org, err = strconv.ParseInt(text, 10, 64); err != nil || org < 1 {
			return backend.PluginContext{}, fmt.Errorf("X-Workbench-Org: %q is not an org id", text)
		}
	}
	role := r.Header.Get("X-Workbench-Role")
	if role == "" {
		role = r.URL.Query().Get("workbenchRole") // a browser cannot set headers of a websocket
	}
	var user *backend.User
	switch role {
	case "":
		user = &backend.User{Login: "admin", Name: "Workbench", Email: "admin@localhost", Role: "Admin"}
	case "Viewer", "Editor", "Admin":
		login := strings.ToLower(role)
		user = &backend.User{Login: login, Name: role, Email: login + "@localhost", Role: role}
	case "none":
	default:
		return backend.PluginContext{}, fmt.Errorf("X-Workbench-Role: %q is not a role", role)
	}
	return h.settings.pluginContext(user, org), nil
}

func (h *Host) list(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, []DataSource{h.settings.show()})
}

func (h *Host) get(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, h.settings.show())
}

func (h *Host) put(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		writeError(w, http.StatusBadRequest, err)
		return
	}
	var u update
	if err := json.Unmarshal(body, &u); err != nil {
		writeError(w, http.StatusBadRequest, fmt.Errorf("data source settings: %w", err))
		return
	}
	ds := h.settings.apply(u)
	writeJSON(w, http.StatusOK, map[string]any{"datasource": ds, "id": ds.ID, "message": "Datasource updated", "name": ds.Name})
}

// Update changes the data source as a PUT of its settings does.
func (h *Host) Update(jsonData string, secure map[string]string) {
	h.settings.apply(update{JSONData: json.RawMessage(jsonData), SecureJSONData: secure})
}

// ready tells that the host is up and how the plugin's process does.
func (h *Host) ready(w http.ResponseWriter, _ *http.Request) {
	_, err := h.process.Clients()
	status := map[string]any{"database": "ok", "version": "workbench", "plugin": "running", "pluginPid": h.process.PID(), "pluginStarts": h.process.Starts()}
	if err != nil {
		status["plugin"] = err.Error()
	}
	writeJSON(w, http.StatusOK, status)
}

// files serves a directory of built files; its index page for everything that a browser asks for as a page.
func files(dir string) http.Handler {
	server := http.FileServer(http.Dir(dir))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		clean := path.Clean("/" + r.URL.Path)
		if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(clean))); err != nil && strings.Contains(r.Header.Get("Accept"), "text/html") {
			index := filepath.Join(dir, "index.html")
			if _, err := os.Stat(index); err != nil {
				http.Error(w, "The workbench page is not built: npm run build:workbench", http.StatusNotFound)
				return
			}
			http.ServeFile(w, r, index)
			return
		}
		server.ServeHTTP(w, r)
	})
}

// writeUnavailable answers a request that the plugin could not take.
func writeUnavailable(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	if errors.Is(err, ErrUnavailable) {
		status = http.StatusServiceUnavailable
	}
	writeError(w, status, err)
}

func writeError(w http.ResponseWriter, status int, err error) {
	writeJSON(w, status, map[string]string{"message": err.Error()})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client is gone: nobody to tell
}
