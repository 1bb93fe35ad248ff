package pipeline

// keyTable maps the raw keys at one place of a line's structure to label names, so that sanitising and joining a name happens
// once per distinct key. Lines of one stream mostly have the same keys in the same order: seq remembers it, and most look-ups
// are one comparison.
type keyTable struct {
	prefix string // the name made of the keys above
	depth  int
	seq    []*key
	byRaw  map[string]*key
}

// key is one raw key and the label it stands for.
type key struct {
	raw    string
	label  *label // nil when the key gives no name
	wanted bool   // the label or its _extracted form is read by somebody
	within bool   // some label below this key may be wanted
	below  *keyTable
}

// maxSeq bounds the remembered order of keys.
const maxSeq = 256

// find returns the key for raw, at position pos among the keys of this line.
func (t *keyTable) find(e *entry, raw []byte, pos int) *key {
	if pos < len(t.seq) && t.seq[pos].raw == string(raw) {
		return t.seq[pos]
	}
	k, ok := t.byRaw[string(raw)]
	if !ok {
		k = t.add(e, raw)
	}
	switch {
	case pos < len(t.seq):
		t.seq[pos] = k
	case pos == len(t.seq) && pos < maxSeq:
		t.seq = append(t.seq, k)
	}
	return k
}

func (t *keyTable) add(e *entry, raw []byte) *key {
	if t.byRaw == nil {
		t.byRaw = make(map[string]*key)
	}
	k := &key{raw: string(raw)}
	var buf [64]byte
	name := append(buf[:0], t.prefix...)
	part := sanitizeKey(nil, raw, t.prefix == "")
	if len(part) > 0 {
		if len(name) > 0 {
			name = append(name, '_')
		}
		name = append(name, part...)
	}
	if len(name) > 0 {
		k.label = e.label(string(name))
		k.wanted = k.label.needed || e.needs.wants(k.label.name+extractedSuffix)
		k.within = e.needs.wantsWithin(k.label.name)
	} else {
		k.within = true
	}
	t.byRaw[k.raw] = k
	e.keyed++
	return k
}

// table returns the keys below k.
func (k *key) table(parent *keyTable) *keyTable {
	if k.below == nil {
		k.below = &keyTable{depth: parent.depth + 1}
		if k.label != nil {
			k.below.prefix = k.label.name
		}
	}
	return k.below
}
