package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/cambium-logs/cambium/pkg/tenant"
)

// Role is what a user may do: each role includes the ones before it.
type Role int

// Roles. RoleNone may do nothing.
const (
	RoleNone Role = iota
	RoleViewer
	RoleEditor
	RoleAdmin
)

// ParseRole reads a role's name, as Grafana spells it, in any case. What is not known is RoleNone.
func ParseRole(name string) Role {
	switch strings.ToLower(name) {
	case "viewer":
		return RoleViewer
	case "editor":
		return RoleEditor
	case "admin", "grafana admin":
		return RoleAdmin
	}
	return RoleNone
}

// String gives Grafana's name of the role.
func (r Role) String() string {
	switch r {
	case RoleViewer:
		return "Viewer"
	case RoleEditor:
		return "Editor"
	case RoleAdmin:
		return "Admin"
	}
	return "None"
}

// Scope is a permission of its own, for callers that have no role, such as tokens.
type Scope string

// Scopes. ScopeAdmin includes the others.
const (
	ScopeRead  Scope = "read"
	ScopePush  Scope = "push"
	ScopeAdmin Scope = "admin"
)

// Principal is who is asking: which tenant, and with which rights.
type Principal struct {
	// Tenant is the tenant whose data the request is about.
	Tenant string
	// Tenants are several tenants of a multi-tenant read, sorted and distinct; nil for a single one.
	Tenants []string
	// Role gives the rights unless Scopes is set.
	Role Role
	// Scopes, when not nil, are the rights.
	Scopes []Scope
	// PushRole is the least role that may push. RoleNone means RoleEditor.
	PushRole Role
}

// pushRole is PushRole with its default.
func (p *Principal) pushRole() Role {
	if p.PushRole == RoleNone {
		return RoleEditor
	}
	return p.PushRole
}

// may returns nil if p has a scope, or else an *Error of status 403.
func (p *Principal) may(scope Scope) error {
	if p.Scopes != nil {
		if slices.Contains(p.Scopes, scope) || slices.Contains(p.Scopes, ScopeAdmin) {
			return nil
		}
		return &Error{Status: http.StatusForbidden, Message: fmt.Sprintf("the token lacks the scope %q", scope)}
	}
	needed := RoleViewer
	switch scope {
	case ScopePush:
		needed = p.pushRole()
	case ScopeAdmin:
		needed = RoleAdmin
	}
	if p.Role < needed {
		return &Error{Status: http.StatusForbidden, Message: fmt.Sprintf("this needs the role %s, but the user's role is %s", needed, p.Role)}
	}
	return nil
}

// Authorizer finds out who sent a request. An error is answered as it is: an *Error with its status, tenant.ErrNoID with 401, any other with 400.
type Authorizer interface {
	Authorize(r *http.Request) (Principal, error)
}

// AuthorizerFunc is a function that is an Authorizer.
type AuthorizerFunc func(r *http.Request) (Principal, error)

// Authorize implements Authorizer.
func (f AuthorizerFunc) Authorize(r *http.Request) (Principal, error) { return f(r) }

type principalKey struct{}

// WithPrincipal returns a context whose requests come from p. It is for mounts without an Authorizer.
func WithPrincipal(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// fromContext is the Authorizer of requests whose context holds a Principal.
func fromContext(r *http.Request) (Principal, error) {
	p, ok := r.Context().Value(principalKey{}).(Principal)
	if !ok || (p.Tenant == "" && len(p.Tenants) == 0) {
		return Principal{}, tenant.ErrNoID
	}
	return p, nil
}

// identityError gives the status of an error of an Authorizer.
func identityError(err error) *Error {
	var own *Error
	switch {
	case errors.As(err, &own):
		return own
	case errors.Is(err, tenant.ErrNoID):
		return &Error{Status: http.StatusUnauthorized, Message: err.Error()}
	}
	return &Error{Status: http.StatusBadRequest, Message: err.Error()}
}
