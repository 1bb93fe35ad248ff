package tenant

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"sync/atomic"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/cambium-logs/cambium/pkg/strictyaml"
)

// Overrides gives each tenant its limits: the defaults, changed by what a runtime file says of the tenant. The file can be read again
// at any time; what was handed out before stays as it was. Overrides is safe for concurrent use.
type Overrides struct {
	defaults *Limits
	path     string
	current  atomic.Pointer[overrideSet]
}

// overrideSet is one reading of the file. It never changes.
type overrideSet struct {
	tenants map[string]*Limits
	modTime time.Time
	size    int64
}

// NewOverrides returns Overrides without a file: every tenant has the defaults.
func NewOverrides(defaults Limits) *Overrides {
	o := &Overrides{defaults: &defaults}
	o.current.Store(&overrideSet{})
	return o
}

// LoadOverrides reads the runtime file at path, of the form
//
//	overrides:
//	  <tenant>: {<limit>: <value>, …}
//
// An empty path is NewOverrides.
func LoadOverrides(defaults Limits, path string) (*Overrides, error) {
	o := NewOverrides(defaults)
	o.path = path
	if path == "" {
		return o, nil
	}
	if _, err := o.Reload(); err != nil {
		return nil, err
	}
	return o, nil
}

// For returns the limits of a tenant.
func (o *Overrides) For(tenant string) Limits { return *o.Of(tenant) }

// Of returns the limits of a tenant without copying them. They must not be changed. The pointer stays the same until the tenant's
// file is read again, so it identifies a version of the limits.
func (o *Overrides) Of(tenant string) *Limits {
	if limits, ok := o.current.Load().tenants[tenant]; ok {
		return limits
	}
	return o.defaults
}

// Reload reads the file again if it changed, and reports whether it did. After an error the previous values stay.
func (o *Overrides) Reload() (changed bool, err error) {
	if o.path == "" {
		return false, nil
	}
	info, err := os.Stat(o.path)
	if err != nil {
		return false, fmt.Errorf("runtime configuration: %w", err)
	}
	previous := o.current.Load()
	if previous.size == info.Size() && previous.modTime.Equal(info.ModTime()) {
		return false, nil
	}
	data, err := os.ReadFile(o.path)
	if err != nil {
		return false, fmt.Errorf("runtime configuration: %w", err)
	}
	tenants, err := parseOverrides(data, o.defaults)
	if err != nil {
		return false, fmt.Errorf("runtime configuration %s: %w", o.path, err)
	}
	o.current.Store(&overrideSet{tenants: tenants, modTime: info.ModTime(), size: info.Size()})
	return true, nil
}

// Watch reloads the file every period until ctx ends and gives each failure and each change to report, the change as a nil error.
func (o *Overrides) Watch(ctx context.Context, period time.Duration, report func(error)) {
	if o.path == "" || period <= 0 {
		return
	}
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	last := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		changed, err := o.Reload()
		switch {
		case err != nil && err.Error() != last:
			last = err.Error()
			report(err)
		case changed:
			last = ""
			report(nil)
		}
	}
}

// runtimeFile is the runtime configuration. Configs is read for compatibility and has no effect.
type runtimeFile struct {
	Overrides map[string]yaml.Node `yaml:"overrides"`
	Configs   map[string]yaml.Node `yaml:"configs"`
}

func parseOverrides(data []byte, defaults *Limits) (map[string]*Limits, error) {
	var file runtimeFile
	if err := strictyaml.Unmarshal(data, &file); err != nil {
		return nil, err
	}
	tenants := make(map[string]*Limits, len(file.Overrides))
	for id, node := range file.Overrides {
		if err := ValidateID(id); err != nil {
			return nil, err
		}
		limits := *defaults
		limits.DiscoverGenericFields = maps.Clone(defaults.DiscoverGenericFields)
		if err := strictyaml.DecodeNode(&node, &limits); err != nil {
			return nil, fmt.Errorf("overrides of tenant %s: %w", id, err)
		}
		if err := limits.Validate(); err != nil {
			return nil, fmt.Errorf("overrides of tenant %s: %w", id, err)
		}
		tenants[id] = &limits
	}
	return tenants, nil
}

// Smallest merges limits for a query over several tenants: each value the smallest that is not off.
func Smallest(all ...*Limits) (Limits, error) {
	if len(all) == 0 {
		return Limits{}, errors.New("no limits to merge")
	}
	merged := *all[0]
	for _, l := range all[1:] {
		merged.MaxQueryLength = smaller(merged.MaxQueryLength, l.MaxQueryLength)
		merged.MaxQueryLookback = smaller(merged.MaxQueryLookback, l.MaxQueryLookback)
		merged.MaxQueryRange = smaller(merged.MaxQueryRange, l.MaxQueryRange)
		merged.MaxQuerySeries = smaller(merged.MaxQuerySeries, l.MaxQuerySeries)
		merged.MaxEntriesLimitPerQuery = smaller(merged.MaxEntriesLimitPerQuery, l.MaxEntriesLimitPerQuery)
		merged.QueryTimeout = smaller(merged.QueryTimeout, l.QueryTimeout)
		merged.MaxStreamsMatchersPerQuery = smaller(merged.MaxStreamsMatchersPerQuery, l.MaxStreamsMatchersPerQuery)
		merged.MaxQueryBytesRead = smaller(merged.MaxQueryBytesRead, l.MaxQueryBytesRead)
		merged.MaxQuerierBytesRead = smaller(merged.MaxQuerierBytesRead, l.MaxQuerierBytesRead)
		merged.MaxPatternAge = smaller(merged.MaxPatternAge, l.MaxPatternAge)
		merged.MaxConcurrentTailRequests = smaller(merged.MaxConcurrentTailRequests, l.MaxConcurrentTailRequests)
		merged.VolumeMaxSeries = smaller(merged.VolumeMaxSeries, l.VolumeMaxSeries)
		merged.MaxQueryParallelism = smaller(merged.MaxQueryParallelism, l.MaxQueryParallelism)
		merged.MinimumLabelsNumber = max(merged.MinimumLabelsNumber, l.MinimumLabelsNumber)
		merged.VolumeEnabled = merged.VolumeEnabled && l.VolumeEnabled
		merged.RequiredLabels = append(merged.RequiredLabels[:len(merged.RequiredLabels):len(merged.RequiredLabels)], l.RequiredLabels...)
		merged.BlockedQueries = append(merged.BlockedQueries[:len(merged.BlockedQueries):len(merged.BlockedQueries)], l.BlockedQueries...)
	}
	return merged, nil
}

// smaller is the smaller of two limits of which 0 means none.
func smaller[T int | Duration | ByteSize](a, b T) T {
	if a == 0 || (b != 0 && b < a) {
		return b
	}
	return a
}
