package deletes

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
)

// sealed is how the objects of requests are stored: a request of which one character is wrong would hide and erase something else.
type sealed struct {
	CRC     *uint32         `json:"crc32c"` // of the bytes of content
	Content json.RawMessage `json:"content"`
}

// errDamaged: an object is not what was written.
var errDamaged = errors.New("the object is damaged")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func seal(v any) ([]byte, error) {
	content, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	crc := crc32.Checksum(content, castagnoli)
	return json.Marshal(sealed{&crc, content})
}

func unseal(data []byte, v any) error {
	var s sealed
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	if s.CRC == nil || *s.CRC != crc32.Checksum(s.Content, castagnoli) {
		return fmt.Errorf("%w: checksum does not match", errDamaged)
	}
	return json.Unmarshal(s.Content, v)
}

// CheckObject reports whether the bytes of one of a request's objects are what was written.
func CheckObject(data []byte) error {
	var content json.RawMessage
	return unseal(data, &content)
}
