package ingest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/cambium-logs/cambium/pkg/tenant"
)

const otlpExample = `{"resourceLogs":[{"resource":{"attributes":[
   {"key":"service.name","value":{"stringValue":"otsvc"}},{"key":"deployment.environment","value":{"stringValue":"prod"}},
   {"key":"host.name","value":{"stringValue":"h1"}},{"key":"process.pid","value":{"intValue":"42"}},{"key":"empty","value":{"stringValue":""}}]},
 "scopeLogs":[{"scope":{"name":"scn","version":"1.2"},"logRecords":[
   {"timeUnixNano":"1795218084000000801","observedTimeUnixNano":"1795218084000000806","severityNumber":17,"severityText":"ERROR","body":{"stringValue":"hello otlp"},
    "attributes":[{"key":"http.method","value":{"stringValue":"GET"}},{"key":"service.name","value":{"stringValue":"lognm"}}],
    "flags":1,"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174"}]}]}]}`

func otlpProtobuf(t testing.TB, text string) []byte {
	t.Helper()
	request := plogotlp.NewExportRequest()
	require.NoError(t, request.UnmarshalJSON([]byte(text)))
	body, err := request.MarshalProto()
	require.NoError(t, err)
	return body
}

func (h *harness) otlp(contentType, encoding string, body []byte) error {
	h.t.Helper()
	b := NewBatch(Bounds{})
	defer b.Release()
	if err := h.receiver.DecodeOTLP("t1", contentType, encoding, body, Bounds{}, b); err != nil {
		return err
	}
	return h.receiver.Receive(h.t.Context(), "t1", b)
}

func TestOTLP(t *testing.T) {
	proto := otlpProtobuf(t, otlpExample)
	for name, send := range map[string]func(h *harness) error{
		"json":     func(h *harness) error { return h.otlp("application/json", "", []byte(otlpExample)) },
		"protobuf": func(h *harness) error { return h.otlp("application/x-protobuf", "", proto) },
		"gzip":     func(h *harness) error { return h.otlp("application/x-protobuf", "gzip", gzipped(proto)) },
		"zstd":     func(h *harness) error { return h.otlp("application/x-protobuf", "zstd", zstded(proto)) },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, nil)
			require.NoError(t, send(h))
			entries := h.sink.streams[`{deployment_environment="prod", service_name="otsvc"}`]
			require.Len(t, entries, 1)
			require.Equal(t, "hello otlp", string(entries[0].Line))
			require.EqualValues(t, 1795218084000000801, entries[0].Timestamp)
			require.Equal(t, `detected_level="error",flags="1",host_name="h1",http_method="GET",observed_timestamp="1795218084000000806",process_pid="42",`+
				`scope_name="scn",scope_version="1.2",service_name="lognm",severity_number="17",severity_text="ERROR",span_id="eee19b7ec3c1b174",`+
				`trace_id="5b8efff798038103d269b633813fc60c"`, showPairs(entries[0].Metadata))
		})
	}
}

// record is a request with one log record and one resource without attributes.
func record(fields string) []byte {
	return []byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1795218084000000000",` + fields + `}]}]}]}`)
}

func TestOTLPRecords(t *testing.T) {
	for fields, want := range map[string]string{
		`"severityNumber":9,"body":{"kvlistValue":{"values":[{"key":"a","value":{"stringValue":"b"}},{"key":"n","value":{"intValue":"5"}}]}}`: `{"a":"b","n":5} info`,
		`"body":{"intValue":"12"}`: `12 unknown`,
		`"flags":0`:                ` unknown`,
		`"severityText":"Warning","body":{"arrayValue":{"values":[{"stringValue":"q"},{"doubleValue":2.5}]}}`: `["q",2.5] warn`,
		`"severityNumber":9,"severityText":"SEVERE"`:                                                          ` SEVERE`,
		`"severityNumber":99,"body":{"stringValue":"sev99 error"}`:                                            `sev99 error unknown`,
	} {
		h := newHarness(t, nil)
		require.NoError(t, h.otlp("application/json", "", record(fields)))
		entries := h.sink.streams[`{service_name="unknown_service"}`]
		require.Len(t, entries, 1, fields)
		require.Equal(t, want, string(entries[0].Line)+" "+metadataValue(entries[0].Metadata, LevelLabel), fields)
	}
}

func TestOTLPAttributes(t *testing.T) {
	h := newHarness(t, nil)
	require.NoError(t, h.otlp("application/json", "", record(`"attributes":[
		{"key":"m","value":{"kvlistValue":{"values":[{"key":"x.y","value":{"stringValue":"z"}},{"key":"n","value":{"intValue":"5"}}]}}},
		{"key":"arr","value":{"arrayValue":{"values":[{"stringValue":"a"},{"intValue":"2"}]}}},{"key":"d","value":{"doubleValue":1.5}},
		{"key":"b","value":{"boolValue":true}},{"key":"raw","value":{"bytesValue":"AQI="}},{"key":"a..b--c","value":{"stringValue":"v"}},
		{"key":"1abc","value":{"stringValue":"w"}}]`)))
	entries := h.sink.streams[`{service_name="unknown_service"}`]
	require.Equal(t, `a_b_c="v",arr="[\"a\",2]",b="true",d="1.5",detected_level="unknown",key_1abc="w",m_n="5",m_x_y="z",raw="AQI="`, showPairs(entries[0].Metadata))
}

func TestOTLPConfig(t *testing.T) {
	h := newHarness(t, func(l *tenant.Limits) {
		l.OTLPConfig = tenant.OTLPConfig{
			SeverityTextAsLabel: true,
			ResourceAttributes: tenant.ResourceAttributes{AttributesConfig: []tenant.AttributeRule{
				{Action: tenant.ActionIndexLabel, Regex: "host.*"}, {Action: tenant.ActionDrop, Attributes: []string{"process.pid", "deployment.environment"}},
			}},
			LogAttributes: []tenant.AttributeRule{{Action: tenant.ActionDrop, Regex: "http.*"}},
		}
	})
	require.NoError(t, h.otlp("application/json", "", []byte(otlpExample)))
	entries := h.sink.streams[`{host_name="h1", service_name="otsvc", severity_text="ERROR"}`]
	require.Len(t, entries, 1)
	require.NotContains(t, showPairs(entries[0].Metadata), "process_pid")
	require.NotContains(t, showPairs(entries[0].Metadata), "http_method")
}

func TestOTLPRefuses(t *testing.T) {
	h := newHarness(t, nil)
	h.refused(h.otlp("text/plain", "", nil), 400, "content type: text/plain is not supported")
	h.refused(h.otlp("application/json; charset=utf-8", "", nil), 400, "content type: application/json; charset=utf-8 is not supported")
	h.refused(h.otlp("application/json", "br", nil), 400, "unsupported content encoding br: only gzip, lz4 and zstd are supported")
	h.refused(h.otlp("application/json", "", []byte(`{}`)), 422, "error at least one valid stream is required for ingestion")
	h.refused(h.otlp("application/json", "", record(`"attributes":[{"key":"é","value":{"stringValue":"x"}}]`)), 400,
		`symbolizer lookup: normalization for label name "é" resulted in invalid name "_"`)
	h.refused(h.otlp("application/json", "", record(`"attributes":[{"key":"","value":{"stringValue":"x"}}]`)), 400, `symbolizer lookup: label name is empty`)
	var deep []byte
	for range 200 {
		deep = append([]byte{0x0a, byte(len(deep)), byte(len(deep) >> 7)}, deep...)
	}
	require.Error(t, h.otlp("application/x-protobuf", "", deep))
	require.Error(t, h.otlp("application/json", "", record(`"body":`+strings.Repeat(`{"arrayValue":{"values":[`, 5000))))
}
