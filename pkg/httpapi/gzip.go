package httpapi

import (
	"net/http"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// acceptsGzip reads Accept-Encoding: gzip or *, unless with a weight of zero.
func acceptsGzip(r *http.Request) bool {
	for _, value := range r.Header.Values("Accept-Encoding") {
		for part := range strings.SplitSeq(value, ",") {
			coding, weight, _ := strings.Cut(strings.ReplaceAll(part, " ", ""), ";q=")
			if strings.EqualFold(coding, "gzip") || coding == "*" {
				return strings.Trim(weight, "0.") != "" || weight == ""
			}
		}
	}
	return false
}

// gzipStream compresses to an answer, with writers that are used again.
type gzipStream struct{ *gzip.Writer }

var gzipWriters = sync.Pool{New: func() any {
	w, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		return gzip.NewWriter(nil)
	}
	return w
}}

func newGzipStream(w http.ResponseWriter) *gzipStream {
	z, ok := gzipWriters.Get().(*gzip.Writer)
	if !ok {
		z = gzip.NewWriter(w)
	}
	z.Reset(w)
	return &gzipStream{z}
}

func (s *gzipStream) close() {
	_ = s.Close()
	gzipWriters.Put(s.Writer)
}
