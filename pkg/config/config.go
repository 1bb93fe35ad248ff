// Package config is cambium.yaml: one file with every setting of a process, and defaults that work without it.
//
// Keys are strict: one that is not known is an error that names it. Flags, where a program has them, win over the file.
package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/relabel"
	"gopkg.in/yaml.v3"

	"github.com/cambium-logs/cambium/pkg/strictyaml"
	"github.com/cambium-logs/cambium/pkg/tenant"
)

// Config is the whole file.
type Config struct {
	// AuthEnabled makes requests name their tenant in the header X-Scope-OrgID. Without it everything belongs to the tenant NoAuthTenant
	// and the header is ignored. It is about tenancy alone; who may talk to the listener is said under Auth.
	AuthEnabled  bool   `yaml:"auth_enabled"`   // default false
	NoAuthTenant string `yaml:"no_auth_tenant"` // default fake

	// DataDir holds the write-ahead log and, without a bucket, everything else.
	DataDir string `yaml:"data_dir"` // default ./cambium-data
	// Bucket is an object store in objstore's YAML form: type, config, prefix. Default: a directory under DataDir.
	Bucket yaml.Node `yaml:"bucket"`
	// BucketCache keeps on the disk, under DataDir, what is read of a bucket that is not a directory.
	BucketCache BucketCache `yaml:"bucket_cache"`

	Server    Server        `yaml:"server"`
	Auth      Auth          `yaml:"auth"`
	WAL       WAL           `yaml:"wal"`
	Head      Head          `yaml:"head"`
	Ingest    Ingest        `yaml:"ingest"`
	Query     Query         `yaml:"query"`
	Compactor Compactor     `yaml:"compactor"`
	Limits    tenant.Limits `yaml:"limits"` // of every tenant; the names are those of Loki's limits_config
	Runtime   Runtime       `yaml:"runtime_config"`
	Log       Log           `yaml:"log"`
}

// Server is the listener.
type Server struct {
	// Listen is the address of the listener. Without authentication it must be on loopback.
	Listen string `yaml:"listen"` // default 127.0.0.1:3100
	// PathPrefix stands before every route.
	PathPrefix string `yaml:"http_path_prefix"`
	// ReadTimeout is the longest that reading a request may take, its body included.
	ReadTimeout tenant.Duration `yaml:"http_server_read_timeout"` // default 30s
	// ReadHeaderTimeout is the longest that reading the header of a request may take.
	ReadHeaderTimeout tenant.Duration `yaml:"http_server_read_header_timeout"` // default 10s
	// WriteTimeout is the longest that an answer may take beyond the query timeout.
	WriteTimeout tenant.Duration `yaml:"http_server_write_timeout"` // default 30s
	IdleTimeout  tenant.Duration `yaml:"http_server_idle_timeout"`  // default 2m
	// GracefulShutdownTimeout is how long running requests may take to end when the server stops.
	GracefulShutdownTimeout tenant.Duration `yaml:"graceful_shutdown_timeout"` // default 30s
	MaxHeaderBytes          tenant.ByteSize `yaml:"max_header_bytes"`          // default 512KB: a GET query of the greatest length, percent-encoded
	// MaxConnections is how many connections are open at once; more wait to be accepted.
	MaxConnections int `yaml:"max_connections"` // default 2000; 0 = no limit
	// TLS is used where a certificate is given.
	TLS TLS `yaml:"http_tls_config"`
	// Profiles serves /debug/pprof to admins.
	Profiles bool `yaml:"pprof"` // default false
}

// TLS is the listener's certificate. The files are read again when they change.
type TLS struct {
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
	// ClientCAFile holds the authorities whose client certificates are accepted.
	ClientCAFile string `yaml:"client_ca_file"`
	// ClientAuthType is NoClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert. Default: the last where ClientCAFile is set.
	ClientAuthType string `yaml:"client_auth_type"`
}

// Auth is who may talk to the listener.
type Auth struct {
	// Mode is "none", or "required": every request needs a token, a user or a client certificate of those below. Default: required as
	// soon as one of them is given; without any the server does not start unless none is asked for.
	Mode    string   `yaml:"mode"`
	Tokens  []Token  `yaml:"tokens"`
	Users   []User   `yaml:"users"`
	Clients []Client `yaml:"clients"`
}

// Modes of Auth.
const (
	AuthNone     = "none"
	AuthRequired = "required"
)

// Grant is what a caller may do: for which tenants, and which of push, read, admin.
type Grant struct {
	Tenants []string `yaml:"tenants"` // "*" is every tenant; the first is the one of requests that name none
	Scopes  []string `yaml:"scopes"`
}

// Token is a bearer token, known by the SHA-256 of its text.
type Token struct {
	Name   string `yaml:"name"`
	SHA256 string `yaml:"sha256"` // hexadecimal
	Grant  `yaml:",inline"`
}

// User is a user of basic authentication.
type User struct {
	Name   string `yaml:"name"`
	Bcrypt string `yaml:"bcrypt"` // hash of the password
	Grant  `yaml:",inline"`
}

// Client is a client certificate, known by the common name of its subject.
type Client struct {
	CommonName string `yaml:"common_name"`
	Grant      `yaml:",inline"`
}

// BucketCache is the cache of a bucket. It may be lost at any time.
type BucketCache struct {
	MaxBytes tenant.ByteSize `yaml:"max_bytes"` // on the disk; default 1GB; 0 = no cache
}

// WAL is the write-ahead log.
type WAL struct {
	Location       string          `yaml:"location"`        // disk or bucket; default disk
	Sync           string          `yaml:"sync"`            // batch (fsync before the acknowledgement) or none; default batch
	CommitInterval tenant.Duration `yaml:"commit_interval"` // of location bucket; default 250ms
}

// Head is what is in memory. Zero values take the engine's defaults.
type Head struct {
	MaxBytes   tenant.ByteSize `yaml:"max_bytes"`   // default 96MB
	ChunkBytes tenant.ByteSize `yaml:"chunk_bytes"` // raw size at which a chunk is cut; default 2MB
	FlushBytes tenant.ByteSize `yaml:"flush_bytes"` // default half of max_bytes
	FlushAge   tenant.Duration `yaml:"flush_age"`   // default 15m
	StreamIdle tenant.Duration `yaml:"stream_idle"` // how long a stream counts as active; default 1h
}

// Ingest bounds pushes, and says what collectors' routes do.
type Ingest struct {
	MaxRecvMsgSize      tenant.ByteSize   `yaml:"max_recv_msg_size"`     // compressed body; default 100MB
	MaxDecompressedSize tenant.ByteSize   `yaml:"max_decompressed_size"` // default 128MB
	Labels              map[string]string `yaml:"labels"`                // put on what comes to /api/v1/push and /loki/api/v1/raw
	RelabelRules        []*relabel.Config `yaml:"relabel_rules"`         // applied to what comes to /api/v1/push
	// UseIncomingTimestamp keeps the timestamps of entries that come to /api/v1/push.
	UseIncomingTimestamp bool `yaml:"use_incoming_timestamp"` // default true
}

// Query is the query engine.
type Query struct {
	Workers       int             `yaml:"workers"`        // of one query; default one per core
	MaxConcurrent int             `yaml:"max_concurrent"` // queries at once; default 4 per core, at least 16
	MaxFormSize   tenant.ByteSize `yaml:"max_body_size"`  // of a query's form; default 10MB
	// CacheBytes is what is kept of what stored chunks contribute to metric queries; 0 keeps nothing.
	CacheBytes tenant.ByteSize `yaml:"cache_bytes"` // default 32MB
	// MultiTenantQueriesEnabled allows reads of several tenants at once, a|b.
	MultiTenantQueriesEnabled bool `yaml:"multi_tenant_queries_enabled"` // default false
	// Extensions lets queries use PromQL's functions, subqueries and @ without asking for it.
	Extensions bool `yaml:"extensions"` // default false
	// AlignQueriesWithStep evaluates range queries at multiples of their step: the start is rounded down, the end up. Without it they are
	// evaluated at exactly start, start+step, ….
	AlignQueriesWithStep bool `yaml:"align_queries_with_step"` // default false
	// TailMaxDuration is the longest life of a tail.
	TailMaxDuration tenant.Duration `yaml:"tail_max_duration"` // default 1h
}

// Compactor is the background work on segments: merging them, retention, and erasing what was deleted.
type Compactor struct {
	// Enabled runs it in this process. Of several processes on one bucket one is enough; more take turns.
	Enabled bool `yaml:"enabled"` // default true
	// CompactionInterval is the time between two rounds. While there is nothing to do it grows to eight times that.
	CompactionInterval tenant.Duration `yaml:"compaction_interval"` // default 1m
	// MaxBandwidth bounds what is read and written together, per second. 0 = unlimited.
	MaxBandwidth tenant.ByteSize `yaml:"max_bandwidth"` // default 64MB
	// MaxSegmentSize bounds the segments that merges write.
	MaxSegmentSize tenant.ByteSize `yaml:"max_segment_size"` // default 256MB
	// RetentionEnabled lets entries expire where a limit says so; without a retention_period everything is kept for ever anyway.
	RetentionEnabled bool `yaml:"retention_enabled"` // default true
	// RetentionDeleteDelay is how long objects stay that are replaced, expired or deleted. It is longer than any query.
	RetentionDeleteDelay tenant.Duration `yaml:"retention_delete_delay"` // default 2h
	// DeleteRequestCancelPeriod is how long delete requests can be taken back before what they select is erased.
	DeleteRequestCancelPeriod tenant.Duration `yaml:"delete_request_cancel_period"` // default 24h
	// DeleteMaxInterval bounds the max_interval that delete requests with filters may ask for, and is what those without one get.
	DeleteMaxInterval tenant.Duration `yaml:"delete_max_interval"` // default 24h
}

// Runtime is the file with the tenants' overrides. It is read again while the process runs.
type Runtime struct {
	File   string          `yaml:"file"`
	Period tenant.Duration `yaml:"period"` // default 10s
}

// Log is the log of the process.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn or error; default info
	Format string `yaml:"format"` // logfmt or json; default logfmt
}

// Default is the configuration without a file.
func Default() Config {
	return Config{
		NoAuthTenant: tenant.Default,
		DataDir:      "cambium-data",
		Server: Server{
			Listen: "127.0.0.1:3100", ReadTimeout: duration(30 * time.Second), ReadHeaderTimeout: duration(10 * time.Second),
			WriteTimeout: duration(30 * time.Second), IdleTimeout: duration(2 * time.Minute), GracefulShutdownTimeout: duration(30 * time.Second),
			MaxHeaderBytes: 512 << 10, MaxConnections: 2000,
		},
		BucketCache: BucketCache{MaxBytes: 1 << 30},

		WAL:    WAL{Location: "disk", Sync: "batch", CommitInterval: duration(250 * time.Millisecond)},
		Ingest: Ingest{MaxRecvMsgSize: 100 << 20, MaxDecompressedSize: 128 << 20, UseIncomingTimestamp: true},
		Query:  Query{MaxFormSize: 10 << 20, CacheBytes: 32 << 20, TailMaxDuration: duration(time.Hour)},
		Compactor: Compactor{
			Enabled: true, CompactionInterval: duration(time.Minute), MaxBandwidth: 64 << 20, MaxSegmentSize: 256 << 20, RetentionEnabled: true,
			RetentionDeleteDelay: duration(2 * time.Hour), DeleteRequestCancelPeriod: duration(24 * time.Hour),
			DeleteMaxInterval: duration(24 * time.Hour),
		},
		Limits:  tenant.DefaultLimits(),
		Runtime: Runtime{Period: duration(10 * time.Second)},
		Log:     Log{Level: "info", Format: "logfmt"},
	}
}

func duration(d time.Duration) tenant.Duration { return tenant.Duration(d) }

// Load reads a file over the defaults and checks it. Relative paths in it are relative to it.
func Load(path string) (Config, error) {
	c := Default()
	data, err := os.ReadFile(path)
	if err != nil {
		return c, fmt.Errorf("configuration: %w", err)
	}
	if err := c.parse(data, filepath.Dir(path)); err != nil {
		return c, fmt.Errorf("configuration %s: %w", path, err)
	}
	return c, nil
}

func (c *Config) parse(data []byte, dir string) error {
	dataDir := c.DataDir
	if err := strictyaml.Unmarshal(data, c); err != nil {
		return err
	}
	if c.DataDir != dataDir {
		c.DataDir = inDir(dir, c.DataDir)
	}
	for _, path := range []*string{&c.Runtime.File, &c.Server.TLS.CertFile, &c.Server.TLS.KeyFile, &c.Server.TLS.ClientCAFile} {
		*path = inDir(dir, *path)
	}
	return c.Validate()
}

func inDir(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// BucketYAML is the bucket's configuration as objstore reads it, or nil.
func (c *Config) BucketYAML() ([]byte, error) {
	if c.Bucket.IsZero() || c.Bucket.Tag == "!!null" {
		return nil, nil
	}
	return yaml.Marshal(&c.Bucket)
}

// Validate reports the first value that cannot be meant.
func (c *Config) Validate() error {
	if err := tenant.ValidateID(c.NoAuthTenant); err != nil {
		return fmt.Errorf("no_auth_tenant: %w", err)
	}
	if err := oneOf("wal.location", c.WAL.Location, "disk", "bucket"); err != nil {
		return err
	}
	if err := oneOf("wal.sync", c.WAL.Sync, "batch", "none"); err != nil {
		return err
	}
	if err := oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error"); err != nil {
		return err
	}
	if err := oneOf("log.format", c.Log.Format, "logfmt", "json"); err != nil {
		return err
	}
	for i, rule := range c.Ingest.RelabelRules {
		if rule == nil {
			return fmt.Errorf("ingest.relabel_rules[%d]: empty", i)
		}
		if err := rule.Validate(model.UTF8Validation); err != nil {
			return fmt.Errorf("ingest.relabel_rules[%d]: %w", i, err)
		}
	}
	if (c.Server.TLS.CertFile == "") != (c.Server.TLS.KeyFile == "") {
		return errors.New("server.http_tls_config: cert_file and key_file belong together")
	}
	if err := oneOf("server.http_tls_config.client_auth_type", c.Server.TLS.ClientAuthType, "", "NoClientCert", "VerifyClientCertIfGiven",
		"RequireAndVerifyClientCert"); err != nil {
		return err
	}
	if err := c.Auth.validate(); err != nil {
		return err
	}
	if err := c.Compactor.validate(); err != nil {
		return fmt.Errorf("compactor: %w", err)
	}
	if err := c.Limits.Validate(); err != nil {
		return fmt.Errorf("limits: %w", err)
	}
	return nil
}

// minDeleteDelay leaves queries that have begun, and other processes' listings, the time to let go of what is replaced.
const minDeleteDelay = 10 * time.Minute

func (c *Compactor) validate() error {
	switch {
	case time.Duration(c.CompactionInterval) < time.Second:
		return fmt.Errorf("compaction_interval: must be at least 1s, is %s", c.CompactionInterval)
	case time.Duration(c.RetentionDeleteDelay) < minDeleteDelay:
		return fmt.Errorf("retention_delete_delay: must be at least %s, is %s", minDeleteDelay, c.RetentionDeleteDelay)
	case c.DeleteRequestCancelPeriod < 0:
		return fmt.Errorf("delete_request_cancel_period: must not be negative, is %s", c.DeleteRequestCancelPeriod)
	case time.Duration(c.DeleteMaxInterval) < time.Second:
		return fmt.Errorf("delete_max_interval: must be at least 1s, is %s", c.DeleteMaxInterval)
	case c.MaxSegmentSize < 1<<20:
		return fmt.Errorf("max_segment_size: must be at least 1MB, is %d bytes", c.MaxSegmentSize)
	}
	return nil
}

func oneOf(key, value string, allowed ...string) error {
	for _, a := range allowed {
		if value == a {
			return nil
		}
	}
	return fmt.Errorf("%s: %q is none of %q", key, value, allowed)
}
