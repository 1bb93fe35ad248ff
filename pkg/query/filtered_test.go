package query

import (
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/internal/race"
	"github.com/cambium-logs/cambium/pkg/storage"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/filter"
	"github.com/cambium-logs/cambium/pkg/storage/storagetest"
)

// filteredSource gives the chunks of a store skip filters.
type filteredSource struct {
	Source
	filters map[storage.Chunk]filter.Chunk
}

type filteredSnapshot struct {
	storage.Snapshot
	of *filteredSource
}

type filteredChunk struct {
	storage.Chunk
	filter filter.Chunk
}

func (s *filteredSource) Snapshot(ctx context.Context, tenant string, mint, maxt int64) (storage.Snapshot, error) {
	snap, err := s.Source.Snapshot(ctx, tenant, mint, maxt)
	return filteredSnapshot{snap, s}, err
}

func (s filteredSnapshot) Select(ctx context.Context, mint, maxt int64, matchers ...*labels.Matcher) ([]storage.Stream, error) {
	streams, err := s.Snapshot.Select(ctx, mint, maxt, matchers...)
	for i := range streams {
		chunks := make([]storage.Chunk, len(streams[i].Chunks))
		for j, c := range streams[i].Chunks {
			f, ok := s.of.filters[c]
			if !ok {
				r, err := c.Open(ctx)
				if err != nil {
					return nil, err
				}
				var keys filter.Keys
				for row := range r.Len() {
					keys.AddLine(r.Line(row, nil))
					for _, l := range r.Metadata(row, nil) {
						keys.AddValue(l.Value)
					}
				}
				r.Close()
				f = keys.Chunk()
				s.of.filters[c] = f
			}
			chunks[j] = &filteredChunk{c, f}
		}
		streams[i].Chunks = chunks
	}
	return streams, err
}

func (c *filteredChunk) MayContain(_ context.Context, text []byte) (bool, error) {
	for _, k := range filter.Needle(text) {
		if !c.filter.Has(k) {
			return false, nil
		}
	}
	return true, nil
}

func (c *filteredChunk) Verbatim(context.Context) (bool, error) { return !c.filter.Escapes, nil }

// longWords are long enough for skip filters; parsers change some of them.
var longWords = []string{
	"connection-refused-by-peer", "Connection-Refused-By-PEER", `escaped\u002dword-of-some-length`, "blan\xffks-for-invalid-bytes", "\u212aelvin-and-long-\u017f-in-a-word", "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
	"12345678901234567890123", "0000000000000000000.10", `quotes-\"inside\"-of-a-value`,
}

// TestFiltersChangeNothing: what skip filters rule out has no line that a query wants.
func TestFiltersChangeNothing(t *testing.T) {
	pruned := int64(0)
	for seed := range race.Cases(uint64(60)) {
		r := rand.New(rand.NewPCG(seed, 41))
		rows := 5 + r.IntN(40)
		plain := &storagetest.Memory{ChunkRows: rows, Encoding: chunk.EncodingPlain}
		columns := &storagetest.Memory{ChunkRows: rows, Encoding: chunk.EncodingColumnar}
		word := func() string { return longWords[r.IntN(len(longWords))] }
		var lines []string
		for i := range 300 {
			line := templatedLine(r)
			switch r.IntN(8) {
			case 0:
				line = fmt.Sprintf(`{"who":"%s","n":%s,"in":{"a":"%s"}}`, word(), longWords[6+r.IntN(2)], word())
			case 1:
				line = fmt.Sprintf(`who=%s n=%d level="%s"`, word(), i, word())
			}
			e := chunk.Entry{Timestamp: int64(i) * second / 3, Line: []byte(line)}
			if r.IntN(10) == 0 {
				e.Metadata = []labels.Label{{Name: "who", Value: strings.ToValidUTF8(word(), "")}}
			}
			ls := labels.FromStrings("app", []string{"a", "b"}[r.IntN(2)])
			plain.Add(ls, e)
			columns.Add(ls, e)
			lines = append(lines, line)
		}
		cut := func() string {
			line := lines[r.IntN(len(lines))]
			from := r.IntN(max(1, len(line)-filter.MinNeedle))
			return strings.ToValidUTF8(line[from:min(len(line), from+filter.MinNeedle+r.IntN(9))], "")
		}
		oracle := New(Options{Source: plain, Workers: 1, CacheBytes: -1})
		engine := New(Options{Source: &filteredSource{Source: columns, filters: map[storage.Chunk]filter.Chunk{}}, Workers: 2, CacheBytes: -1})
		for range 40 {
			value := strings.ToValidUTF8(word(), []string{"", " "}[r.IntN(2)])
			if r.IntN(3) == 0 {
				if plain, err := strconv.Unquote(`"` + value + `"`); err == nil {
					value = plain
				}
			}
			q := strconv.Quote
			name := []string{"who", "n", "in_a", "level"}[r.IntN(4)]
			expr := `{app=~".+"}` + [...]string{
				" |= " + q(cut()),
				" |= " + q(cut()) + " or " + q(cut()),
				" |~ " + q("(?i)"+regexp.QuoteMeta(cut())),
				" |~ " + q(regexp.QuoteMeta(cut())+"(a|b)?"),
				" |> " + q("<_>"+strings.ReplaceAll(cut(), "<", "")+"<_>"),
				" | json | " + name + "=" + q(value),
				" | logfmt | " + name + "=" + q(value),
				` | logfmt who, level | ` + name + "=" + q(value),
				` | json a="in" | a=` + q(value) + " or " + name + "=" + q(value),
				" | " + name + "=" + q(value),
				` | json | line_format "{{.who}}" |= ` + q(value),
				` | regexp "who=(?P<who>\\S+)" | who=` + q(value),
			}[r.IntN(12)]
			p := Params{Expr: expr, Start: 0, End: 200 * second, Limit: 1000, Direction: Direction(r.IntN(2))}
			want, err := oracle.Query(t.Context(), p)
			require.NoError(t, err, expr)
			got, err := engine.Query(t.Context(), p)
			require.NoError(t, err, expr)
			require.Equal(t, show(want.Entries), show(got.Entries), "%d %s", seed, expr)
			pruned += got.Stats.ChunksPruned
		}
	}
	require.Positive(t, pruned)
	t.Log("pruned", pruned)
}
