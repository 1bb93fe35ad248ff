package config

import (
	"encoding/hex"
	"errors"
	"fmt"

	"golang.org/x/crypto/bcrypt"

	"github.com/cambium-logs/cambium/pkg/tenant"
)

// AnyTenant in a Grant stands for every tenant.
const AnyTenant = "*"

// Configured reports whether somebody is named who may talk to the listener.
func (a *Auth) Configured() bool { return len(a.Tokens)+len(a.Users)+len(a.Clients) > 0 }

func (a *Auth) validate() error {
	if err := oneOf("auth.mode", a.Mode, "", AuthNone, AuthRequired); err != nil {
		return err
	}
	for i, t := range a.Tokens {
		if hash, err := hex.DecodeString(t.SHA256); err != nil || len(hash) != 32 {
			return fmt.Errorf("auth.tokens[%d].sha256: not the hexadecimal SHA-256 of a token", i)
		}
		if err := t.Grant.validate(); err != nil {
			return fmt.Errorf("auth.tokens[%d]: %w", i, err)
		}
	}
	for i, u := range a.Users {
		if u.Name == "" {
			return fmt.Errorf("auth.users[%d].name: empty", i)
		}
		if _, err := bcrypt.Cost([]byte(u.Bcrypt)); err != nil {
			return fmt.Errorf("auth.users[%d].bcrypt: not a bcrypt hash", i)
		}
		if err := u.Grant.validate(); err != nil {
			return fmt.Errorf("auth.users[%d]: %w", i, err)
		}
	}
	for i, c := range a.Clients {
		if c.CommonName == "" {
			return fmt.Errorf("auth.clients[%d].common_name: empty", i)
		}
		if err := c.Grant.validate(); err != nil {
			return fmt.Errorf("auth.clients[%d]: %w", i, err)
		}
	}
	return nil
}

func (g *Grant) validate() error {
	if len(g.Scopes) == 0 {
		return errors.New("scopes: none is given; possible are push, read, admin")
	}
	for _, s := range g.Scopes {
		if err := oneOf("scopes", s, "push", "read", "admin"); err != nil {
			return err
		}
	}
	for _, t := range g.Tenants {
		if t == AnyTenant {
			continue
		}
		if err := tenant.ValidateID(t); err != nil {
			return fmt.Errorf("tenants: %w", err)
		}
	}
	return nil
}
