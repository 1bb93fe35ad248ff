package strictyaml

import (
	"testing"

	"github.com/stretchr/testify/require"
)

type file struct {
	Listen string         `yaml:"listen"`
	Limits limits         `yaml:"limits"`
	List   []limits       `yaml:"list"`
	Map    map[string]int `yaml:"map"`
}

type limits struct {
	IngestionRateMB float64 `yaml:"ingestion_rate_mb"`
	MaxLineSize     int     `yaml:"max_line_size"`
}

func TestUnmarshal(t *testing.T) {
	for name, tc := range map[string]struct{ in, err string }{
		"empty":          {"", ""},
		"comment":        {"# nothing\n", ""},
		"known":          {"limits: {max_line_size: 5}", ""},
		"free map keys":  {"map: {anything: 1}", ""},
		"slip":           {"limits:\n  ingestion_rate_md: 5", `line 2: unknown key "limits.ingestion_rate_md", did you mean "ingestion_rate_mb"?`},
		"dashes":         {"limits: {max-line-size: 5}", `line 1: unknown key "limits.max-line-size", did you mean "max_line_size"?`},
		"suffix":         {"limits_config: {}", `line 1: unknown key "limits_config", did you mean "limits"?`},
		"unlike any":     {"colour: red", `line 1: unknown key "colour"`},
		"in a list":      {"list: [{max_line_size: 1}, {x: 1}]", `line 1: unknown key "list[1].x"`},
		"twice":          {"listen: a\nlisten: b", `line 2: key "listen" is given twice`},
		"wrong type":     {"limits: {max_line_size: many}", "line 1: cannot unmarshal !!str `many` into int"},
		"more documents": {"listen: a\n---\nlisten: b", "line 2: more than one document"},
	} {
		t.Run(name, func(t *testing.T) {
			f := file{Listen: "kept"}
			err := Unmarshal([]byte(tc.in), &f)
			if tc.err == "" {
				require.NoError(t, err)
				require.Equal(t, "kept", f.Listen)
				return
			}
			require.EqualError(t, err, tc.err)
		})
	}
}
