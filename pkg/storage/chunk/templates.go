package chunk

import "github.com/cambium-logs/cambium/pkg/storage/chunk/columnar"

// Template is a skeleton that lines of a chunk share.
type Template = columnar.Template

// Templates lists the templates of an opened chunk's lines. It is nil where the encoding keeps none.
func Templates(r Reader) []Template {
	c, ok := r.(*columnReader)
	if !ok {
		return nil
	}
	return c.lines.Templates(c.meta.Rows)
}
