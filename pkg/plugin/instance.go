package plugin

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/instancemgmt"

	"github.com/cambium-logs/cambium/pkg/httpapi"
	"github.com/cambium-logs/cambium/pkg/query"
)

// Instance is one data source with the settings that it had when the instance was made.
type Instance struct {
	settings Settings
	invalid  error // what is wrong with the settings
	handle   *Handle

	retained sync.Map // tenants whose retention has been told to the database
	parked   parkedTails
	probing  probing
}

var (
	_ backend.QueryDataHandler      = (*Instance)(nil)
	_ backend.CallResourceHandler   = (*Instance)(nil)
	_ backend.CheckHealthHandler    = (*Instance)(nil)
	_ backend.StreamHandler         = (*Instance)(nil)
	_ instancemgmt.InstanceDisposer = (*Instance)(nil)
)

// NewInstance makes an instance over one of the process's databases. It does not fail: see Instance.call.
func NewInstance(databases *Databases, s backend.DataSourceInstanceSettings) *Instance {
	settings, err := ParseSettings(s)
	i := &Instance{settings: settings, invalid: err}
	if err == nil {
		i.handle = databases.Acquire(settings.Location())
	}
	return i
}

// Dispose implements instancemgmt.InstanceDisposer.
func (i *Instance) Dispose() {
	if i.handle != nil {
		i.handle.Release()
	}
}

// openingWait is how long a call waits for a database that is being opened.
const openingWait = 8 * time.Second

// call is one call of Grafana's on an instance: whose it is and what it works on.
type call struct {
	settings  *Settings
	db        Database
	tenant    string
	user      *backend.User // nil when Grafana itself calls, as alerting does
	fromAlert bool
}

// call opens the database if need be and finds out the tenant. Its errors are for users: settings that are wrong, a database that
// cannot be opened.
func (i *Instance) call(ctx context.Context, pc backend.PluginContext) (*call, error) {
	if i.invalid != nil {
		return nil, &query.Error{Status: http.StatusBadRequest, Message: i.invalid.Error()}
	}
	tenant, err := i.settings.Tenant(pc.OrgID)
	if err != nil {
		return nil, &query.Error{Status: http.StatusBadRequest, Message: err.Error()}
	}
	waiting, cancel := context.WithTimeout(ctx, openingWait)
	defer cancel()
	db, err := i.handle.Database(waiting)
	if err != nil {
		return nil, &query.Error{Status: http.StatusServiceUnavailable, Message: fmt.Sprintf("the log store cannot be opened: %v", err)}
	}
	if _, told := i.retained.LoadOrStore(tenant, true); !told {
		db.SetRetention(tenant, i.settings.Retention)
	}
	return &call{settings: &i.settings, db: db, tenant: tenant, user: pc.User}, nil
}

// role of the caller. Calls that Grafana makes by itself read as a viewer does.
func (c *call) role() httpapi.Role {
	if c.user == nil {
		return httpapi.RoleViewer
	}
	return httpapi.ParseRole(c.user.Role)
}

// Factory makes instances for datasource.Manage.
func Factory(databases *Databases) func(context.Context, backend.DataSourceInstanceSettings) (instancemgmt.Instance, error) {
	return func(_ context.Context, s backend.DataSourceInstanceSettings) (instancemgmt.Instance, error) {
		return NewInstance(databases, s), nil
	}
}

// ago writes a time as people say it: since when, in a unit that fits.
func ago(d time.Duration) string {
	switch {
	case d < 2*time.Second:
		return "a moment"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d seconds", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d minutes", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d hours", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
