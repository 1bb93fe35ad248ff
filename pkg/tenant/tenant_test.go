package tenant

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

func TestValidateID(t *testing.T) {
	for id, want := range map[string]string{
		"t1":                     "",
		"org-1.team_a":           "",
		"A!z-_.*'()9":            "",
		strings.Repeat("a", 150): "",
		"":                       "no org id",
		"a/b":                    "tenant ID 'a/b' contains unsupported character '/'",
		"../x":                   "tenant ID '../x' contains unsupported character '/'",
		"a b":                    "tenant ID 'a b' contains unsupported character ' '",
		"a\x00":                  "tenant ID 'a\x00' contains unsupported character '\x00'",
		"é":                      "tenant ID 'é' contains unsupported character 'Ã'",
		".":                      "tenant ID is '.' or '..'",
		"..":                     "tenant ID is '.' or '..'",
		strings.Repeat("a", 151): "tenant ID is too long: max 150 characters",
	} {
		err := ValidateID(id)
		if want == "" {
			require.NoError(t, err, id)
		} else {
			require.EqualError(t, err, want, id)
		}
	}
}

func TestParseIDs(t *testing.T) {
	ids, err := ParseIDs("b|a|b:k=v|a")
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, ids)

	id, err := ParseID("t1|t1")
	require.NoError(t, err)
	require.Equal(t, "t1", id)

	_, err = ParseID("a|b")
	require.ErrorIs(t, err, ErrMultipleIDs)
	for _, bad := range []string{"|", "a|", "", ":x"} {
		_, err := ParseIDs(bad)
		require.Error(t, err, bad)
	}
}

func FuzzParseIDs(f *testing.F) {
	for _, seed := range []string{"a", "a|b", "..", "a:b=c|d", "é", "../../etc"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		ids, err := ParseIDs(header)
		if err != nil {
			return
		}
		for _, id := range ids {
			if filepath.Base(id) != id || filepath.Clean(id) != id || id == ".." || id == "." || strings.ContainsAny(id, `/\`) {
				t.Fatalf("%q is no safe path element", id)
			}
		}
	})
}

func TestUnits(t *testing.T) {
	for text, want := range map[string]ByteSize{
		"256KB": 262144, "256kb": 262144, "256KiB": 262144, "3MB": 3 << 20, "3M": 3 << 20, "0": 0, "17": 17, "17B": 17,
		"1.5GB": 3 << 29, " 64 KB ": 65536, "1TB": 1 << 40,
	} {
		got, err := ParseByteSize(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
		back, err := ParseByteSize(got.String())
		require.NoError(t, err)
		require.Equal(t, got, back)
	}
	for _, bad := range []string{"", "x", "-1", "1XB", "B", "NaN", "1e300"} {
		_, err := ParseByteSize(bad)
		require.Error(t, err, bad)
	}
	for text, want := range map[string]time.Duration{"0": 0, "0s": 0, "1h30m": 90 * time.Minute, "7d": 168 * time.Hour, "1w": 168 * time.Hour, "1.5s": 1500 * time.Millisecond} {
		got, err := ParseDuration(text)
		require.NoError(t, err, text)
		require.Equal(t, Duration(want), got)
	}
}

func TestLimitsSurviveYAML(t *testing.T) {
	limits := DefaultLimits()
	require.NoError(t, limits.Validate())
	text, err := yaml.Marshal(limits)
	require.NoError(t, err)
	var back Limits
	require.NoError(t, yaml.Unmarshal(text, &back))
	again, err := yaml.Marshal(back)
	require.NoError(t, err)
	require.Equal(t, string(text), string(again))
}

func TestOverrides(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runtime.yaml")
	write := func(text string) {
		t.Helper()
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	write("overrides:\n  a: {ingestion_rate_mb: 9, discover_service_name: []}\n")
	defaults := DefaultLimits()
	defaults.DiscoverGenericFields = map[string][]string{"x": {"y"}}
	o, err := LoadOverrides(defaults, path)
	require.NoError(t, err)
	require.EqualValues(t, 9, o.For("a").IngestionRateMB)
	require.Empty(t, o.For("a").DiscoverServiceName)
	require.EqualValues(t, 4, o.For("b").IngestionRateMB)
	before := o.Of("a")

	write("overrides:\n  a: {ingestion_rate_md: 10}\n")
	_, err = o.Reload()
	require.ErrorContains(t, err, `overrides of tenant a: line 2: unknown key "ingestion_rate_md", did you mean "ingestion_rate_mb"?`)
	require.Same(t, before, o.Of("a"), "a bad file keeps the previous values")

	write("overrides:\n  ../b: {}\n")
	_, err = o.Reload()
	require.ErrorContains(t, err, "unsupported character")

	write("overrides:\n  b: {max_query_length: 7d, discover_generic_fields: {q: [r]}}\n")
	changed, err := o.Reload()
	require.NoError(t, err)
	require.True(t, changed)
	require.EqualValues(t, 4, o.For("a").IngestionRateMB)
	require.Equal(t, Duration(7*24*time.Hour), o.For("b").MaxQueryLength)
	require.NotContains(t, o.For("a").DiscoverGenericFields, "q", "overrides do not leak into the defaults")
	changed, err = o.Reload()
	require.NoError(t, err)
	require.False(t, changed)
}

func TestSmallest(t *testing.T) {
	a, b := DefaultLimits(), DefaultLimits()
	a.MaxQueryLookback, b.MaxQueryLookback = 0, Duration(time.Hour)
	b.MaxQuerySeries = 10
	merged, err := Smallest(&a, &b)
	require.NoError(t, err)
	require.Equal(t, Duration(time.Hour), merged.MaxQueryLookback)
	require.Equal(t, 10, merged.MaxQuerySeries)
}
