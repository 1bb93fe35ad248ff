package bucket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/thanos-io/objstore"
	"github.com/thanos-io/objstore/client"
	"gopkg.in/yaml.v3"
)

// Options say which bucket to open.
type Options struct {
	// Config is objstore's YAML: type, config, prefix. It may hold secrets and is never repeated in errors.
	Config []byte
	// Dir is the directory of the bucket when Config is empty.
	Dir string
	// ReadOnly opens a directory as it is: it must exist, and nothing in it is made or cleaned up. Nothing may be written then.
	ReadOnly bool
	// Limits bound operations on buckets other than directories, which fail at once.
	Limits Limits
	// Registerer takes the metrics; nil = none.
	Registerer prometheus.Registerer
	// Logger takes what providers say; nil = nothing.
	Logger log.Logger
}

// Bucket is an opened bucket.
type Bucket struct {
	objstore.Bucket
	local *Local  // nil when it is not a directory
	inner string  // prefix of object names in local
	cache *cached // nil = none
}

// Open opens a bucket. It does not contact the store: Probe does.
func Open(opts Options) (*Bucket, error) {
	if opts.Registerer == nil {
		opts.Registerer = prometheus.NewRegistry()
	}
	if opts.Logger == nil {
		opts.Logger = log.NewNopLogger()
	}
	if len(bytes.TrimSpace(opts.Config)) == 0 {
		if opts.Dir == "" {
			return nil, errors.New("open bucket: neither a configuration nor a directory is given")
		}
		return openDir(opts, opts.Dir, "")
	}
	conf, err := ParseConfig(opts.Config)
	if err != nil {
		return nil, err
	}
	if isFilesystem(conf.Type) {
		dir, err := filesystemDir(conf)
		if err != nil {
			return nil, err
		}
		return openDir(opts, dir, conf.Prefix)
	}
	b, err := client.NewBucketFromConfig(opts.Logger, &client.BucketConfig{Type: conf.Type, Config: conf.Config}, "cambium", nil)
	if err != nil {
		return nil, fmt.Errorf("open bucket: %w", err)
	}
	retrying := newRetrying(b, opts.Limits, opts.Registerer)
	return &Bucket{Bucket: instrument(objstore.NewPrefixedBucket(retrying, conf.Prefix), opts.Registerer)}, nil
}

// Cached gives the bucket with a cache on the disk in front of it, which keeps what is read of segments. A nil reg takes no metrics.
func (b *Bucket) Cached(opts CacheOptions, reg prometheus.Registerer) (*Bucket, error) {
	if reg == nil {
		reg = prometheus.NewRegistry()
	}
	disk, err := openCache(opts, reg)
	if err != nil {
		return nil, err
	}
	out := *b
	out.cache = newCached(b.Bucket, disk)
	out.Bucket = out.cache
	return &out, nil
}

// Discard drops what the cache keeps of an object, because it or the object is damaged.
func (b *Bucket) Discard(name string) {
	if b.cache != nil {
		b.cache.Discard(name)
	}
}

func openDir(opts Options, dir, prefix string) (*Bucket, error) {
	open := OpenLocal
	if opts.ReadOnly {
		open = openExisting
	}
	l, err := open(dir)
	if err != nil {
		return nil, err
	}
	prefix = strings.Trim(prefix, "/")
	return &Bucket{
		Bucket: instrument(objstore.NewPrefixedBucket(l, prefix), opts.Registerer),
		local:  l,
		inner:  prefix,
	}, nil
}

// Wrap gives any objstore bucket time limits, retries and metrics, as Open does for buckets that are not directories.
func Wrap(b objstore.Bucket, limits Limits, reg prometheus.Registerer) *Bucket {
	if reg == nil {
		reg = prometheus.NewRegistry()
	}
	return &Bucket{Bucket: instrument(newRetrying(b, limits, reg), reg)}
}

func instrument(b objstore.Bucket, reg prometheus.Registerer) objstore.Bucket {
	return objstore.WrapWithMetrics(b, prometheus.WrapRegistererWithPrefix("cambium_", reg), "segments").WithExpectedErrs(func(err error) bool {
		return b.IsObjNotFoundErr(err) || errors.Is(err, context.Canceled)
	})
}

// IsLocal reports whether the bucket is a directory, and which.
func (b *Bucket) IsLocal() (dir string, ok bool) {
	if b.local == nil {
		return "", false
	}
	return b.local.root, true
}

// TempDir is where files for UploadFile are best made; fallback when the bucket is not a directory.
func (b *Bucket) TempDir(fallback string) string {
	if b.local == nil {
		return fallback
	}
	return b.local.TempDir()
}

// RemoveLeftovers removes what crashed uploads left long ago where the bucket is a directory.
func (b *Bucket) RemoveLeftovers() {
	if b.local != nil {
		b.local.RemoveLeftovers()
	}
}

// UploadFile makes a synced file an object, and moves it where the bucket is a directory.
func (b *Bucket) UploadFile(ctx context.Context, name, path string) error {
	if b.local != nil {
		if b.inner != "" {
			name = b.inner + "/" + name
		}
		return b.local.UploadFile(ctx, name, path)
	}
	return objstore.UploadFile(ctx, log.NewNopLogger(), b.Bucket, path, name)
}

// ReadAll gives a whole object of at most limit bytes.
func ReadAll(ctx context.Context, b objstore.BucketReader, name string, limit int64) ([]byte, error) {
	body, err := b.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(body, limit+1))
	if cerr := body.Close(); err == nil {
		err = cerr
	}
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("object %s has more than %d bytes", name, limit)
	}
	if err != nil {
		return nil, err
	}
	return data, nil
}

// Config is objstore's configuration of a bucket.
type Config struct {
	Type   objstore.ObjProvider `yaml:"type"`
	Config any                  `yaml:"config"`
	Prefix string               `yaml:"prefix"`
}

// ParseConfig reads objstore's YAML. Its errors do not repeat values, which may be secrets.
func ParseConfig(b []byte) (Config, error) {
	var c Config
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil {
		var te *yaml.TypeError
		if errors.As(err, &te) {
			return c, errors.New("bucket configuration: expected the keys type, config and prefix")
		}
		return c, errors.New("bucket configuration: this is not YAML")
	}
	if c.Type == "" {
		return c, errors.New("bucket configuration: type is missing; it is one of FILESYSTEM, S3, GCS, AZURE, SWIFT, COS, ALIYUNOSS, BOS, OCI, OBS")
	}
	return c, nil
}

func isFilesystem(t objstore.ObjProvider) bool {
	return strings.EqualFold(string(t), string(objstore.FILESYSTEM))
}

func filesystemDir(c Config) (string, error) {
	m, _ := c.Config.(map[string]any)
	dir, _ := m["directory"].(string)
	if dir == "" || len(m) != 1 {
		return "", errors.New("bucket configuration: type FILESYSTEM takes one key in config: directory")
	}
	return dir, nil
}
