// Package strictyaml reads YAML files in which every key must be known.
//
// An unknown key is an error that names the key with its path and line and, where a known key is spelled much alike, that key.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"sort"
	"strings"

	"gopkg.in/yaml.v3"
)

// Unmarshal decodes the single YAML document in data into out, a pointer to a struct or a map. Fields that the document does not
// name keep their values, so out may hold defaults. An empty document changes nothing.
func Unmarshal(data []byte, out any) error {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	}
	var rest yaml.Node
	if err := decoder.Decode(&rest); !errors.Is(err, io.EOF) {
		if err != nil {
			return err
		}
		return fmt.Errorf("line %d: more than one document", rest.Line)
	}
	if len(document.Content) == 0 {
		return nil
	}
	return DecodeNode(document.Content[0], out)
}

// DecodeNode is Unmarshal for a node of a document.
func DecodeNode(node *yaml.Node, out any) error {
	if err := checkKeys(node, reflect.TypeOf(out), ""); err != nil {
		return err
	}
	if err := node.Decode(out); err != nil {
		return plain(err)
	}
	return nil
}

// plain joins the messages of a yaml.TypeError into one line.
func plain(err error) error {
	var types *yaml.TypeError
	if errors.As(err, &types) {
		return errors.New(strings.Join(types.Errors, "; "))
	}
	return err
}

// checkKeys compares the keys of node with the fields of t, recursively. Types that decode themselves are left alone.
func checkKeys(node *yaml.Node, t reflect.Type, path string) error {
	for node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if t == nodeType {
		return nil
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if _, decodesItself := reflect.PointerTo(t).MethodByName("UnmarshalYAML"); decodesItself {
		return nil
	}
	switch {
	case t.Kind() == reflect.Struct && node.Kind == yaml.MappingNode:
		return checkStruct(node, t, path)
	case t.Kind() == reflect.Map && node.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			if err := checkKeys(node.Content[i+1], t.Elem(), join(path, node.Content[i].Value)); err != nil {
				return err
			}
		}
	case t.Kind() == reflect.Slice && node.Kind == yaml.SequenceNode:
		for i, item := range node.Content {
			if err := checkKeys(item, t.Elem(), fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
	}
	return nil
}

var nodeType = reflect.TypeFor[yaml.Node]()

func checkStruct(node *yaml.Node, t reflect.Type, path string) error {
	fields := structFields(t)
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if key.Value == "<<" {
			if err := checkKeys(value, t, path); err != nil {
				return err
			}
			continue
		}
		field, known := fields[key.Value]
		if !known {
			return &UnknownKeyError{Key: join(path, key.Value), Line: key.Line, Meant: closest(key.Value, fields)}
		}
		if seen[key.Value] {
			return fmt.Errorf("line %d: key %q is given twice", key.Line, join(path, key.Value))
		}
		seen[key.Value] = true
		if err := checkKeys(value, field, join(path, key.Value)); err != nil {
			return err
		}
	}
	return nil
}

// UnknownKeyError says which key a file holds that nothing reads. Key is the path with dots; Meant is a known sibling spelled much
// alike, or empty.
type UnknownKeyError struct {
	Key   string
	Line  int
	Meant string
}

// Error implements error.
func (e *UnknownKeyError) Error() string {
	if e.Meant != "" {
		return fmt.Sprintf("line %d: unknown key %q, did you mean %q?", e.Line, e.Key, e.Meant)
	}
	return fmt.Sprintf("line %d: unknown key %q", e.Line, e.Key)
}

func structFields(t reflect.Type) map[string]reflect.Type {
	fields := map[string]reflect.Type{}
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() {
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == "-" {
			continue
		}
		if strings.Contains(options, "inline") {
			for k, v := range structFields(f.Type) {
				fields[k] = v
			}
			continue
		}
		if name == "" {
			name = strings.ToLower(f.Name)
		}
		fields[name] = f.Type
	}
	return fields
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// closest returns the known key nearest to key, if it is near enough to be a slip.
func closest(key string, fields map[string]reflect.Type) string {
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	sort.Strings(names)
	best, bestDistance := "", max(2, len(key)/4)+1
	for _, name := range names {
		if d := distance(key, name); d < bestDistance {
			best, bestDistance = name, d
		}
	}
	if best == "" {
		for _, name := range names {
			if strings.HasPrefix(key, name+"_") || strings.HasPrefix(name, key+"_") {
				return name
			}
		}
	}
	return best
}

// distance is the Levenshtein distance of two keys, "-" and "_" being equal.
func distance(a, b string) int {
	a, b = strings.ToLower(strings.ReplaceAll(a, "-", "_")), strings.ToLower(strings.ReplaceAll(b, "-", "_"))
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		previous := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := previous
			if a[i-1] != b[j-1] {
				cost++
			}
			previous = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
