package query

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFieldTableIsBounded: what is kept of many fields with many values does not grow with them, and their numbers are still about right.
func TestFieldTableIsBounded(t *testing.T) {
	const fields, values = 2000, 1500
	part, all := newFieldTable(), newFieldTable()
	for f := range fields {
		field := part.of(fmt.Sprint("field", f))
		for v := range values {
			field.add(fmt.Append(nil, f, " ", v))
		}
	}
	all.merge(part)
	for _, table := range []*fieldTable{part, all} {
		kept := 0
		for _, f := range table.byName {
			kept += len(f.distinct.hashes)
		}
		require.Less(t, kept, 2*allDistinct, "of %d values", fields*values)
		for _, f := range table.fields() {
			require.InEpsilon(t, values, f.Cardinality, 0.3)
		}
	}
	for f := range 2 * maxFields {
		all.of(fmt.Sprint("more", f))
	}
	require.Len(t, all.byName, maxFields)
	require.Nil(t, all.of("one more"))
}
