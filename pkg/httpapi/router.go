package httpapi

import (
	"net/http"
	"path"
	"strings"
)

// tenancy is how many tenants a route works for.
type tenancy int

const (
	tenantNone tenancy = iota // the route is about the process
	tenantOne
	tenantMany
)

// route is one path with its methods.
type route struct {
	pattern string // a path; one segment may be {name}
	methods []string
	tenancy tenancy
	scope   Scope // needed where there is a tenant
	family  family
	serve   func(c *call) error
}

func (r *route) allows(method string) bool {
	for _, m := range r.methods {
		if m == method {
			return true
		}
	}
	return false
}

var (
	methodsGet     = []string{http.MethodGet}
	methodsPost    = []string{http.MethodPost}
	methodsGetPost = []string{http.MethodGet, http.MethodPost}
)

// routes finds the route of a request. A path may have several routes, with different methods.
type routes struct {
	exact    map[string][]*route
	patterns []*route
}

func newRoutes(table []route) *routes {
	rs := &routes{exact: map[string][]*route{}}
	for i := range table {
		r := &table[i]
		if strings.Contains(r.pattern, "{") {
			rs.patterns = append(rs.patterns, r)
		} else {
			rs.exact[r.pattern] = append(rs.exact[r.pattern], r)
		}
	}
	return rs
}

// find returns the route of a path and method and the value of its {name}. known tells whether the path exists with another method.
func (rs *routes) find(requestPath, method string) (found *route, name string, known bool) {
	for _, r := range rs.exact[requestPath] {
		known = true
		if r.allows(method) {
			return r, "", true
		}
	}
	for _, r := range rs.patterns {
		if name, ok := matchPattern(r.pattern, requestPath); ok {
			known = true
			if r.allows(method) {
				return r, name, true
			}
		}
	}
	return nil, "", known
}

// matchPattern matches a pattern with one {name}, which stands for a non-empty segment.
func matchPattern(pattern, requestPath string) (name string, ok bool) {
	before, after, _ := strings.Cut(pattern, "{name}")
	rest, ok := strings.CutPrefix(requestPath, before)
	if !ok {
		return "", false
	}
	if name, ok = strings.CutSuffix(rest, after); !ok || name == "" || strings.Contains(name, "/") {
		return "", false
	}
	return name, true
}

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	requestPath := r.URL.Path
	if strings.Contains(requestPath, "//") || strings.Contains(requestPath, "/./") || strings.Contains(requestPath, "/../") {
		target := *r.URL
		target.Path = path.Clean(requestPath)
		target.RawPath = ""
		http.Redirect(w, r, target.RequestURI(), http.StatusMovedPermanently)
		return
	}
	found, name, known := a.routes.find(requestPath, r.Method)
	switch {
	case found != nil:
		a.serve(w, r, found, name)
	case known:
		w.WriteHeader(http.StatusMethodNotAllowed)
	case a.options.Profiles && strings.HasPrefix(requestPath, "/debug/pprof"):
		a.serveProfile(w, r)
	default:
		notFound(w)
	}
}

func notFound(w http.ResponseWriter) {
	(&Error{Status: http.StatusNotFound, Message: "404 page not found"}).write(w, familyLine)
}
