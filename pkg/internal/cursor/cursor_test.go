package cursor

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzCursor holds that what was appended is read again, and that of a record that is cut anywhere the fields before the cut are right and the
// cursor is bad.
func FuzzCursor(f *testing.F) {
	f.Add(uint64(1<<63), int64(-1), uint32(7), []byte("text"), 3)
	f.Fuzz(func(t *testing.T, u uint64, i int64, s uint32, text []byte, cut int) {
		b := binary.AppendUvarint(nil, u)
		b = binary.AppendVarint(b, i)
		b = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint32(append(b, 9), s), u)
		b = binary.AppendUvarint(b, uint64(s))
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
		cut = int(uint(cut) % uint(len(b)+1))
		c := Cursor{Rest: b[:cut]}
		last := false
		same := func(is bool) {
			require.True(t, is || c.Bad(), "a wrong value from a good cursor")
			require.False(t, last && !c.Bad(), "a bad cursor became good")
			last = c.Bad()
		}
		same(c.Uvarint() == u)
		same(c.Varint() == i)
		same(c.Byte() == 9)
		same(c.Uint32() == s)
		same(c.Uint64() == u)
		same(c.Size() == s)
		same(c.Text() == string(text))
		require.Equal(t, cut < len(b), c.Bad())
		require.Empty(t, c.Rest)
	})
}

func TestSizesAreHeldAgainstWhatIsThere(t *testing.T) {
	for name, read := range map[string]func(*Cursor){
		"size":  func(c *Cursor) { c.Size() },
		"count": func(c *Cursor) { c.Count(2) },
		"bytes": func(c *Cursor) { c.Bytes(c.Uvarint()) },
	} {
		c := Cursor{Rest: append(binary.AppendUvarint(nil, 1<<40), "rest"...)}
		read(&c)
		require.True(t, c.Bad(), name)
		require.Zero(t, c.Byte(), name)
	}
	c := Cursor{Rest: []byte{2, 1, 2, 3, 4}}
	require.Equal(t, 2, c.Count(2))
	c = Cursor{Rest: []byte{2, 1, 2, 3}}
	require.Zero(t, c.Count(2))
	require.True(t, c.Bad())
}
