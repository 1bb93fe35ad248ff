package ingest

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/tenant"
)

// LevelLabel is the structured metadata that holds the level found in an entry.
const LevelLabel = "detected_level"

const levelUnknown = "unknown"

// levelDetector finds the level of entries: in their metadata, their stream's labels, or their line.
type levelDetector struct {
	fields   []string        // as configured, in order
	names    []string        // fields as they are called among labels and metadata
	wanted   map[string]bool // fields, for lines
	maxDepth int             // of JSON objects; 0: unlimited
}

func newLevelDetector(limits *tenant.Limits) *levelDetector {
	d := &levelDetector{fields: limits.LogLevelFields, maxDepth: max(limits.LogLevelFromJSONMaxDepth, 0), wanted: map[string]bool{}}
	for _, field := range d.fields {
		d.wanted[field] = true
		d.names = append(d.names, field)
		if name, err := normalizeName(field); err == nil && name != field {
			d.names = append(d.names, name)
		}
	}
	return d
}

// ofLabels is the level that the labels of a stream name, or "".
func (d *levelDetector) ofLabels(stream labels.Labels) string {
	for _, name := range d.names {
		if v := stream.Get(name); v != "" {
			return normalizeLevel(v)
		}
	}
	return ""
}

// detect gives the level of an entry whose metadata is sorted and holds no detected_level. streamLevel is what ofLabels found.
func (d *levelDetector) detect(streamLevel string, metadata []labels.Label, line []byte) string {
	if streamLevel != "" {
		return streamLevel
	}
	if len(metadata) > 0 {
		for _, name := range d.names {
			if v := metadataValue(metadata, name); v != "" {
				return normalizeLevel(v)
			}
		}
		if v := metadataValue(metadata, "severity_number"); v != "" {
			return levelOfSeverity(v)
		}
	}
	return d.ofLine(line)
}

func metadataValue(metadata []labels.Label, name string) string {
	for i := range metadata {
		if metadata[i].Name == name {
			return metadata[i].Value
		}
	}
	return ""
}

// levelOfSeverity reads an OpenTelemetry severity number, 1 to 24.
func levelOfSeverity(text string) string {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 24 {
		return levelUnknown
	}
	return [...]string{"trace", "debug", "info", "warn", "error", "fatal"}[(n-1)/4]
}

// ofLine looks for the level in the members of a JSON object, in logfmt pairs, and at last for a word anywhere.
func (d *levelDetector) ofLine(line []byte) string {
	if trimmed := bytes.TrimSpace(line); len(trimmed) > 1 && trimmed[0] == '{' && trimmed[len(trimmed)-1] == '}' {
		if level, ok := knownLevel(d.fromJSON(trimmed)); ok {
			return level
		}
	} else if bytes.IndexByte(line, '=') >= 0 {
		if level, ok := knownLevel(d.fromLogfmt(line)); ok {
			return level
		}
	}
	return levelFromWords(line)
}

// fromJSON returns the first string member with a wanted name, in document order. It stops quietly where the text is broken.
func (d *levelDetector) fromJSON(text []byte) []byte {
	depth, inArray := 0, 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '{':
			depth++
		case '}':
			depth--
		case '[':
			inArray++
		case ']':
			inArray--
		case '"':
			end := stringEnd(text, i)
			if end < 0 {
				return nil
			}
			name := text[i+1 : end]
			i = end
			next := skipBlanks(text, end+1)
			if next >= len(text) || text[next] != ':' {
				continue // a value
			}
			value := skipBlanks(text, next+1)
			i = value - 1
			if inArray > 0 || (d.maxDepth > 0 && depth > d.maxDepth) || value >= len(text) || text[value] != '"' || !d.wanted[string(name)] {
				continue
			}
			if end = stringEnd(text, value); end < 0 {
				return nil
			}
			if end > value+1 {
				return text[value+1 : end]
			}
			i = end
		}
	}
	return nil
}

// stringEnd is the index of the quote that ends the string that starts at index start, or -1.
func stringEnd(text []byte, start int) int {
	for i := start + 1; i < len(text); {
		quote := bytes.IndexByte(text[i:], '"')
		if quote < 0 {
			return -1
		}
		end := i + quote
		backslashes := 0
		for end-1-backslashes > start && text[end-1-backslashes] == '\\' {
			backslashes++
		}
		if backslashes%2 == 0 {
			return end
		}
		i = end + 1
	}
	return -1
}

func skipBlanks(text []byte, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\t' || text[i] == '\n' || text[i] == '\r') {
		i++
	}
	return i
}

// fromLogfmt returns the first non-empty value of a wanted key.
func (d *levelDetector) fromLogfmt(line []byte) []byte {
	for i := 0; i < len(line); {
		equals := bytes.IndexByte(line[i:], '=')
		if equals < 0 {
			return nil
		}
		equals += i
		key := line[i:equals]
		if blank := bytes.LastIndexAny(key, " \t"); blank >= 0 {
			key = key[blank+1:]
		}
		start, end := equals+1, 0
		if start < len(line) && line[start] == '"' {
			if end = stringEnd(line, start); end < 0 {
				return nil
			}
			start++
			i = end + 1
		} else {
			end = start
			for end < len(line) && line[end] > ' ' {
				end++
			}
			i = end
		}
		if end > start && d.wanted[string(key)] {
			return line[start:end]
		}
	}
	return nil
}

// normalizeLevel gives the common name of a level; what is no level stays as it is.
func normalizeLevel(text string) string {
	if level, ok := knownLevelText(text); ok {
		return level
	}
	return text
}

func knownLevel(text []byte) (string, bool) {
	if len(text) == 0 {
		return "", false
	}
	return knownLevelText(alias(text))
}

func knownLevelText(text string) (string, bool) {
	for i := range levelNames {
		if strings.EqualFold(levelNames[i].name, text) {
			return levelNames[i].level, true
		}
	}
	return "", false
}

var levelNames = [...]struct{ name, level string }{
	{"info", "info"}, {"error", "error"}, {"warn", "warn"}, {"debug", "debug"}, {"trace", "trace"}, {"fatal", "fatal"},
	{"critical", "critical"}, {"warning", "warn"}, {"err", "error"}, {"inf", "info"}, {"information", "info"}, {"dbg", "debug"},
	{"wrn", "warn"}, {"trc", "trace"},
}

// levelWords are the words looked for in lines, by first letter; where one is a prefix of another the longer stands first.
var levelWords = [256][]struct{ word, level string }{
	't': {{"trace", "trace"}},
	'd': {{"debug", "debug"}},
	'f': {{"fatal", "fatal"}},
	'c': {{"critical", "critical"}},
	'e': {{"error", "error"}, {"err", "error"}},
	'w': {{"warning", "warn"}, {"warn", "warn"}},
	'i': {{"info", "info"}},
}

var wordStart, wordEnd = func() (start, end [256]bool) {
	for _, c := range []byte(" \t\n[({\"'=|") {
		start[c], end[c] = true, true
	}
	for _, c := range []byte("])}:,!") {
		end[c] = true
	}
	return start, end
}()

// levelFromWords finds the earliest level word that stands alone.
func levelFromWords(line []byte) string {
	boundary := true
	for i, c := range line {
		if !boundary {
			boundary = wordStart[c]
			continue
		}
		boundary = wordStart[c]
		for _, candidate := range levelWords[c|0x20] {
			end := i + len(candidate.word)
			if end <= len(line) && (end == len(line) || wordEnd[line[end]]) && foldsTo(line[i:end], candidate.word) {
				return candidate.level
			}
		}
	}
	return levelUnknown
}

// foldsTo reports whether text is word, which is lower-case ASCII, in any case.
func foldsTo(text []byte, word string) bool {
	for i, c := range text {
		if c|0x20 != word[i] {
			return false
		}
	}
	return true
}
