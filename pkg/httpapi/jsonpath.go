package httpapi

import (
	"bytes"
	"encoding/json"
	"io"
)

// maxPathDepth is how deep jsonPaths looks.
const maxPathDepth = 64

// jsonPaths maps the names that the json parser gives to the members of an object to the keys that lead to them. What it cannot read
// is left out.
func jsonPaths(line []byte) map[string][]string {
	line = bytes.TrimSpace(line)
	if len(line) == 0 || line[0] != '{' {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	paths := map[string][]string{}
	if _, err := d.Token(); err != nil {
		return paths
	}
	_ = walkObject(d, nil, "", paths)
	return paths
}

// walkObject reads the members of an object whose opening brace is read.
func walkObject(d *json.Decoder, path []string, prefix string, paths map[string][]string) error {
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		key, ok := token.(string)
		if !ok || len(path) > maxPathDepth {
			return io.ErrUnexpectedEOF
		}
		name := sanitizeKey(key, prefix == "")
		if prefix != "" {
			name = prefix + "_" + name
		}
		at := append(path[:len(path):len(path)], key)
		if token, err = d.Token(); err != nil {
			return err
		}
		switch token {
		case json.Delim('{'):
			if err := walkObject(d, at, name, paths); err != nil {
				return err
			}
		case json.Delim('['):
			if err := skipArray(d); err != nil {
				return err
			}
		default:
			if _, seen := paths[name]; !seen {
				paths[name] = at
			}
		}
	}
	_, err := d.Token()
	return err
}

func skipArray(d *json.Decoder) error {
	for depth := 1; depth > 0; {
		token, err := d.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('['), json.Delim('{'):
			depth++
		case json.Delim(']'), json.Delim('}'):
			depth--
		}
	}
	return nil
}

// sanitizeKey is a key as part of a label name: what is no letter, digit or underscore becomes one, and a leading digit gets one in front.
func sanitizeKey(key string, leading bool) string {
	out := make([]byte, 0, len(key)+1)
	for i, r := range key {
		switch {
		case r == '_', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z':
			out = append(out, byte(r))
		case r >= '0' && r <= '9':
			if i == 0 && leading {
				out = append(out, '_')
			}
			out = append(out, byte(r))
		default:
			out = append(out, '_')
		}
	}
	return string(out)
}
