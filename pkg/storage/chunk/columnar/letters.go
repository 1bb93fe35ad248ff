package columnar

// alphabet is a set of bytes.
type alphabet [4]uint64

func (a *alphabet) add(c byte)      { a[c>>6] |= 1 << (c & 63) }
func (a *alphabet) has(c byte) bool { return a[c>>6]&(1<<(c&63)) != 0 }

func (a *alphabet) addAll(b *alphabet) {
	for i := range a {
		a[i] |= b[i]
	}
}

func (a *alphabet) spells(needle []byte) bool {
	for _, c := range needle {
		if !a.has(c) {
			return false
		}
	}
	return true
}

func alphabetOf(text string) (a alphabet) {
	for i := range len(text) {
		a.add(text[i])
	}
	return a
}

var (
	digitBytes   = alphabetOf("0123456789")
	decimalBytes = alphabetOf("0123456789.-")
	lowerBytes   = alphabetOf(lowerDigits)
	upperBytes   = alphabetOf(upperDigits)
)

// letterKinds is a set of bytes as well, made of a few fixed sets: what can be told of a column without opening it.
type letterKinds uint8

const (
	decimalDigits letterKinds = 1 << iota
	decimalSigns              // . and -
	lowerHex                  // a to f
	upperHex                  // A to F
	lowerLetters              // g to z
	upperLetters              // G to Z
	otherASCII
	notASCII

	anyLetters letterKinds = 0xff
	// numberLetters is what numbers are made of.
	numberLetters = decimalDigits | decimalSigns | lowerHex | upperHex
)

// kindOfByte tells which of the fixed sets a byte lies in, and kindAlphabet is their union for every set of them.
var (
	kindOfByte   [256]letterKinds
	kindAlphabet [256]alphabet
)

func init() {
	for i := range kindOfByte {
		c := byte(i)
		switch {
		case c >= 0x80:
			kindOfByte[c] = notASCII
		case digitBytes.has(c):
			kindOfByte[c] = decimalDigits
		case c == '.' || c == '-':
			kindOfByte[c] = decimalSigns
		case c >= 'a' && c <= 'f':
			kindOfByte[c] = lowerHex
		case c >= 'A' && c <= 'F':
			kindOfByte[c] = upperHex
		case c >= 'g' && c <= 'z':
			kindOfByte[c] = lowerLetters
		case c >= 'G' && c <= 'Z':
			kindOfByte[c] = upperLetters
		default:
			kindOfByte[c] = otherASCII
		}
	}
	for kinds := range kindAlphabet {
		for c, k := range kindOfByte {
			if letterKinds(kinds)&k != 0 {
				kindAlphabet[kinds].add(byte(c))
			}
		}
	}
}

func kindsOf(text []byte) (kinds letterKinds) {
	for _, c := range text {
		kinds |= kindOfByte[c]
	}
	return kinds
}

// spells reports whether a text of these kinds may be made of such bytes.
func (k letterKinds) spells(text letterKinds) bool { return text&^k == 0 }

func (k letterKinds) alphabet() *alphabet { return &kindAlphabet[k] }
