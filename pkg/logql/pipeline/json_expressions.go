package pipeline

import (
	"bytes"

	"github.com/cambium-logs/cambium/pkg/logql"
)

// jsonExpressions is | json st="response.status", …: only the labels asked for, each set even when its path leads nowhere.
type jsonExpressions struct {
	root  pathNode
	slots []int
}

// pathNode is a place in the tree of all paths.
type pathNode struct {
	labels []int // indices of the extractions whose path ends here
	keys   map[string]*pathNode
	items  map[int]*pathNode
	last   int // largest index of items
}

func newJSONExpressions(c *compiler, s *logql.JSONParser) (stage, error) {
	p := &jsonExpressions{}
	for i, x := range s.Extractions {
		steps, err := parseJSONPath(x.Path)
		if err != nil {
			return nil, stageError(s, err)
		}
		n := &p.root
		for _, st := range steps {
			n = n.child(st)
		}
		n.labels = append(n.labels, i)
		p.slots = append(p.slots, c.slot(x.Name))
	}
	return p, nil
}

func (n *pathNode) child(st pathStep) *pathNode {
	if st.index >= 0 {
		if n.items == nil {
			n.items = make(map[int]*pathNode)
		}
		n.last = max(n.last, st.index)
		if n.items[st.index] == nil {
			n.items[st.index] = &pathNode{}
		}
		return n.items[st.index]
	}
	if n.keys == nil {
		n.keys = make(map[string]*pathNode)
	}
	if n.keys[st.key] == nil {
		n.keys[st.key] = &pathNode{}
	}
	return n.keys[st.key]
}

func (p *jsonExpressions) apply(e *entry) bool {
	if len(e.line) == 0 || e.satisfied() {
		return true
	}
	switch e.line[0] {
	case '{', '[', '"':
	default:
		e.setError(ErrJSONParser, "")
		return true
	}
	x := jsonExtraction{entry: e, parser: p, left: len(p.slots)}
	if err := x.line(e.line); err != nil {
		e.setError(ErrJSONParser, err.Error())
	}
	for i, slot := range p.slots {
		if !x.found(i) {
			e.extractMissing(e.slots[slot])
		}
	}
	return true
}

// jsonExtraction is one pass over a line. It tolerates broken text around what it looks for: only a wanted value that is itself
// broken is an error.
type jsonExtraction struct {
	entry  *entry
	parser *jsonExpressions
	left   int    // extractions without a value
	seen   uint64 // of the first 64 extractions, those with a value
	many   map[int]bool
}

func (x *jsonExtraction) found(i int) bool {
	if i < 64 {
		return x.seen&(1<<i) != 0
	}
	return x.many[i]
}

func (x *jsonExtraction) mark(i int) {
	if i < 64 {
		x.seen |= 1 << i
	} else {
		if x.many == nil {
			x.many = make(map[int]bool)
		}
		x.many[i] = true
	}
	x.left--
}

// line looks into all values of a line, as far as brackets are balanced.
func (x *jsonExtraction) line(b []byte) error {
	root := &x.parser.root
	for i := 0; i < len(b) && x.left > 0; {
		switch b[i] {
		case '{', '[', '"':
			if err := x.value(root, b, i); err != nil {
				return err
			}
			quoted := b[i] == '"'
			if i = skipJSON(b, i); i < 0 {
				return nil
			}
			if j := jsonBlank(b, i); quoted && j < len(b) && b[j] == ':' {
				return nil
			}
		case '}', ']':
			return nil
		default:
			i++
		}
	}
	return nil
}

// value looks into the object or array at b[i] for what n wants.
func (x *jsonExtraction) value(n *pathNode, b []byte, i int) error {
	switch {
	case i >= len(b):
		return nil
	case b[i] == '{' && n.keys != nil:
		return x.object(n, b, i+1)
	case b[i] == '[' && n.items != nil:
		return x.array(n, b, i+1)
	}
	return nil
}

func (x *jsonExtraction) object(n *pathNode, b []byte, i int) error {
	for i < len(b) && x.left > 0 {
		switch b[i] {
		case '"':
			end, escaped := jsonStringEnd(b, i+1)
			if end < 0 {
				return nil
			}
			name := b[i+1 : end]
			i = jsonBlank(b, end+1)
			if i >= len(b) || b[i] != ':' {
				continue
			}
			if escaped {
				name, _ = unescapeJSON(nil, name)
			}
			i = jsonBlank(b, i+1)
			child := n.keys[string(name)]
			if child != nil {
				if err := x.visit(child, b, i); err != nil {
					return err
				}
			}
			if i = skipJSON(b, i); i < 0 {
				return nil
			}
		case '}':
			return nil
		case '{', '[':
			if i = skipJSON(b, i); i < 0 {
				return nil
			}
		default:
			i++
		}
	}
	return nil
}

func (x *jsonExtraction) array(n *pathNode, b []byte, i int) error {
	for at := 0; at <= n.last && x.left > 0; at++ {
		i = jsonBlank(b, i)
		if i >= len(b) || b[i] == ']' {
			return nil
		}
		if child := n.items[at]; child != nil {
			if err := x.visit(child, b, i); err != nil {
				return err
			}
		}
		if i = skipJSON(b, i); i < 0 {
			return nil
		}
		if i = jsonBlank(b, i); i >= len(b) || b[i] != ',' {
			return nil
		}
		i++
	}
	return nil
}

// visit takes the value at b[i] for the extractions that end at n, and goes on below it. The first value of a path counts.
func (x *jsonExtraction) visit(n *pathNode, b []byte, i int) error {
	wanted := false
	for _, l := range n.labels {
		wanted = wanted || !x.found(l)
	}
	if wanted {
		v, _, err := scanJSONValue(b, i)
		if err != nil {
			return err
		}
		var value string
		switch v.kind {
		case jsonNull:
		case jsonObject, jsonArray:
			value = x.entry.cleanUTF8(v.raw)
		default:
			value = v.text(x.entry)
		}
		for _, l := range n.labels {
			if x.found(l) {
				continue
			}
			x.mark(l)
			if target := x.entry.slots[x.parser.slots[l]]; v.kind == jsonNull {
				x.entry.extractMissing(target)
			} else {
				x.entry.extract(target, value)
			}
		}
	}
	return x.value(n, b, i)
}

// skipJSON returns the index behind the value that begins at b[i], taking any other text as a token, or -1 at the end of b.
func skipJSON(b []byte, i int) int {
	if i >= len(b) {
		return -1
	}
	switch b[i] {
	case '"':
		end, _ := jsonStringEnd(b, i+1)
		if end < 0 {
			return -1
		}
		return end + 1
	case '{':
		return jsonBlockEnd(b, i, '{', '}')
	case '[':
		return jsonBlockEnd(b, i, '[', ']')
	}
	if n := bytes.IndexAny(b[i:], ",}]\""); n >= 0 {
		return i + n
	}
	return -1
}
