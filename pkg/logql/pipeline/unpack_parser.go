package pipeline

import "errors"

var errNotPacked = errors.New("expecting json object(6), but it is not")

// packedLine is the member that holds the line of a packed entry.
const packedLine = "_entry"

// unpackParser is | unpack: it undoes what a "pack" stage of an agent did. The string members of the object become labels, and
// _entry the line.
type unpackParser struct{}

func (unpackParser) apply(e *entry) bool {
	if len(e.line) == 0 {
		return true
	}
	if e.line[0] != '{' {
		e.setError(ErrJSONParser, errNotPacked.Error())
		return true
	}
	mark := len(e.parsed)
	line, packed, err := unpackObject(e, e.line)
	if err != nil {
		e.setError(ErrJSONParser, err.Error())
	}
	if err != nil || !packed {
		for len(e.parsed) > mark {
			e.delete(e.parsed[len(e.parsed)-1].label)
		}
		return true
	}
	e.line = line
	return true
}

// unpackObject extracts the string members of b and returns the line among them.
func unpackObject(e *entry, b []byte) (line []byte, packed bool, err error) {
	i := jsonBlank(b, 1)
	if i >= len(b) {
		return nil, false, errJSONBroken
	}
	for pos := 0; ; pos++ {
		switch {
		case i >= len(b):
			return nil, false, errJSONArray
		case b[i] == '}':
			return line, packed, nil
		case b[i] != '"':
			return nil, false, errJSONObject
		}
		end, escaped := jsonStringEnd(b, i+1)
		if end < 0 {
			return nil, false, errJSONBroken
		}
		name := b[i+1 : end]
		if escaped {
			var ok bool
			if name, ok = unescapeJSON(nil, name); !ok {
				return nil, false, errJSONEscape
			}
		}
		if i = jsonBlank(b, end+1); i >= len(b) || b[i] != ':' {
			return nil, false, errJSONBroken
		}
		v, next, err := scanJSONValue(b, i+1)
		if err != nil {
			return nil, false, err
		}
		switch {
		case v.kind != jsonString:
		case string(name) == packedLine:
			if !packed {
				line, packed = viewBytes(v.text(e)), true
			}
		default:
			if k := e.keys.find(e, name, pos); k.label != nil {
				if t := e.target(k.label); t != nil {
					e.add(t, v.text(e))
				}
			}
		}
		if i = jsonBlank(b, next); i >= len(b) {
			return nil, false, errJSONArray
		}
		switch b[i] {
		case '}':
			return line, packed, nil
		case ',':
			i = jsonBlank(b, i+1)
		default:
			return nil, false, errJSONObject
		}
	}
}
