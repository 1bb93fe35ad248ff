package columnar

import "fmt"

// skip takes a column of n rows off d without opening it, and tells what its values are made of. It checks what opening it checks.
func (d *decoder) skip(n int, timed bool, depth int) (letterKinds, error) {
	kind, err := d.byte()
	if err != nil {
		return 0, err
	}
	if depth > maxDepth+2 {
		return 0, errMalformed("columns nest too deep")
	}
	d.visits = 1
	var ints intHeader
	switch kind {
	case kindConst:
		size, err := d.count(len(d.b))
		if err != nil {
			return 0, err
		}
		v, err := d.take(size)
		return kindsOf(v), err
	case kindInts:
		return decimalDigits, ints.read(d, n, timed)
	case kindFixedInts:
		if _, err := d.digits(); err != nil {
			return 0, err
		}
		return decimalDigits, ints.read(d, n, timed)
	case kindDigits:
		if err := ints.read(d, n, false); err != nil {
			return 0, err
		}
		return decimalDigits, ints.read(d, n, timed)
	case kindDecimal:
		if _, err := d.decimals(); err != nil {
			return 0, err
		}
		return decimalDigits | decimalSigns, ints.read(d, n, false)
	case kindHex:
		flags, width, err := d.hexHead(n)
		if err != nil {
			return 0, err
		}
		_, err = d.skipBlock(n * width / 2)
		return hexKinds(flags), err
	case kindUUID:
		flags, err := d.byte()
		if err != nil {
			return 0, err
		}
		_, err = d.skipBlock(n * uuidBytes)
		return hexKinds(flags) | decimalSigns, err
	case kindHexInts:
		flags, _, err := d.hexIntHead()
		if err != nil {
			return 0, err
		}
		return hexKinds(flags), ints.read(d, n, false)
	case kindDict:
		count, err := d.dictSize(n)
		if err != nil {
			return 0, err
		}
		if err := ints.read(d, n, false); err != nil {
			return 0, err
		}
		return d.skip(count, false, depth+1)
	case kindRaw:
		if err := ints.read(d, n, false); err != nil {
			return 0, err
		}
		_, err = d.skipBlock(d.left)
		return anyLetters, err
	case kindTemplates:
		return d.skipTemplates(n, timed, depth, false)
	case kindMarked:
		return d.skipTemplates(n, timed, depth, true)
	}
	return 0, errMalformed(fmt.Sprintf("unknown column kind %d", kind))
}

func hexKinds(flags byte) letterKinds {
	if flags&1 != 0 {
		return decimalDigits | upperHex
	}
	return decimalDigits | lowerHex
}

// skipTemplates takes what follows the kind of a column of templates off d.
func (d *decoder) skipTemplates(n int, timed bool, depth int, marked bool) (kinds letterKinds, err error) {
	texts, err := d.templateTexts(n, marked)
	if err != nil {
		return 0, err
	}
	var few [4]templateHead
	heads := few[:]
	if texts.count > len(few) {
		heads = make([]templateHead, texts.count)
	}
	heads = heads[:texts.count]
	rows := 0
	for i := range heads {
		t, err := texts.next(n)
		if err != nil {
			return 0, err
		}
		heads[i] = templateHead{slots: t.slots(), rows: t.rows, pools: t.pools}
		kinds |= kindsOf(t.text)
		rows += t.rows
	}
	if err := texts.end(); err != nil {
		return 0, err
	}
	if rows != n {
		return 0, errMalformed("templates have another number of rows")
	}
	var ids intHeader
	if err := ids.read(d, n, false); err != nil {
		return 0, err
	}
	var sizes [poolCount]int
	var v visits
	for i := range heads {
		t := &heads[i]
		for _, p := range t.pools {
			sizes[p] += t.rows
		}
		if t.pools != nil {
			continue
		}
		for s := 0; s < t.slots; {
			more, slots, err := d.skipField(t.rows, timed, s, depth, &v)
			if err != nil {
				return 0, err
			}
			kinds |= more
			if s+slots > t.slots {
				return 0, errMalformed("time of day beyond the template's end")
			}
			v.put(s, slots, d.visits)
			s += slots
		}
		if err := v.add(t.slots); err != nil {
			return 0, err
		}
	}
	for p, size := range sizes {
		more, err := d.skipPool(size, depth)
		if err != nil {
			return 0, err
		}
		kinds |= more
		v.pools[p] = d.visits
	}
	for i := range heads {
		if err := v.addPooled(heads[i].pools); err != nil {
			return 0, err
		}
	}
	d.visits = v.most
	return kinds, nil
}

// skipField takes the column of slot s, and maybe of more slots, off d.
func (d *decoder) skipField(rows int, timed bool, s, depth int, v *visits) (kinds letterKinds, slots int, err error) {
	if len(d.b) == 0 {
		return 0, 0, errEnd
	}
	switch d.b[0] {
	case kindTime:
		d.b = d.b[1:]
		slots, _, err := d.clockHead()
		if err != nil {
			return 0, 0, err
		}
		d.visits = 1
		var ints intHeader
		return decimalDigits, slots, ints.read(d, rows, false)
	case kindCopy:
		d.b = d.b[1:]
		from, err := d.copied(s)
		d.visits = v.slots[from]
		return 0, 1, err
	}
	kinds, err = d.skip(rows, timed, depth+1)
	return kinds, 1, err
}

// skipPool takes a pool of a size off d; an empty one is not stored.
func (d *decoder) skipPool(size, depth int) (letterKinds, error) {
	if size > d.left {
		return 0, errMalformed("pool size")
	}
	if size == 0 {
		return 0, nil
	}
	return d.skip(size, false, depth+1)
}
