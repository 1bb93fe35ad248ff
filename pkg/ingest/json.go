package ingest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// DecodeJSON reads the JSON push format into batch:
//
//	{"streams":[{"stream":{"app":"web"},"values":[["1795218049428612023","line",{"trace_id":"abc"}]]}]}
//
// Members that are not known are ignored, and so is text behind the object. Strings alias body.
func DecodeJSON(body []byte, batch *Batch) error {
	return decodeJSONStreams(body, batch, (*jsonDecoder).stream)
}

// DecodeLegacyJSON reads the JSON of /api/prom/push into batch:
//
//	{"streams":[{"labels":"{app=\"web\"}","entries":[{"ts":"2026-11-20T23:41:24.123456789Z","line":"x","structuredMetadata":{"k":"v"}}]}]}
func DecodeLegacyJSON(body []byte, batch *Batch) error {
	return decodeJSONStreams(body, batch, (*jsonDecoder).legacyStream)
}

type jsonDecoder struct {
	jsonText
	batch *Batch
	pairs []labels.Label // of the stream that is being read
}

func decodeJSONStreams(body []byte, batch *Batch, stream func(*jsonDecoder) *Error) error {
	d := &jsonDecoder{jsonText: jsonText{data: body, arena: &batch.bytes}, batch: batch}
	if d.peek() == 0 && d.at == len(body) {
		return &Error{Status: http.StatusBadRequest, Message: "EOF"}
	}
	if d.null() {
		return nil
	}
	err := d.object("an object", func(name []byte) *Error {
		if string(name) != "streams" {
			_, err := d.skip()
			return err
		}
		if d.null() {
			return nil
		}
		return d.array("an array of streams", func(int) *Error { return stream(d) })
	})
	if err != nil {
		return err
	}
	return nil
}

// stream reads {"stream":{…},"values":[…]}. The two may come in either order.
func (d *jsonDecoder) stream() *Error {
	if err := d.batch.beginStream(); err != nil {
		return err
	}
	d.pairs = d.pairs[:0]
	err := d.object("a stream object", func(name []byte) *Error {
		switch string(name) {
		case "stream":
			d.pairs = d.pairs[:0]
			return d.object("an object of labels", d.labelPair)
		case "values":
			if d.null() {
				return nil
			}
			return d.array("an array of values", func(int) *Error { return d.entry() })
		default:
			_, err := d.skip()
			return err
		}
	})
	if err != nil {
		return err
	}
	d.batch.endStream(labelText(d.pairs, &d.batch.bytes))
	return nil
}

// labelPair reads the value of a label. What is not a string is taken as its JSON text; of equal names the last wins.
func (d *jsonDecoder) labelPair(name []byte) *Error {
	var value []byte
	var err *Error
	if d.peek() == '"' {
		value, err = d.str("a string")
	} else {
		value, err = d.skip()
	}
	if err != nil {
		return err
	}
	if len(d.pairs) >= d.batch.maxItems {
		return tooLarge("more than %d labels", d.batch.maxItems)
	}
	d.pairs = append(d.pairs, labels.Label{Name: alias(name), Value: alias(value)})
	return nil
}

// entry reads ["<ns>","line",{metadata}], or null, which is no entry.
func (d *jsonDecoder) entry() *Error {
	if d.null() {
		return nil
	}
	var entry chunk.Entry
	metadata := len(d.batch.metadata)
	fields := 0
	err := d.array("an array of timestamp and line", func(i int) *Error {
		fields++
		switch i {
		case 0:
			at := d.at
			text, err := d.str("a timestamp, a string of nanoseconds")
			if err != nil {
				return err
			}
			ns, bad := strconv.ParseInt(alias(text), 10, 64)
			if bad != nil {
				d.at = at
				d.peek()
				return d.fail("a timestamp of decimal nanoseconds")
			}
			entry.Timestamp = ns
			return nil
		case 1:
			line, err := d.str("a line, a string")
			entry.Line = line
			return err
		case 2:
			return d.metadataObject()
		default:
			_, err := d.skip()
			return err
		}
	})
	if err != nil {
		return err
	}
	if fields == 0 {
		return badRequest("invalid JSON: an entry needs a timestamp, but is empty at byte %d", d.at)
	}
	entry.Metadata = d.batch.metadataSince(metadata)
	return d.batch.addEntry(entry)
}

func (d *jsonDecoder) metadataObject() *Error {
	return d.object("an object of structured metadata", func(name []byte) *Error {
		value, err := d.str("a string as value of structured metadata")
		if err != nil {
			return err
		}
		return d.batch.addMetadata(alias(name), alias(value))
	})
}

func (d *jsonDecoder) legacyStream() *Error {
	if err := d.batch.beginStream(); err != nil {
		return err
	}
	var text []byte
	err := d.object("a stream object", func(name []byte) *Error {
		switch string(name) {
		case "labels":
			var err *Error
			text, err = d.str("label text")
			return err
		case "entries":
			if d.null() {
				return nil
			}
			return d.array("an array of entries", func(int) *Error { return d.legacyEntry() })
		default:
			_, err := d.skip()
			return err
		}
	})
	if err != nil {
		return err
	}
	d.batch.endStream(alias(text))
	return nil
}

func (d *jsonDecoder) legacyEntry() *Error {
	if d.null() {
		return nil
	}
	entry := chunk.Entry{Timestamp: zeroTime}
	metadata := len(d.batch.metadata)
	err := d.object("an entry object", func(name []byte) *Error {
		switch string(name) {
		case "ts":
			text, err := d.str("an RFC 3339 timestamp")
			if err != nil {
				return err
			}
			t, bad := time.Parse(time.RFC3339Nano, alias(text))
			if bad != nil {
				return badRequest("%s", strings.ToValidUTF8(bad.Error(), "\ufffd"))
			}
			entry.Timestamp = t.UnixNano()
			return nil
		case "line":
			var err *Error
			entry.Line, err = d.str("a line, a string")
			return err
		case "structuredMetadata":
			if d.null() {
				return nil
			}
			return d.metadataObject()
		default:
			_, err := d.skip()
			return err
		}
	})
	if err != nil {
		return err
	}
	entry.Metadata = d.batch.metadataSince(metadata)
	return d.batch.addEntry(entry)
}

// labelText writes pairs as label text, sorted by name; of equal names the last counts. pairs is reordered.
func labelText(pairs []labels.Label, arena *byteArena) string {
	slices.SortStableFunc(pairs, func(a, b labels.Label) int { return strings.Compare(a.Name, b.Name) })
	size := 2
	for _, p := range pairs {
		size += len(p.Name) + len(p.Value) + len(`="", `) + 8
	}
	out := append(arena.take(size), '{')
	for i, p := range pairs {
		if i+1 < len(pairs) && pairs[i+1].Name == p.Name {
			continue
		}
		if len(out) > 1 {
			out = append(out, ", "...)
		}
		out = append(out, p.Name...)
		out = append(out, '=')
		out = strconv.AppendQuote(out, p.Value)
	}
	return alias(append(out, '}'))
}
