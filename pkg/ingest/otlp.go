package ingest

import (
	"fmt"
	"strconv"

	"github.com/prometheus/prometheus/model/labels"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/cambium-logs/cambium/pkg/storage/chunk"
)

// otlpItems is which part of Bounds.MaxItems an OTLP request may use: its items take more memory while they are read.
const otlpItems = 4

// DecodeOTLP reads the body of an OTLP logs request into batch, with attributes as the tenant's otlp_config says. contentType must be
// application/x-protobuf or application/json, without parameters; contentEncoding none, gzip, zstd or lz4.
func (r *Receiver) DecodeOTLP(user, contentType, contentEncoding string, body []byte, bounds Bounds, batch *Batch) error {
	bounds.EnsureDefaults()
	batch.Format = formatOTLP
	if contentType != contentTypeJSON && contentType != "application/x-protobuf" {
		return badRequest("content type: %s is not supported", contentType)
	}
	if int64(len(body)) > bounds.MaxBody {
		return ErrBodyTooLarge(bounds)
	}
	switch contentEncoding {
	case EncodingNone, EncodingGzip, EncodingZstd, EncodingLZ4:
	default:
		return badRequest("unsupported content encoding %s: only gzip, lz4 and zstd are supported", contentEncoding)
	}
	body, err := Decompress(contentEncoding, body, bounds)
	if err != nil {
		return err
	}
	if err := bounds.Reserved.Take(int64(len(body)) * otlpItems); err != nil {
		return err
	}
	request := plogotlp.NewExportRequest()
	if contentType == contentTypeJSON {
		if err := checkOTLPJSON(body, bounds.MaxItems/otlpItems); err != nil {
			return err
		}
		err = request.UnmarshalJSON(body)
	} else {
		if err := checkOTLPProtobuf(body, bounds.MaxItems/otlpItems); err != nil {
			return err
		}
		err = request.UnmarshalProto(body)
	}
	if err != nil {
		return badRequest("%s", err)
	}
	m := otlpMapper{rules: r.state(user).otlpRules(), batch: batch, now: r.options.Now().UnixNano()}
	return m.logs(request.Logs())
}

// otlpMapper turns OTLP logs into streams.
type otlpMapper struct {
	rules *otlpRules
	batch *Batch
	now   int64

	index    []labels.Label // labels of the resource
	resource []labels.Label // its metadata
	scope    []labels.Label // the metadata of the scope
}

func (m *otlpMapper) logs(logs plog.Logs) error {
	for _, rl := range logs.ResourceLogs().All() {
		m.readResource(rl.Resource())
		text := labelText(m.index, &m.batch.bytes)
		for _, sl := range rl.ScopeLogs().All() {
			if sl.LogRecords().Len() == 0 {
				continue
			}
			m.readScope(sl.Scope())
			if err := m.records(sl.LogRecords(), text); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *otlpMapper) records(records plog.LogRecordSlice, text string) error {
	open := ""
	opened := false
	for _, record := range records.All() {
		stream := text
		if m.rules.severityAsLabel && record.SeverityText() != "" {
			with := append(m.index[:len(m.index):len(m.index)], labels.Label{Name: "severity_text", Value: record.SeverityText()})
			stream = labelText(with, &m.batch.bytes)
		}
		if opened && stream != open {
			m.batch.endStream(open)
			opened = false
		}
		if !opened {
			if err := m.batch.beginStream(); err != nil {
				return err
			}
			open, opened = stream, true
		}
		if err := m.record(record); err != nil {
			return err
		}
	}
	if opened {
		m.batch.endStream(open)
	}
	return nil
}

func (m *otlpMapper) readResource(resource pcommon.Resource) {
	m.index, m.resource = m.index[:0], m.resource[:0]
	for name, value := range resource.Attributes().All() {
		switch m.rules.resource.action(name) {
		case actionIndex:
			if text := value.AsString(); text != "" {
				m.index = append(m.index, labels.Label{Name: labelName(name), Value: text})
			}
		case actionMetadata:
			m.resource = flatten(m.resource, name, value)
		}
	}
	if n := resource.DroppedAttributesCount(); n > 0 {
		m.resource = append(m.resource, labels.Label{Name: "resource_dropped_attributes_count", Value: strconv.FormatUint(uint64(n), 10)})
	}
}

func (m *otlpMapper) readScope(scope pcommon.InstrumentationScope) {
	m.scope = m.scope[:0]
	for name, value := range scope.Attributes().All() {
		if m.rules.scope.action(name) == actionMetadata {
			m.scope = flatten(m.scope, name, value)
		}
	}
	add := func(name, value string) {
		if value != "" {
			m.scope = append(m.scope, labels.Label{Name: name, Value: value})
		}
	}
	add("scope_name", scope.Name())
	add("scope_version", scope.Version())
	if n := scope.DroppedAttributesCount(); n > 0 {
		add("scope_dropped_attributes_count", strconv.FormatUint(uint64(n), 10))
	}
}

// record adds one entry. Metadata that comes later wins where names are equal: resource, scope, attributes, the record's own fields.
func (m *otlpMapper) record(record plog.LogRecord) error {
	b := m.batch
	from := len(b.metadata)
	b.metadata = append(append(b.metadata, m.resource...), m.scope...)
	for name, value := range record.Attributes().All() {
		if m.rules.log.action(name) == actionMetadata {
			b.metadata = flatten(b.metadata, name, value)
		}
	}
	add := func(name, value string) { b.metadata = append(b.metadata, labels.Label{Name: name, Value: value}) }
	timestamp, observed := int64(record.Timestamp()), int64(record.ObservedTimestamp())
	switch {
	case timestamp != 0 && observed != 0:
		add("observed_timestamp", strconv.FormatInt(observed, 10))
	case timestamp == 0 && observed != 0:
		timestamp = observed
	case timestamp == 0:
		timestamp = m.now
	}
	if n := record.SeverityNumber(); n != 0 {
		add("severity_number", strconv.Itoa(int(n)))
	}
	if text := record.SeverityText(); text != "" && !m.rules.severityAsLabel {
		add("severity_text", text)
	}
	if n := record.DroppedAttributesCount(); n > 0 {
		add("dropped_attributes_count", strconv.FormatUint(uint64(n), 10))
	}
	if flags := record.Flags(); flags != 0 {
		add("flags", strconv.FormatUint(uint64(flags), 10))
	}
	if id := record.TraceID(); !id.IsEmpty() {
		add("trace_id", fmt.Sprintf("%x", id[:]))
	}
	if id := record.SpanID(); !id.IsEmpty() {
		add("span_id", fmt.Sprintf("%x", id[:]))
	}
	if name := record.EventName(); name != "" {
		add("event_name", name)
	}
	if len(b.metadata) > b.maxItems {
		return tooLarge("more than %d structured metadata pairs", b.maxItems)
	}
	entry := chunk.Entry{Timestamp: timestamp, Line: []byte(record.Body().AsString()), Metadata: b.metadataSince(from)}
	if err := b.addEntry(entry); err != nil {
		return err
	}
	return nil
}

// flatten adds an attribute to pairs. Maps become a pair for each member, with the names joined by "_".
func flatten(pairs []labels.Label, name string, value pcommon.Value) []labels.Label {
	if value.Type() != pcommon.ValueTypeMap {
		return append(pairs, labels.Label{Name: name, Value: value.AsString()})
	}
	for member, v := range value.Map().All() {
		pairs = flatten(pairs, name+"_"+member, v)
	}
	return pairs
}

// labelName makes an attribute's name a label name; one of which nothing is left stays, to be refused as a label.
func labelName(name string) string {
	if normalized, err := normalizeName(name); err == nil {
		return normalized
	}
	return name
}
