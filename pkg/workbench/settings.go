package workbench

import (
	"encoding/json"
	"maps"
	"sync"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
)

// PluginID is the plugin that the workbench hosts, UID its one data source.
const (
	PluginID = "cambium-logs-datasource"
	UID      = "cambium"
)

// DataSource is a data source as Grafana's API shows it. Secure settings are only written.
type DataSource struct {
	ID               int64           `json:"id"`
	UID              string          `json:"uid"`
	OrgID            int64           `json:"orgId"`
	Name             string          `json:"name"`
	Type             string          `json:"type"`
	Access           string          `json:"access"`
	URL              string          `json:"url"`
	IsDefault        bool            `json:"isDefault"`
	ReadOnly         bool            `json:"readOnly"`
	Version          int             `json:"version"`
	JSONData         json.RawMessage `json:"jsonData"`
	SecureJSONFields map[string]bool `json:"secureJsonFields"`
}

// update is the body of a PUT: what it leaves out stays as it was.
type update struct {
	Name             *string           `json:"name"`
	URL              *string           `json:"url"`
	JSONData         json.RawMessage   `json:"jsonData"`
	SecureJSONData   map[string]string `json:"secureJsonData"`
	SecureJSONFields map[string]bool   `json:"secureJsonFields"` // a field set to false here is forgotten
}

// settings is the one data source with its secrets.
type settings struct {
	mu      sync.Mutex // guards what follows
	public  DataSource
	secrets map[string]string
	updated time.Time
}

func newSettings() *settings {
	return &settings{
		public: DataSource{
			ID: 1, UID: UID, OrgID: 1, Name: "Cambium", Type: PluginID, Access: "proxy", IsDefault: true, Version: 1, JSONData: json.RawMessage(`{}`),
		},
		secrets: map[string]string{},
		updated: time.Now(),
	}
}

// show gives the data source without its secrets.
func (s *settings) show() DataSource {
	s.mu.Lock()
	defer s.mu.Unlock()
	ds := s.public
	ds.SecureJSONFields = map[string]bool{}
	for key := range s.secrets {
		ds.SecureJSONFields[key] = true
	}
	return ds
}

// apply changes the data source. The plugin makes a new instance of it when it is next asked something.
func (s *settings) apply(u update) DataSource {
	s.mu.Lock()
	if u.Name != nil {
		s.public.Name = *u.Name
	}
	if u.URL != nil {
		s.public.URL = *u.URL
	}
	if len(u.JSONData) > 0 {
		s.public.JSONData = u.JSONData
	}
	for key, keep := range u.SecureJSONFields {
		if !keep {
			delete(s.secrets, key)
		}
	}
	maps.Copy(s.secrets, u.SecureJSONData)
	s.public.Version++
	// The plugin is told the time in milliseconds and tells settings apart by it.
	s.updated = latest(time.Now(), s.updated.Add(time.Millisecond))
	s.mu.Unlock()
	return s.show()
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// pluginContext is what Grafana tells the plugin with every call.
func (s *settings) pluginContext(user *backend.User, org int64) backend.PluginContext {
	s.mu.Lock()
	defer s.mu.Unlock()
	return backend.PluginContext{
		OrgID:         org,
		PluginID:      PluginID,
		PluginVersion: "0.0.0",
		User:          user,
		DataSourceInstanceSettings: &backend.DataSourceInstanceSettings{
			// Data source ids are unique over all orgs of one Grafana.
			ID: s.public.ID + 1000*(org-1), UID: s.public.UID, Type: PluginID, Name: s.public.Name, URL: s.public.URL,
			JSONData: s.public.JSONData, DecryptedSecureJSONData: maps.Clone(s.secrets), Updated: s.updated,
		},
	}
}
