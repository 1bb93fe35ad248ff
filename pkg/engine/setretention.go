package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/cambium-logs/cambium/pkg/storage/bucket"
	"github.com/cambium-logs/cambium/pkg/storage/segment"
)

// retentionSetting is the content of the object that says how long a tenant's entries are kept.
type retentionSetting struct {
	Seconds int64 `json:"seconds"`
}

const maxRetentionSetting = 1 << 10

func retentionPath(tenant string) string { return segment.TenantDir(tenant) + segment.RetentionFile }

// SetRetention sets how long a tenant's entries are kept, in place of the retention_period of its limits, in every process on the bucket and
// until it is set again; 0 takes it back. Rules for streams go on to count. It is in whole seconds.
func (e *Engine) SetRetention(ctx context.Context, tenant string, keep time.Duration) error {
	if err := segment.CheckTenant(tenant); err != nil {
		return err
	}
	known, err := e.storedRetention(ctx, tenant)
	if err == nil && known == keep.Truncate(time.Second) {
		return nil
	}
	if keep == 0 {
		if err := e.bucket.Delete(ctx, retentionPath(tenant)); err != nil && !e.bucket.IsObjNotFoundErr(err) {
			return fmt.Errorf("take back the retention of tenant %s: %w", tenant, err)
		}
		return nil
	}
	data, err := json.Marshal(retentionSetting{int64(keep / time.Second)})
	if err == nil {
		err = e.bucket.Upload(ctx, retentionPath(tenant), bytes.NewReader(data))
	}
	if err != nil {
		return fmt.Errorf("set the retention of tenant %s: %w", tenant, err)
	}
	return nil
}

// storedRetention reads what SetRetention wrote; 0 = nothing is set.
func (e *Engine) storedRetention(ctx context.Context, tenant string) (time.Duration, error) {
	data, err := bucket.ReadAll(ctx, e.bucket, retentionPath(tenant), maxRetentionSetting)
	if e.notFound(err) {
		return 0, nil
	}
	var s retentionSetting
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err == nil && s.Seconds <= 0 {
		err = fmt.Errorf("%d seconds are none", s.Seconds)
	}
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", retentionPath(tenant), err)
	}
	return time.Duration(s.Seconds) * time.Second, nil
}
