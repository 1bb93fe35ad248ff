package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend/log"
	"golang.org/x/net/netutil"

	"github.com/cambium-logs/cambium/pkg/config"
	"github.com/cambium-logs/cambium/pkg/httpapi"
)

// Server is an open listener.
type Server struct {
	config   config.Config
	logger   log.Logger
	listener net.Listener
	http     *http.Server
	handler  atomic.Pointer[http.Handler] // what answers now
	known    httpapi.Authorizer
	requests context.CancelFunc // ends what does not end by itself, such as tails
	running  *sync.WaitGroup    // requests, tails among them, which http.Server does not wait for
}

// Listen opens the address of the configuration for an API. It refuses what is not safe: a listener without authentication that is
// not on loopback, or that nobody asked to have none.
func Listen(c config.Config, api *httpapi.API, logger log.Logger) (*Server, error) {
	s, err := listen(c, logger)
	if err == nil {
		s.show(api)
	}
	return s, err
}

// listen opens the address. What answers there is to be set before Run.
func listen(c config.Config, logger log.Logger) (*Server, error) {
	if logger == nil {
		logger = log.NewNullLogger()
	}
	if c.Auth.Mode == "" && c.Auth.Configured() {
		c.Auth.Mode = config.AuthRequired
	}
	if err := guard(&c); err != nil {
		return nil, err
	}
	authorizer, err := newAuthorizer(&c)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", c.Server.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if c.Server.MaxConnections > 0 {
		listener = netutil.LimitListener(listener, c.Server.MaxConnections)
	}
	if c.Server.TLS.CertFile != "" {
		secure, err := newTLS(c.Server.TLS)
		if err != nil {
			return nil, errors.Join(err, listener.Close())
		}
		listener = tls.NewListener(listener, secure)
	}
	requests, cancel := context.WithCancel(context.Background())
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(c.Server.TLS.CertFile == "")
	running := new(sync.WaitGroup)
	s := &Server{config: c, logger: logger, listener: listener, known: authorizer, requests: cancel, running: running}
	s.http = &http.Server{
		Handler:           counted(running, prefixed(c.Server.PathPrefix, http.HandlerFunc(s.answer))),
		ReadTimeout:       time.Duration(c.Server.ReadTimeout),
		ReadHeaderTimeout: time.Duration(c.Server.ReadHeaderTimeout),
		IdleTimeout:       time.Duration(c.Server.IdleTimeout),
		MaxHeaderBytes:    int(c.Server.MaxHeaderBytes),
		Protocols:         protocols,
		BaseContext:       func(net.Listener) context.Context { return requests },
		ErrorLog:          nil,
	}
	return s, nil
}

// show makes an API answer from now on.
func (s *Server) show(api *httpapi.API) { s.set(api.With(s.known)) }

func (s *Server) set(h http.Handler) { s.handler.Store(&h) }

func (s *Server) answer(w http.ResponseWriter, r *http.Request) { (*s.handler.Load()).ServeHTTP(w, r) }

// counted makes the calls of h known to running.
func counted(running *sync.WaitGroup, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		running.Add(1)
		defer running.Done()
		h.ServeHTTP(w, r)
	})
}

// prefixed mounts h behind a path prefix.
func prefixed(prefix string, h http.Handler) http.Handler {
	prefix = strings.TrimSuffix(prefix, "/")
	if prefix == "" {
		return h
	}
	if !strings.HasPrefix(prefix, "/") {
		prefix = "/" + prefix
	}
	return http.StripPrefix(prefix, h)
}

// guard refuses to listen where anybody could do anything.
func guard(c *config.Config) error {
	switch c.Auth.Mode {
	case config.AuthNone:
		if !onLoopback(c.Server.Listen) {
			return fmt.Errorf("without authentication the listener must be on loopback, not on %s: "+
				"listen on 127.0.0.1, or name tokens, users or clients under auth", c.Server.Listen)
		}
	case config.AuthRequired:
		if !c.Auth.Configured() {
			return errors.New("auth.mode is required, but no tokens, users or clients are named under auth")
		}
	default:
		return errors.New("nobody is named who may talk to the listener: name tokens, users or clients under auth, or, on loopback, " +
			"say that none are needed (-auth none, or auth: {mode: none})")
	}
	return nil
}

// onLoopback reports whether every address that listen stands for is on loopback.
func onLoopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil || host == "" {
		return false
	}
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	ips, err := net.LookupIP(host)
	if err != nil || len(ips) == 0 {
		return false
	}
	for _, ip := range ips {
		if !ip.IsLoopback() {
			return false
		}
	}
	return true
}

// Addr is the address that the server listens on.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// URL is where the server is reached.
func (s *Server) URL() string {
	scheme := "http"
	if s.config.Server.TLS.CertFile != "" {
		scheme = "https"
	}
	return scheme + "://" + s.Addr().String() + strings.TrimSuffix(s.config.Server.PathPrefix, "/")
}

// Run serves until ctx ends. Then it takes no new requests, ends tails, and waits for the running requests, up to the graceful timeout.
func (s *Server) Run(ctx context.Context) error {
	served := make(chan error, 1)
	go func() { served <- s.http.Serve(s.listener) }()
	select {
	case err := <-served:
		s.requests()
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Duration(s.config.Server.GracefulShutdownTimeout))
	defer cancel()
	stopTails := time.AfterFunc(tailGrace, s.requests)
	defer stopTails.Stop()
	err := s.http.Shutdown(patience)
	s.requests()
	<-served
	s.sayGoodbye(patience)
	if err != nil {
		s.logger.Warn("Requests were cut off at the stop", "error", err)
		return s.http.Close()
	}
	return nil
}

// sayGoodbye waits for the tails to end, whose contexts have.
func (s *Server) sayGoodbye(ctx context.Context) {
	ended := make(chan struct{})
	go func() {
		s.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
	}
}

// tailGrace is how long requests have before their context ends at a stop. Tails never end before.
const tailGrace = 5 * time.Second
