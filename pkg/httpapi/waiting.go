package httpapi

import (
	"net/http"
	"strings"
	"time"
)

// Waiting answers in place of an API whose database is not open yet: everything with 503, Retry-After and the reason, which /ready would tell
// anybody as well.
func Waiting(retryAfter time.Duration, reason func() string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := familyLine
		if strings.HasSuffix(r.URL.Path, "/v1/logs") {
			f = familyOTLP
		}
		(&Error{Status: http.StatusServiceUnavailable, Message: reason(), RetryAfter: retryAfter}).write(w, f)
	})
}
