package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// authority makes certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	last int64
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t}
	a.key = newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	require.NoError(t, err)
	a.cert, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return key
}

func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// issue gives a certificate for a common name, on loopback, and its key.
func (a *authority) issue(name string) (cert, key []byte) {
	a.t.Helper()
	a.last++
	k := newKey(a.t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(100 + a.last), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, k.Public(), a.key)
	require.NoError(a.t, err)
	text, err := x509.MarshalECPrivateKey(k)
	require.NoError(a.t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: text})
}

// as makes r speak TLS, with a client certificate where a name is given.
func (r *running) as(trusted, own *authority, name string) {
	r.t.Helper()
	c := &tls.Config{RootCAs: trusted.pool()}
	if name != "" {
		pair, err := tls.X509KeyPair(own.issue(name))
		require.NoError(r.t, err)
		c.Certificates = []tls.Certificate{pair}
	}
	r.client.CloseIdleConnections()
	r.client = &http.Client{Transport: &http.Transport{TLSClientConfig: c}}
}

func writeFiles(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
}

func TestServeReloadsCertificates(t *testing.T) {
	dir, ca := t.TempDir(), newAuthority(t)
	cert, key := ca.issue("first")
	writeFiles(t, dir, map[string][]byte{"cert.pem": cert, "key.pem": key, "cambium.yaml": []byte(
		"data_dir: data\nauth: {mode: none}\nserver: {http_tls_config: {cert_file: cert.pem, key_file: key.pem}}\n")})
	r := start(t, "-config", filepath.Join(dir, "cambium.yaml"))
	shown := func() string {
		r.as(ca, nil, "")
		resp, err := r.client.Get(r.url + "/ready")
		require.NoError(t, err)
		defer resp.Body.Close()
		require.Equal(t, 200, resp.StatusCode)
		return resp.TLS.PeerCertificates[0].Subject.CommonName
	}
	require.Equal(t, "first", shown())
	cert, key = ca.issue("second")
	writeFiles(t, dir, map[string][]byte{"cert.pem": cert, "key.pem": key})
	require.Eventually(t, func() bool { return shown() == "second" }, 20*time.Second, 50*time.Millisecond)
	writeFiles(t, dir, map[string][]byte{"cert.pem": []byte("half a certificate")})
	time.Sleep(recheck + recheck/4)
	require.Equal(t, "second", shown(), "while the files are bad the previous ones serve")
	cert, key = ca.issue("third")
	writeFiles(t, dir, map[string][]byte{"cert.pem": cert, "key.pem": key})
	require.Eventually(t, func() bool { return shown() == "third" }, 20*time.Second, 50*time.Millisecond)
	r.client.CloseIdleConnections()
}

func TestServeMutualTLS(t *testing.T) {
	dir, ca, stranger := t.TempDir(), newAuthority(t), newAuthority(t)
	cert, key := ca.issue("server")
	const clients = `auth_enabled: true
data_dir: %s
auth:
  clients:
  - {common_name: agent, tenants: [t1], scopes: [push]}
  - {common_name: reader, tenants: [t1, t2], scopes: [read]}
server:
  http_tls_config: {cert_file: cert.pem, key_file: key.pem, client_ca_file: ca.pem%s}
`
	writeFiles(t, dir, map[string][]byte{"cert.pem": cert, "key.pem": key, "ca.pem": ca.pem(),
		"required.yaml": fmt.Appendf(nil, clients, "required", ""), "optional.yaml": fmt.Appendf(nil, clients, "optional", ", client_auth_type: VerifyClientCertIfGiven")})
	r := start(t, "-config", filepath.Join(dir, "required.yaml"))
	for _, tc := range []struct {
		name, tenant string
		push, read   int
	}{
		{"agent", "", 204, 403}, {"agent", "t1", 204, 403}, {"agent", "t2", 403, 403}, {"reader", "t2", 403, 200}, {"somebody", "t1", 401, 401},
	} {
		r.as(ca, ca, tc.name)
		r.header = http.Header{}
		if tc.tenant != "" {
			r.header.Set("X-Scope-OrgID", tc.tenant)
		}
		status, text := r.pushTo("/loki/api/v1/push", "x", "line")
		require.Equal(t, tc.push, status, "%s pushes for %q: %s", tc.name, tc.tenant, text)
		status, text = r.get("/loki/api/v1/labels")
		require.Equal(t, tc.read, status, "%s reads for %q: %s", tc.name, tc.tenant, text)
	}
	for name, own := range map[string]*authority{"": nil, "agent": stranger} {
		r.as(ca, own, name)
		resp, err := r.client.Get(r.url + "/ready")
		if err == nil {
			resp.Body.Close()
		}
		require.Error(t, err, "without a certificate of the authority nothing is heard")
	}
	r.stop()

	r = start(t, "-config", filepath.Join(dir, "optional.yaml"))
	r.as(ca, nil, "")
	status, _ := r.get("/ready")
	require.Equal(t, 200, status)
	status, _ = r.get("/loki/api/v1/labels")
	require.Equal(t, 401, status)
	r.as(ca, ca, "agent")
	r.push("x", "line")
}
