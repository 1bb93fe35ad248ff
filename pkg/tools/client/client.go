package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"
)

// DefaultAddr is where a server listens unless it is told otherwise.
const DefaultAddr = "http://127.0.0.1:3100"

// Options say where the server is and who asks.
type Options struct {
	Addr      string // URL up to where /loki/api/v1 follows
	Token     string
	TokenFile string
	User      string
	Password  string
	Tenant    string

	CA, Cert, Key string // files
	Insecure      bool
	Timeout       time.Duration // of one request; 0 = none
}

// Register adds the flags; their defaults come from the environment.
func (o *Options) Register(f *flag.FlagSet, getenv func(string) string) {
	addr := getenv("CAMBIUM_ADDR")
	if addr == "" {
		addr = DefaultAddr
	}
	o.Token, o.User, o.Password = getenv("CAMBIUM_TOKEN"), getenv("CAMBIUM_USER"), getenv("CAMBIUM_PASSWORD")
	f.StringVar(&o.Addr, "addr", addr, "`URL` of the server; the environment variable CAMBIUM_ADDR sets the default")
	f.Func("token", "bearer `token`; better in CAMBIUM_TOKEN or a file, where other users do not see it", set(&o.Token))
	f.StringVar(&o.TokenFile, "token-file", getenv("CAMBIUM_TOKEN_FILE"), "`file` with the bearer token")
	f.Func("user", "`name` for basic authentication, or name:password; the environment variable CAMBIUM_USER sets the default", set(&o.User))
	f.Func("password", "`password` for basic authentication; better in CAMBIUM_PASSWORD", set(&o.Password))
	f.StringVar(&o.Tenant, "tenant", getenv("CAMBIUM_TENANT"), "tenant `id`, sent as X-Scope-OrgID")
	f.StringVar(&o.CA, "ca", "", "`file` with the certificates that the server's is signed by")
	f.StringVar(&o.Cert, "cert", "", "`file` with the client's certificate")
	f.StringVar(&o.Key, "key", "", "`file` with the client's key")
	f.BoolVar(&o.Insecure, "insecure", false, "do not verify the server's certificate")
	f.DurationVar(&o.Timeout, "timeout", 2*time.Minute, "of one request")
}

func set(to *string) func(string) error {
	return func(text string) error { *to = text; return nil }
}

// Client talks to one server.
type Client struct {
	base *url.URL
	opts Options
	http *http.Client
}

// New makes a client. It does not contact the server.
func New(o Options) (*Client, error) {
	base, err := url.Parse(strings.TrimRight(o.Addr, "/"))
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, errors.New("-addr is not a URL like " + DefaultAddr)
	}
	if base.User != nil {
		return nil, errors.New("-addr holds a password; use -user and CAMBIUM_PASSWORD")
	}
	base.RawQuery, base.Fragment = "", ""
	if o.TokenFile != "" && o.Token == "" {
		text, err := os.ReadFile(o.TokenFile)
		if err != nil {
			return nil, fmt.Errorf("read the token: %w", err)
		}
		o.Token = strings.TrimSpace(string(text))
	}
	if name, password, ok := strings.Cut(o.User, ":"); ok {
		o.User, o.Password = name, password
	}
	if o.Token != "" && o.User != "" {
		return nil, errors.New("give a token or a user, not both")
	}
	config, err := o.tls()
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = config
	return &Client{base: base, opts: o, http: &http.Client{Transport: transport}}, nil
}

func (o *Options) tls() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: o.Insecure}
	if o.CA != "" {
		text, err := os.ReadFile(o.CA)
		if err != nil {
			return nil, fmt.Errorf("read -ca: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s has no certificates in PEM form", o.CA)
		}
	}
	if o.Cert != "" || o.Key != "" {
		pair, err := tls.LoadX509KeyPair(o.Cert, o.Key)
		if err != nil {
			return nil, fmt.Errorf("read -cert and -key: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func (c *Client) url(path string, params url.Values) string {
	u := *c.base
	u.Path += path
	u.RawQuery = params.Encode()
	return u.String()
}

// header is what every request carries.
func (c *Client) header() http.Header {
	h := http.Header{"User-Agent": {"gpx_cambium"}}
	if c.opts.Tenant != "" {
		h.Set("X-Scope-OrgID", c.opts.Tenant)
	}
	switch {
	case c.opts.Token != "":
		h.Set("Authorization", "Bearer "+c.opts.Token)
	case c.opts.User != "":
		r := http.Request{Header: h}
		r.SetBasicAuth(c.opts.User, c.opts.Password)
	}
	return h
}

// do sends a request and gives an answer of class 2xx; the caller closes its body.
func (c *Client) do(ctx context.Context, method, path string, params url.Values, contentType string, body io.Reader) (*http.Response, context.CancelFunc, error) {
	cancel := context.CancelFunc(func() {})
	if c.opts.Timeout > 0 {
		ctx, cancel = context.WithTimeout(ctx, c.opts.Timeout)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.url(path, params), body)
	if err != nil {
		cancel()
		return nil, nil, err
	}
	r.Header = c.header()
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		cancel()
		return nil, nil, c.explain(err)
	}
	if answer.StatusCode/100 != 2 {
		defer cancel()
		defer answer.Body.Close()
		return nil, nil, newError(answer)
	}
	return answer, cancel, nil
}

// Error is an answer that is not a success.
type Error struct {
	Status     int
	Message    string
	RetryAfter string
}

// maxMessage is how much of an error's body is read.
const maxMessage = 4 << 10

func newError(answer *http.Response) *Error {
	text, _ := io.ReadAll(io.LimitReader(answer.Body, maxMessage))
	message := strings.TrimSpace(string(text))
	if message == "" || strings.HasPrefix(message, "<") {
		message = http.StatusText(answer.StatusCode)
	}
	return &Error{Status: answer.StatusCode, Message: message, RetryAfter: answer.Header.Get("Retry-After")}
}

// Error gives the server's words and what to do about them.
func (e *Error) Error() string {
	text := fmt.Sprintf("the server answered %d: %s", e.Status, e.Message)
	switch {
	case e.Status == http.StatusUnauthorized && e.Message == "no org id":
		return text + ". Name the tenant with -tenant"
	case e.Status == http.StatusUnauthorized:
		return text + ". Set CAMBIUM_TOKEN, or give -token-file or -user"
	case e.Status == http.StatusForbidden:
		return text + ". Use a token that has this right, or another -tenant"
	case e.Status == http.StatusNotFound:
		return text + ". Check that -addr is what /loki/api/v1 follows"
	case e.RetryAfter != "":
		return text + ". Try again in " + e.RetryAfter + " seconds"
	}
	return text
}

// explain makes the commonest failures of a connection say what to do. Errors of the net package name the address and no secret.
func (c *Client) explain(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	var dns *net.DNSError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s did not answer in time; narrow the query or raise -timeout", c.base.Host)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nothing listens at %s; start the server, or name another with -addr or CAMBIUM_ADDR", c.base.Host)
	case errors.As(err, &dns):
		return fmt.Errorf("there is no host %s; check -addr", dns.Name)
	case errors.As(err, &unknown):
		return fmt.Errorf("%w; give the authority's certificate with -ca", err)
	}
	return err
}
