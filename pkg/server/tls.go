package server

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/cambium-logs/cambium/pkg/config"
)

// certificates keeps the listener's certificate and client authorities, and reads their files again when they change.
type certificates struct {
	config config.TLS

	mu      sync.Mutex // guards what follows
	current *tls.Config
	stamp   string
	checked time.Time
}

// recheck is how often the files are looked at.
const recheck = time.Second

// newTLS gives the TLS configuration of the listener.
func newTLS(c config.TLS) (*tls.Config, error) {
	certs := &certificates{config: c}
	if err := certs.load(); err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return certs.get(), nil },
	}, nil
}

// get returns the configuration of now. While the files cannot be read, the previous one serves.
func (c *certificates) get() *tls.Config {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.checked) >= recheck {
		_ = c.loadLocked()
	}
	return c.current
}

func (c *certificates) load() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.loadLocked()
}

func (c *certificates) loadLocked() error {
	c.checked = time.Now()
	stamp, err := c.stampOf()
	if err != nil || (c.current != nil && stamp == c.stamp) {
		return err
	}
	pair, err := tls.LoadX509KeyPair(c.config.CertFile, c.config.KeyFile)
	if err != nil {
		return fmt.Errorf("certificate of the listener: %w", err)
	}
	next := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2", "http/1.1"}}
	if c.config.ClientCAFile != "" {
		text, err := os.ReadFile(c.config.ClientCAFile)
		if err != nil {
			return fmt.Errorf("authorities of client certificates: %w", err)
		}
		next.ClientCAs = x509.NewCertPool()
		if !next.ClientCAs.AppendCertsFromPEM(text) {
			return errors.New("authorities of client certificates: no certificate in " + c.config.ClientCAFile)
		}
		next.ClientAuth = tls.RequireAndVerifyClientCert
	}
	switch c.config.ClientAuthType {
	case "NoClientCert":
		next.ClientAuth = tls.NoClientCert
	case "VerifyClientCertIfGiven":
		next.ClientAuth = tls.VerifyClientCertIfGiven
	case "RequireAndVerifyClientCert":
		next.ClientAuth = tls.RequireAndVerifyClientCert
	}
	c.current, c.stamp = next, stamp
	return nil
}

// stampOf tells versions of the files apart.
func (c *certificates) stampOf() (string, error) {
	stamp := ""
	for _, path := range []string{c.config.CertFile, c.config.KeyFile, c.config.ClientCAFile} {
		if path == "" {
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			return "", err
		}
		stamp += fmt.Sprintf("%d %d;", info.ModTime().UnixNano(), info.Size())
	}
	return stamp, nil
}
