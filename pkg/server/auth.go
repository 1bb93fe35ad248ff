package server

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"golang.org/x/crypto/bcrypt"

	"github.com/cambium-logs/cambium/pkg/config"
	"github.com/cambium-logs/cambium/pkg/httpapi"
	"github.com/cambium-logs/cambium/pkg/tenant"
)

// tenantHeader names the tenant of a request.
const tenantHeader = "X-Scope-OrgID"

// authorizer finds out who sent a request to the listener. It is an httpapi.Authorizer.
type authorizer struct {
	tenancy  bool   // requests name their tenant
	fallback string // the tenant of all others
	open     bool   // nobody has to say who they are
	tokens   map[[sha256.Size]byte]config.Grant
	users    map[string]config.User
	clients  map[string]config.Grant

	passwords sync.Mutex // one password is checked at a time: that costs much on purpose
	mu        sync.Mutex // guards what follows
	known     map[[sha256.Size]byte]struct{}
}

func newAuthorizer(c *config.Config) (*authorizer, error) {
	a := &authorizer{
		tenancy: c.AuthEnabled, fallback: c.NoAuthTenant, open: c.Auth.Mode == config.AuthNone, tokens: map[[sha256.Size]byte]config.Grant{},
		users: map[string]config.User{}, clients: map[string]config.Grant{}, known: map[[sha256.Size]byte]struct{}{},
	}
	for _, t := range c.Auth.Tokens {
		hash, err := hex.DecodeString(t.SHA256)
		if err != nil || len(hash) != sha256.Size {
			return nil, fmt.Errorf("token %s: not a SHA-256", t.Name)
		}
		a.tokens[[sha256.Size]byte(hash)] = t.Grant
	}
	for _, u := range c.Auth.Users {
		a.users[u.Name] = u
	}
	for _, client := range c.Auth.Clients {
		a.clients[client.CommonName] = client.Grant
	}
	return a, nil
}

// errUnauthorized asks for credentials.
var errUnauthorized = &httpapi.Error{Status: http.StatusUnauthorized, Message: "credentials are missing or wrong", Challenge: `Bearer, Basic realm="cambium"`}

// Authorize implements httpapi.Authorizer.
func (a *authorizer) Authorize(r *http.Request) (httpapi.Principal, error) {
	if a.open {
		p := httpapi.Principal{Tenant: a.fallback, Role: httpapi.RoleAdmin}
		if !a.tenancy {
			return p, nil
		}
		ids, err := tenant.ParseIDs(r.Header.Get(tenantHeader))
		if err != nil {
			return p, err
		}
		p.Tenant, p.Tenants = ids[0], ids
		return p, nil
	}
	grant, ok := a.grant(r)
	if !ok {
		return httpapi.Principal{}, errUnauthorized
	}
	p := httpapi.Principal{Scopes: make([]httpapi.Scope, 0, len(grant.Scopes))}
	for _, s := range grant.Scopes {
		p.Scopes = append(p.Scopes, httpapi.Scope(s))
	}
	ids, err := a.tenants(r, grant)
	if err != nil {
		return p, err
	}
	p.Tenant, p.Tenants = ids[0], ids
	return p, nil
}

// tenants are those that the request names, if the grant has them; without a name the first one of the grant.
func (a *authorizer) tenants(r *http.Request, grant config.Grant) ([]string, error) {
	allowed := grant.Tenants
	if !a.tenancy {
		if len(allowed) > 0 && !slices.Contains(allowed, a.fallback) && !slices.Contains(allowed, config.AnyTenant) {
			return nil, &httpapi.Error{Status: http.StatusForbidden, Message: fmt.Sprintf("these credentials are not for the tenant '%s'", a.fallback)}
		}
		return []string{a.fallback}, nil
	}
	header := r.Header.Get(tenantHeader)
	if header == "" && len(allowed) > 0 && allowed[0] != config.AnyTenant {
		return allowed[:1], nil
	}
	ids, err := tenant.ParseIDs(header)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if !slices.Contains(allowed, id) && !slices.Contains(allowed, config.AnyTenant) {
			return nil, &httpapi.Error{Status: http.StatusForbidden, Message: fmt.Sprintf("these credentials are not for the tenant '%s'", id)}
		}
	}
	return ids, nil
}

// grant is what the credentials of a request are worth.
func (a *authorizer) grant(r *http.Request) (config.Grant, bool) {
	scheme, credentials, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") {
		grant, ok := a.tokens[sha256.Sum256([]byte(strings.TrimSpace(credentials)))]
		return grant, ok
	}
	if name, password, ok := r.BasicAuth(); ok {
		// Agents that know basic authentication alone send a token as the password.
		if grant, ok := a.tokens[sha256.Sum256([]byte(password))]; ok {
			return grant, true
		}
		return a.user(name, password)
	}
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		grant, ok := a.clients[r.TLS.VerifiedChains[0][0].Subject.CommonName]
		return grant, ok
	}
	return config.Grant{}, false
}

// maxKnown is how many right passwords are remembered, by hash.
const maxKnown = 1000

func (a *authorizer) user(name, password string) (config.Grant, bool) {
	u, exists := a.users[name]
	if !exists {
		return config.Grant{}, false
	}
	proof := sha256.Sum256([]byte(u.Bcrypt + "\x00" + password))
	a.mu.Lock()
	_, known := a.known[proof]
	a.mu.Unlock()
	if known {
		return u.Grant, true
	}
	a.passwords.Lock()
	err := bcrypt.CompareHashAndPassword([]byte(u.Bcrypt), []byte(password))
	a.passwords.Unlock()
	if err != nil {
		return config.Grant{}, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.known) >= maxKnown {
		clear(a.known)
	}
	a.known[proof] = struct{}{}
	return u.Grant, true
}
