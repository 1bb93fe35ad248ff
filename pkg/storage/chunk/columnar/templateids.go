package columnar

import (
	"sync"
	"sync/atomic"
)

// templateIDs are the templates of the rows of a column, decoded when they are first used.
type templateIDs struct {
	intHeader
	n     int
	below int // of templates
	fault *fault

	once sync.Once
	ids  atomic.Pointer[[]uint16]
}

// maxTemplates is how many templates a column may have.
const maxTemplates = 1 << 16

// all returns the templates. What cannot be decoded reads as template 0, and the fault is kept.
func (t *templateIDs) all() []uint16 {
	if ids := t.ids.Load(); ids != nil {
		return *ids
	}
	t.once.Do(func() {
		ids := make([]uint16, t.n)
		if err := t.decode(ids); err != nil {
			clear(ids)
			t.fault.set(err)
		}
		t.ids.Store(&ids)
	})
	return *t.ids.Load()
}

func (t *templateIDs) decode(ids []uint16) error {
	if t.transform == intsPlain && t.width <= 8 && t.packing == packPlanes && t.width > 0 {
		s := takeScratch()
		defer s.giveBack()
		var each [8][]byte
		if err := t.eachPlane(s, &each, t.n, nil); err != nil {
			return err
		}
		plane := each[0]
		greatest := byte(0)
		for _, b := range plane {
			greatest = max(greatest, b)
		}
		if t.least >= maxTemplates || t.least+uint64(greatest) >= uint64(t.below) {
			return errTemplate
		}
		least := uint16(t.least)
		for i, b := range plane {
			ids[i] = uint16(b) + least
		}
		return nil
	}
	numbers := make([]uint64, t.n)
	if err := unpack(&t.intHeader, numbers, nil); err != nil {
		return err
	}
	for i, v := range numbers {
		if v >= uint64(t.below) {
			return errTemplate
		}
		ids[i] = uint16(v)
	}
	return nil
}

var errTemplate = errMalformed("row of a template that is not there")
