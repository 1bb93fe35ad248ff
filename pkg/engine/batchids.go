package engine

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"

	"github.com/oklog/ulid/v2"
)

// batchIDs makes ids of segments that this engine knows again, and that no other process makes: the random part of an id is five bytes that the
// engine drew when it opened, and a counter with a random start.
type batchIDs struct {
	origin  [5]byte
	counter uint64
}

func (b *batchIDs) init() {
	var drawn [13]byte
	_, _ = rand.Read(drawn[:]) // never fails
	copy(b.origin[:], drawn[:5])
	b.counter = binary.BigEndian.Uint64(drawn[5:])
}

// next gives a new id. Only who has the flusher's token calls it.
func (b *batchIDs) next() ulid.ULID {
	var id ulid.ULID
	_ = id.SetTime(ulid.Now()) // fails in the year 10889
	copy(id[6:11], b.origin[:])
	b.counter++
	var low [8]byte
	binary.BigEndian.PutUint64(low[:], b.counter)
	copy(id[11:], low[3:])
	return id
}

// made reports whether next gave the id.
func (b *batchIDs) made(id ulid.ULID) bool { return bytes.Equal(id[6:11], b.origin[:]) }
