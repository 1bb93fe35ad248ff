package pipeline

// maxJSONDepth is how deep nested objects are flattened. What lies deeper gives no labels.
const maxJSONDepth = 128

// jsonParser is | json: every scalar of the object becomes a label, named by the keys on the way joined with '_'.
type jsonParser struct{}

func (jsonParser) apply(e *entry) bool {
	if e.satisfied() {
		return true
	}
	line := e.line
	i := jsonBlank(line, 0)
	if i >= len(line) || line[i] != '{' {
		e.setError(ErrJSONParser, errJSONObject.Error())
		return true
	}
	if err := parseJSONObject(e, e.keys, line[i:]); err != nil {
		e.setError(ErrJSONParser, err.Error())
	}
	return true
}

// parseJSONObject extracts the members of the object that b begins with. It stops early, without an error, when nothing more is
// needed.
func parseJSONObject(e *entry, keys *keyTable, b []byte) error {
	i := jsonBlank(b, 1)
	if i >= len(b) {
		return errJSONBroken
	}
	for pos := 0; ; pos++ {
		switch {
		case i >= len(b):
			return errJSONArray // as the reference says it
		case b[i] == '}':
			return nil
		case b[i] != '"':
			return errJSONObject
		}
		end, escaped := jsonStringEnd(b, i+1)
		if end < 0 {
			return errJSONBroken
		}
		name := b[i+1 : end]
		if escaped {
			start := len(e.arena)
			decoded, ok := unescapeJSON(e.arena, name)
			if !ok {
				return errJSONEscape
			}
			e.arena = decoded
			name = decoded[start:]
		}
		if i = jsonBlank(b, end+1); i >= len(b) || b[i] != ':' {
			return errJSONBroken
		}
		v, next, err := scanJSONValue(b, i+1)
		if err != nil {
			return err
		}
		if k := keys.find(e, name, pos); v.kind == jsonObject {
			if k.within && keys.depth < maxJSONDepth {
				if err := parseJSONObject(e, k.table(keys), v.raw); err != nil {
					return err
				}
			}
		} else if k.wanted && v.kind != jsonNull && v.kind != jsonArray {
			if t := e.target(k.label); t != nil {
				e.add(t, v.text(e))
			}
		}
		if e.satisfied() {
			return nil
		}
		if i = jsonBlank(b, next); i >= len(b) {
			return errJSONArray
		}
		switch b[i] {
		case '}':
			return nil
		case ',':
			i = jsonBlank(b, i+1)
		default:
			return errJSONObject
		}
	}
}
