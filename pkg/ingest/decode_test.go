package ingest

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"
)

// show writes a batch as one line per stream.
func show(b *Batch) string {
	var out strings.Builder
	for _, s := range b.Streams {
		fmt.Fprintf(&out, "%s", s.Labels)
		for _, e := range s.Entries {
			fmt.Fprintf(&out, " [%d %q %s]", e.Timestamp, e.Line, showPairs(e.Metadata))
		}
		out.WriteByte('\n')
	}
	return out.String()
}

func showPairs(pairs []labels.Label) string {
	var out []string
	for _, p := range pairs {
		out = append(out, fmt.Sprintf("%s=%q", p.Name, p.Value))
	}
	return strings.Join(out, ",")
}

func decode(t *testing.T, contentType, encoding string, body []byte) (string, error) {
	t.Helper()
	b := NewBatch(Bounds{})
	defer b.Release()
	err := DecodePush(contentType, encoding, false, body, Bounds{MaxDecompressed: 1 << 20}, b)
	return show(b), err
}

func TestDecodeJSON(t *testing.T) {
	for in, want := range map[string]string{
		`null`:                    "",
		`{}`:                      "",
		`{"streams":null}`:        "",
		`{"streams":[]}`:          "",
		`{"streams":[{}]}`:        "{}\n",
		`{"streams":[]} trailing`: "",
		`{"x":{"a":[1,2,{"b":null}],"c":"}"},"streams":[]}`:                                                "",
		`{"streams":[{"stream":{"b":"2","a":"1"},"values":[["5","x"]]}]}`:                                  "{a=\"1\", b=\"2\"} [5 \"x\" ]\n",
		`{"streams":[{"values":[["-5","x"]],"stream":{"a":"1"}}]}`:                                         "{a=\"1\"} [-5 \"x\" ]\n",
		`{"streams":[{"stream":{"a":"1","a":"2"},"values":[]}]}`:                                           "{a=\"2\"}\n",
		`{"streams":[{"stream":{"a":5,"b":null,"c":{"x": "y"}},"values":null}]}`:                           "{a=\"5\", b=\"null\", c=\"{\\\"x\\\": \\\"y\\\"}\"}\n",
		`{"streams":[{"stream":{"a":"1"},"values":[null,["5"],["6","y",{"k":"v"},7]]}]}`:                   "{a=\"1\"} [5 \"\" ] [6 \"y\" k=\"v\"]\n",
		"\n {\"streams\" :\t[ { \"stream\" : { \"a\" : \"1\" } , \"values\" : [ [ \"5\" , \"x\" ] ] } ] }": "{a=\"1\"} [5 \"x\" ]\n",
		`{"streams":[{"stream":{"a":"\u00e9\ud83d\ude00\ud83d\n\"\\\/"},"values":[["5","\u0000\tü"]]}]}`:   "{a=\"é😀\ufffd\\n\\\"\\\\/\"} [5 \"\\x00\\tü\" ]\n",
		`{"streams":[{"stream":{"a":"1"},"values":[["5","` + "\xff" + `"]]}]}`:                             "{a=\"1\"} [5 \"\\xff\" ]\n",
	} {
		got, err := decode(t, "application/json; charset=utf-8", "", []byte(in))
		require.NoError(t, err, in)
		require.Equal(t, want, got, in)
	}
	for _, in := range []string{
		``, ` `, `[]`, `"x"`, `{`, `{"streams":{}}`, `{"streams":[5]}`, `{"streams":[null]}`, `{"streams":[{}`, `{"streams":[{"stream":5}]}`,
		`{"streams":[{"stream":"{a=\"1\"}"}]}`, `{"streams":[{"values":5}]}`, `{"streams":[{"values":[5]}]}`, `{"streams":[{"values":[[]]}]}`,
		`{"streams":[{"values":[[5,"x"]]}]}`, `{"streams":[{"values":[["1.5","x"]]}]}`, `{"streams":[{"values":[["abc","x"]]}]}`,
		`{"streams":[{"values":[["99999999999999999999","x"]]}]}`, `{"streams":[{"values":[["5",5]]}]}`, `{"streams":[{"values":[["5",null]]}]}`,
		`{"streams":[{"values":[["5","x",null]]}]}`, `{"streams":[{"values":[["5","x",[]]]}]}`, `{"streams":[{"values":[["5","x",{"k":5}]]}]}`,
		`{"streams":[{"stream":{},values:[]}]}`, `{"streams":[{"stream":{"a":"\x"}}]}`, `{"streams":[{"stream":{"a":"\u12"}}]}`,
		`{"streams":[{"stream":{"a":"1",}}]}`, `{"streams":[{"values":[["5","x"],]}]}`, `{"streams":[{"x":` + strings.Repeat("[", 10000) + `}]}`,
		`{"streams":[{"stream":{"a":"1"},"values":[["5","x"`, `{"a":tru`,
	} {
		_, err := decode(t, "application/json", "", []byte(in))
		var refusal *Error
		require.ErrorAs(t, err, &refusal, in)
		require.Equal(t, 400, refusal.Status, in)
		require.NotEmpty(t, refusal.Message)
	}
	_, err := decode(t, "application/json", "", nil)
	require.EqualError(t, err, "EOF")
}

func TestDecodeLegacyJSON(t *testing.T) {
	b := NewBatch(Bounds{})
	defer b.Release()
	require.NoError(t, DecodeLegacyJSON([]byte(`{"streams":[{"labels":"{app=\"web\"}","entries":[
		{"ts":"2026-11-20T23:41:24.123456789Z","line":"x","structuredMetadata":{"k":"v"}},{"ts":"2026-11-20T23:41:24+01:00","line":"y"}]}]}`), b))
	require.Equal(t, "{app=\"web\"} [1795218084123456789 \"x\" k=\"v\"] [1795214484000000000 \"y\" ]\n", show(b))
	require.Error(t, DecodeLegacyJSON([]byte(`{"streams":[{"entries":[{"ts":"yesterday","line":"x"}]}]}`), b))
}

const worked = "0a390a147b6170703d2270726f746f222c20783d2279227d12210a0c08ddb783d80610a0f3baba0312077062206c696e651a080a03612d62120131"

func TestDecodeProtobuf(t *testing.T) {
	message, err := hex.DecodeString(worked)
	require.NoError(t, err)
	want := "{app=\"proto\", x=\"y\"} [1795218397927906208 \"pb line\" a-b=\"1\"]\n"
	block := snappy.Encode(nil, message)
	literal, err := hex.DecodeString("3be8" + worked)
	require.NoError(t, err)
	for _, body := range [][]byte{block, literal} {
		got, err := decode(t, "application/x-protobuf", "", body)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for encoding, body := range map[string][]byte{"snappy": block, "gzip": gzipped(block), "deflate": deflated(block), "zstd": zstded(block)} {
		got, err := decode(t, "anything/else", encoding, body)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for i := range block {
		_, err := decode(t, "application/x-protobuf", "", block[:i])
		require.Error(t, err, "truncated at %d", i)
	}
}

func TestDecodeRefuses(t *testing.T) {
	long := append([]byte{0x80, 0x80, 0x80, 0x80, 0x0f}, 0) // claims to become 4 GiB
	for name, tc := range map[string]struct {
		contentType, encoding string
		body                  []byte
		status                int
		message               string
	}{
		"no type":            {"", "", nil, 400, "mime: no media type"},
		"bad type":           {"a/b; =", "", nil, 400, "mime: invalid media parameter"},
		"unknown encoding":   {"application/json", "br", nil, 400, `Content-Encoding "br" not supported`},
		"not gzip":           {"application/json", "gzip", []byte("{}xxxxxxxxxxxx"), 400, "gzip: invalid header"},
		"not snappy":         {"x/y", "", []byte("garbage"), 400, "snappy: corrupt input"},
		"empty protobuf":     {"x/y", "", nil, 400, "snappy: corrupt input"},
		"false length":       {"x/y", "", long, 413, "request body too large: decompressed message size too large: more than 1048576 bytes"},
		"length without end": {"x/y", "", []byte{0xff, 0xff, 0x3f, 0}, 400, "snappy: corrupt input"},
		"gzip bomb":          {"application/json", "gzip", gzipped(make([]byte, 2<<20)), 413, "request body too large: decompressed message size too large: more than 1048576 bytes"},
		"deflate bomb":       {"application/json", "deflate", deflated(make([]byte, 2<<20)), 413, "request body too large: decompressed message size too large: more than 1048576 bytes"},
		"zstd bomb":          {"application/json", "zstd", zstded(make([]byte, 2<<20)), 413, "request body too large: decompressed message size too large: more than 1048576 bytes"},
		"snappy bomb":        {"x/y", "", snappy.Encode(nil, make([]byte, 2<<20)), 413, "request body too large: decompressed message size too large: more than 1048576 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := decode(t, tc.contentType, tc.encoding, tc.body)
			var refusal *Error
			require.ErrorAs(t, err, &refusal)
			require.Equal(t, tc.status, refusal.Status)
			require.Equal(t, tc.message, refusal.Message)
		})
	}
	b := NewBatch(Bounds{})
	defer b.Release()
	require.ErrorContains(t, DecodePush("x/y", "", false, make([]byte, 11), Bounds{MaxBody: 10}, b), "request body too large: message size too large")
}

func TestDecodeBoundsItems(t *testing.T) {
	b := NewBatch(Bounds{MaxItems: 10})
	defer b.Release()
	require.ErrorContains(t, DecodeProtobuf(bytes.Repeat([]byte{0x0a, 0}, 11), b), "more than 10 streams")
	stream := append([]byte{0x0a, 22}, bytes.Repeat([]byte{0x12, 0}, 11)...)
	require.ErrorContains(t, DecodeProtobuf(stream, NewBatch(Bounds{MaxItems: 10})), "more than 10 entries")
}

func gzipped(data []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(data)
	w.Close()
	return out.Bytes()
}

func deflated(data []byte) []byte {
	var out bytes.Buffer
	w, _ := flate.NewWriter(&out, 6)
	w.Write(data)
	w.Close()
	return out.Bytes()
}

func zstded(data []byte) []byte {
	w, _ := zstd.NewWriter(nil)
	return w.EncodeAll(data, nil)
}

func TestParseLabels(t *testing.T) {
	for text, want := range map[string]string{
		``:                      ``,
		`{}`:                    ``,
		`{app="x",}`:            `app="x"`,
		`{ app = "x" }`:         `app="x"`,
		`{app='x'}`:             `app="x"`,
		"{app=`x`}":             `app="x"`,
		`{app="a\"b\\c\nd"}`:    `app="a\"b\\c\nd"`,
		`{app="x", env="prod"}`: `app="x",env="prod"`,
		`{app="x",env="prod" }`: `app="x",env="prod"`,
		`{"a.b"="c"}`:           `a.b="c"`,
		`{by="x",sum="y"}`:      `by="x",sum="y"`,
		`{__name__="x"}`:        `__name__="x"`,
		`{app="x", app="y"}`:    `app="x",app="y"`,
		`{app="日本", env="😀 ,"}`: `app="日本",env="😀 ,"`,
	} {
		pairs, err := parseLabels(text, nil)
		require.NoError(t, err, text)
		require.Equal(t, want, showPairs(pairs), text)
	}
	for text, want := range map[string]string{
		`{a.b="c"}`:       `1:3: parse error: unexpected character inside braces: '.'`,
		`{app=x}`:         `1:6: parse error: unexpected identifier "x" in label set, expected string`,
		`{app=~"x"}`:      `1:5: parse error: unexpected <op:=~> in label set, expected "="`,
		`app="x"`:         `1:4: parse error: unexpected "="`,
		`{app="x"`:        `1:9: parse error: unexpected end of input inside braces`,
		`{bad-label="x"}`: `1:5: parse error: unexpected character inside braces: '-'`,
		`{1a="x"}`:        `1:2: parse error: unexpected character inside braces: '1'`,
		`{="x"}`:          `1:2: parse error: unexpected "=" in label set, expected identifier or "}"`,
	} {
		_, err := parseLabels(text, nil)
		require.EqualError(t, err, want, text)
	}
}
