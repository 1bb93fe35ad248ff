package query

import (
	"bytes"
	"encoding/json"
	"strings"
)

// jsonPaths gives, for a line that is a JSON object, the path of keys behind every label name that the json parser makes of it. Where several
// keys make one name, the first counts.
func jsonPaths(line []byte) map[string][]string {
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.UseNumber()
	paths := map[string][]string{}
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	walkObject(dec, nil, paths)
	return paths
}

const maxJSONDepth = 64

func walkObject(dec *json.Decoder, path []string, paths map[string][]string) bool {
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return false
		}
		name, ok := key.(string)
		if !ok {
			return false
		}
		at := append(path[:len(path):len(path)], name)
		value, err := dec.Token()
		if err != nil {
			return false
		}
		switch value {
		case json.Delim('{'):
			if len(at) > maxJSONDepth || !walkObject(dec, at, paths) {
				return false
			}
		case json.Delim('['):
			if !skipArray(dec) {
				return false
			}
		default:
			label := pathName(at)
			if _, known := paths[label]; !known {
				paths[label] = at
			}
		}
	}
	_, err := dec.Token()
	return err == nil
}

func skipArray(dec *json.Decoder) bool {
	for depth := 1; depth > 0; {
		t, err := dec.Token()
		if err != nil {
			return false
		}
		switch t {
		case json.Delim('['), json.Delim('{'):
			depth++
		case json.Delim(']'), json.Delim('}'):
			depth--
		}
	}
	return true
}

// pathName joins keys as the json parser does.
func pathName(path []string) string {
	var b strings.Builder
	for i, key := range path {
		if i > 0 {
			b.WriteByte('_')
		}
		key = strings.TrimSpace(key)
		if i == 0 && key != "" && key[0] >= '0' && key[0] <= '9' {
			b.WriteByte('_')
		}
		for _, r := range key {
			if r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
				b.WriteRune(r)
			} else {
				b.WriteByte('_')
			}
		}
	}
	return b.String()
}
