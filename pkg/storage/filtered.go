package storage

import "context"

// Filtered is what a Chunk implements that may know, without being read, that a text does not occur in it.
type Filtered interface {
	// MayContain is false only when neither a line nor a value of structured metadata contains the text, in whatever case its ASCII letters are.
	// Texts under 16 bytes may always occur. The first question about a text costs a few small reads per segment, further ones nothing.
	MayContain(ctx context.Context, text []byte) (bool, error)
	// Verbatim reports that no line holds a backslash: a value that a parser finds in a line then stands in it letter by letter.
	Verbatim(ctx context.Context) (bool, error)
}
