package plugin

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/prometheus/common/model"
	"github.com/thanos-io/objstore"
	"gopkg.in/yaml.v3"

	"github.com/cambium-logs/cambium/pkg/httpapi"
	"github.com/cambium-logs/cambium/pkg/storage/bucket"
	"github.com/cambium-logs/cambium/pkg/tenant"
)

// Settings are a data source's settings. The zero value is a data source on the embedded store, with defaults.
type Settings struct {
	// TenantName separates data sources of one org; empty: the org's common tenant.
	TenantName string
	// MaxLines is the line limit of log queries that set none; 0 = 1000.
	MaxLines int
	// Retention is how long entries of the tenant are kept; 0 = as the store's configuration says.
	Retention time.Duration
	// PushRole is the least role that may push.
	PushRole httpapi.Role
	// Selectors are added to every query of users with a role.
	Selectors map[httpapi.Role]string

	// Bucket is an object store in objstore's YAML form; empty: the embedded store. It holds secrets.
	Bucket string
	// PushToken, when not empty, is a second gate of pushes: the header X-Push-Token must hold it.
	PushToken string
}

// minRetention is the shortest retention: whole segments are dropped by day.
const minRetention = 24 * time.Hour

// defaultMaxLines is the line limit of log queries that set none.
const defaultMaxLines = 1000

// jsonData is the public part of a data source's settings.
type jsonData struct {
	Tenant        string         `json:"tenant"`
	MaxLines      flexibleInt    `json:"maxLines"`
	Retention     string         `json:"retention"`
	PushRole      string         `json:"pushRole"`
	Storage       storageOptions `json:"storage"`
	RoleSelectors []roleSelector `json:"roleSelectors"`
}

type storageOptions struct {
	Kind     string `json:"kind"`
	Endpoint string `json:"endpoint"`
	Bucket   string `json:"bucket"`
	Region   string `json:"region"`
	Prefix   string `json:"prefix"`
	Insecure bool   `json:"insecure"`
}

type roleSelector struct {
	Role     string `json:"role"`
	Selector string `json:"selector"`
}

// flexibleInt is a number that a form or a provisioning file may have written as text.
type flexibleInt int

func (n *flexibleInt) UnmarshalJSON(text []byte) error {
	trimmed := strings.Trim(string(text), `"`)
	if trimmed == "" || trimmed == "null" {
		*n = 0
		return nil
	}
	var value int
	if err := json.Unmarshal([]byte(trimmed), &value); err != nil {
		return fmt.Errorf("%s is not a whole number", text)
	}
	*n = flexibleInt(value)
	return nil
}

// ParseSettings reads and checks a data source's settings. Errors name the setting and hold no secret.
func ParseSettings(s backend.DataSourceInstanceSettings) (Settings, error) {
	var in jsonData
	if len(s.JSONData) > 0 {
		if err := json.Unmarshal(s.JSONData, &in); err != nil {
			return Settings{}, fmt.Errorf("data source settings: %w", err)
		}
	}
	out := Settings{
		TenantName: strings.TrimSpace(in.Tenant),
		MaxLines:   int(in.MaxLines),
		PushToken:  s.DecryptedSecureJSONData["pushToken"],
		PushRole:   httpapi.RoleEditor,
	}
	if out.MaxLines < 0 {
		return Settings{}, fmt.Errorf("setting maxLines: %d is negative", out.MaxLines)
	}
	if out.MaxLines == 0 {
		out.MaxLines = defaultMaxLines
	}
	if out.TenantName != "" {
		if err := tenant.ValidateID(out.TenantName); err != nil {
			return Settings{}, fmt.Errorf("setting tenant: %w", err)
		}
	}
	if in.PushRole != "" {
		if out.PushRole = httpapi.ParseRole(in.PushRole); out.PushRole == httpapi.RoleNone {
			return Settings{}, fmt.Errorf("setting pushRole: %q is not Viewer, Editor or Admin", in.PushRole)
		}
	}
	if in.Retention != "" {
		d, err := model.ParseDuration(in.Retention)
		if err != nil {
			return Settings{}, fmt.Errorf("setting retention: %w", err)
		}
		if out.Retention = time.Duration(d); out.Retention != 0 && out.Retention < minRetention {
			return Settings{}, fmt.Errorf("setting retention: %s is less than 24h", in.Retention)
		}
	}
	var err error
	if out.Selectors, err = parseRoleSelectors(in.RoleSelectors); err != nil {
		return Settings{}, err
	}
	if out.Bucket, err = bucketConfig(in.Storage, s.DecryptedSecureJSONData); err != nil {
		return Settings{}, err
	}
	return out, nil
}

// bucketConfig gives the object store in objstore's form, empty for the embedded one.
func bucketConfig(o storageOptions, secrets map[string]string) (string, error) {
	text := strings.TrimSpace(secrets["bucketConfig"])
	switch o.Kind {
	case "":
		if text == "" {
			return "", nil
		}
		return text, checkBucket(text)
	case "embedded":
		return "", nil
	case "bucket":
		if text == "" {
			return "", fmt.Errorf("setting storage: the bucket configuration is empty")
		}
		return text, checkBucket(text)
	case "s3":
		if o.Bucket == "" || o.Endpoint == "" {
			return "", fmt.Errorf("setting storage: S3 needs an endpoint and a bucket")
		}
		text, err := yaml.Marshal(map[string]any{
			"type": "S3",
			"config": map[string]any{
				"bucket": o.Bucket, "endpoint": o.Endpoint, "region": o.Region, "insecure": o.Insecure,
				"access_key": secrets["s3AccessKey"], "secret_key": secrets["s3SecretKey"],
			},
			"prefix": o.Prefix,
		})
		if err != nil {
			return "", fmt.Errorf("setting storage: %w", err)
		}
		return string(text), nil
	}
	return "", fmt.Errorf("setting storage: kind %q is not embedded, s3 or bucket", o.Kind)
}

// checkBucket refuses a directory of the server: who may edit a data source may not choose where Grafana's machine is written to.
func checkBucket(text string) error {
	config, err := bucket.ParseConfig([]byte(text))
	if err != nil {
		return fmt.Errorf("setting storage: %w", err)
	}
	if strings.EqualFold(string(config.Type), string(objstore.FILESYSTEM)) {
		return errors.New("setting storage: a directory cannot be chosen here; the administrator sets data_dir in the plugin's section of grafana.ini")
	}
	return nil
}

// Location identifies where the data of a data source lies: equal locations are one database.
func (s *Settings) Location() Location {
	if s.Bucket == "" {
		return Location{}
	}
	sum := sha256.Sum256([]byte(s.Bucket))
	return Location{Key: hex.EncodeToString(sum[:8]), Bucket: s.Bucket}
}

// Tenant is the tenant that an org's calls of the data source are about. It is made of the org's id, which Grafana says and no user can
// change, so that no setting reaches another org's data.
func (s *Settings) Tenant(orgID int64) (string, error) {
	id := fmt.Sprintf("org-%d", orgID)
	if s.TenantName != "" {
		id += "." + s.TenantName
	}
	if err := tenant.ValidateID(id); err != nil {
		return "", err
	}
	return id, nil
}
