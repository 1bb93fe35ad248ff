package ci

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestReplaceSection: a section takes the place of the one with its heading and leaves the others.
func TestReplaceSection(t *testing.T) {
	page := replaceSection("", "# P\n\nold\n", "## One\n\n| 1 |\n")
	require.Equal(t, "# P\n\nold\n\n## One\n\n| 1 |\n", page)
	page = replaceSection(page, "# P\n\nnew", "## One and two\n\ntext\n### deeper\n")
	require.Equal(t, "# P\n\nnew\n\n## One\n\n| 1 |\n\n## One and two\n\ntext\n### deeper\n", page)
	page = replaceSection(page, "# P\n\nnew", "## One\n\n| 2 |\n")
	require.Equal(t, "# P\n\nnew\n\n## One\n\n| 2 |\n\n## One and two\n\ntext\n### deeper\n", page)
	require.Equal(t, page, replaceSection(page, "# P\n\nnew", "## One\n\n| 2 |\n"))
}
