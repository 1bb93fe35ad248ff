package server

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/cambium-logs/cambium/pkg/config"
)

// tokenFile is where the token lies that is made when nobody is named who may talk to the listener.
const tokenFile = "serve.token"

// ownToken grants everything to the bearer of the token in the data directory, which is made if it is not there. It returns the file's path.
func ownToken(c *config.Config) (path string, err error) {
	path = filepath.Join(c.DataDir, tokenFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		text = []byte(rand.Text() + "\n")
		if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
			return "", fmt.Errorf("data directory: %w", err)
		}
		if err := writeNew(path, text); err != nil {
			return "", fmt.Errorf("token of the listener: %w", err)
		}
	} else if err != nil {
		return "", fmt.Errorf("token of the listener: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if token == "" {
		return "", fmt.Errorf("token of the listener: %s is empty; delete it to have a new one made", path)
	}
	hash := sha256.Sum256([]byte(token))
	c.Auth.Tokens = append(c.Auth.Tokens, config.Token{
		Name: tokenFile, SHA256: hex.EncodeToString(hash[:]), Grant: config.Grant{Tenants: []string{config.AnyTenant}, Scopes: []string{"admin"}},
	})
	c.Auth.Mode = config.AuthRequired
	return path, nil
}

// writeNew writes a file that must not exist yet: nobody holds the data directory's lock here, and the token of a process that does must stay what it is.
func writeNew(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}
