package httpapi

import (
	"io"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/prometheus/prometheus/model/labels"
)

// jsonWriter writes JSON to w through a buffer that is flushed as it fills. Punctuation is the caller's.
type jsonWriter struct {
	w   io.Writer
	buf []byte
	err error
}

const jsonBuffer = 64 << 10

func newJSONWriter(w io.Writer) *jsonWriter { return &jsonWriter{w: w, buf: make([]byte, 0, 4<<10)} }

func (j *jsonWriter) raw(text string) { j.buf = append(j.buf, text...) }

func (j *jsonWriter) flush() {
	if j.err == nil && len(j.buf) > 0 {
		_, j.err = j.w.Write(j.buf)
	}
	j.buf = j.buf[:0]
}

// room flushes when the buffer is full; it is called between values.
func (j *jsonWriter) room() {
	if len(j.buf) > jsonBuffer {
		j.flush()
	}
}

func (j *jsonWriter) int(n int64) { j.buf = strconv.AppendInt(j.buf, n, 10) }

// float writes a number; what JSON cannot write is 0.
func (j *jsonWriter) float(f float64) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		f = 0
	}
	j.buf = strconv.AppendFloat(j.buf, f, 'f', -1, 64)
}

// str writes a string that is safe inside HTML. Bytes that are not UTF-8 become U+FFFD, each.
func (j *jsonWriter) str(s string) { j.buf = appendString(j.buf, s, `\ufffd`) }

// label writes a label's name or value. Bytes that are not UTF-8 become blanks.
func (j *jsonWriter) label(s string) { j.buf = appendString(j.buf, s, " ") }

// labels writes an object of labels.
func (j *jsonWriter) labels(ls labels.Labels) {
	j.raw("{")
	first := true
	ls.Range(func(l labels.Label) {
		if !first {
			j.raw(",")
		}
		first = false
		j.label(l.Name)
		j.raw(":")
		j.label(l.Value)
	})
	j.raw("}")
}

// time writes nanoseconds as a string.
func (j *jsonWriter) time(ns int64) {
	j.raw(`"`)
	j.int(ns)
	j.raw(`"`)
}

// seconds writes nanoseconds as seconds with a fraction of milliseconds where there is one.
func (j *jsonWriter) seconds(ns int64) {
	ms := ns / 1e6
	if ns%1e6 < 0 {
		ms--
	}
	if ms%1000 == 0 {
		j.int(ms / 1000)
		return
	}
	j.buf = strconv.AppendFloat(j.buf, float64(ms)/1000, 'f', -1, 64)
}

// sample writes a value the way Prometheus does: a string.
func (j *jsonWriter) sample(v float64) {
	j.raw(`"`)
	j.buf = strconv.AppendFloat(j.buf, v, 'f', -1, 64)
	j.raw(`"`)
}

const hexDigits = "0123456789abcdef"

// plainByte marks the bytes that a JSON string holds as they are, inside HTML too.
var plainByte = func() (set [256]bool) {
	for c := 0x20; c < utf8.RuneSelf; c++ {
		set[c] = c != '"' && c != '\\' && c != '<' && c != '>' && c != '&'
	}
	return set
}()

func appendString(out []byte, s, invalid string) []byte {
	out = append(out, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if plainByte[c] {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			switch {
			case r == utf8.RuneError && size == 1:
				out = append(append(out, s[start:i]...), invalid...)
				start = i + size
			case r == '\u2028' || r == '\u2029':
				out = append(append(out, s[start:i]...), `\u202`...)
				out = append(out, hexDigits[r&0xf])
				start = i + size
			}
			i += size
			continue
		}
		out = append(out, s[start:i]...)
		switch c {
		case '"', '\\':
			out = append(out, '\\', c)
		case '\n':
			out = append(out, '\\', 'n')
		case '\r':
			out = append(out, '\\', 'r')
		case '\t':
			out = append(out, '\\', 't')
		default:
			out = append(out, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
		}
		i++
		start = i
	}
	return append(append(out, s[start:]...), '"')
}
