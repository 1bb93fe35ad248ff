package query

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/require"

	"github.com/cambium-logs/cambium/internal/race"
	"github.com/cambium-logs/cambium/pkg/storage/chunk"
	"github.com/cambium-logs/cambium/pkg/storage/storagetest"
)

// meetingNames are names that streams, structured metadata and lines may have at once, or that one of them gets for the sake of another.
var meetingNames = []string{"app", "app_extracted", "app_extracted_extracted", "n", "n_extracted", "level", "who", "__error__", "__error_details__"}

// Names that meet change nothing: columns give the series and lines that the lines themselves give, also where rows are sampled by stretches, with
// metadata of which only a part is looked at.
func TestMeetingNamesChangeNothing(t *testing.T) {
	streams := []labels.Labels{labels.FromStrings("app", "a"), labels.FromStrings("app", "b", "n", "7"), labels.FromStrings("app", "c", "app_extracted", "q")}
	for seed := range race.Cases(uint64(15)) {
		r := rand.New(rand.NewPCG(seed, 77))
		name := func() string { return meetingNames[r.IntN(len(meetingNames))] }
		pick := func(from ...string) string { return from[r.IntN(len(from))] }
		plain := &storagetest.Memory{ChunkRows: 300, Encoding: chunk.EncodingPlain}
		columns := &storagetest.Memory{ChunkRows: 300, Encoding: chunk.EncodingColumnar}
		sets := [][]labels.Label{nil}
		for range r.IntN(8) {
			set := map[string]string{name(): pick("0", "x"), name(): "y"}
			if r.IntN(2) == 0 {
				delete(set, "__error__")
				delete(set, "__error_details__")
			}
			var list []labels.Label
			labels.FromMap(set).Range(func(l labels.Label) { list = append(list, l) })
			sets = append(sets, list)
		}
		keys, late := [2]string{name(), name()}, []int{0, 300}[r.IntN(2)]
		for i := range 1500 {
			line := fmt.Sprintf(`{"n":%d.5,"%s":"%s","%s":"%s"}`, r.IntN(50), keys[0], pick("0", "1", "x", ""), keys[1], pick("2", "y"))
			if r.IntN(2) == 0 {
				line = fmt.Sprintf(`n=%d %s=%s %s="%s"`, r.IntN(3000), keys[0], pick("0", "1", "5ms"), keys[1], pick("2", "y"))
			}
			e := chunk.Entry{Timestamp: int64(i-r.IntN(late+1)) / 2 * second / 6, Line: []byte(line), Metadata: sets[r.IntN(len(sets))]}
			s := streams[r.IntN(len(streams))]
			plain.Add(s, e)
			columns.Add(s, e)
		}
		for range 40 {
			pipe := "| " + pick("json", "logfmt")
			for range r.IntN(3) {
				pipe += pick(` | `+name()+`="x"`, ` | `+name()+`!=""`, " | n < 40", " | drop "+name(), " | keep n, "+name()+", "+name())
			}
			clean := pick("", ` | __error__=""`, ` | __error__=""`)
			one, two := name(), name()
			expr := pick(
				`{app=~".+"} `+pipe,
				`sum by (`+one+", "+two+`) (count_over_time({app=~".+"} `+pipe+clean+` [20s]))`,
				`sum by (`+one+`) (sum_over_time({app=~".+"} `+pipe+` | unwrap `+two+clean+` [20s] offset 3s))`,
				`max_over_time({app=~".+"} `+pipe+` | unwrap n | `+one+`!="0"`+clean+` [3s]) by (`+two+`)`,
				`count_over_time({app=~".+"} `+pipe+clean+` [60s])`,
			)
			p := Params{Expr: expr, Start: r.Int64N(60) * second, End: 130 * second, Step: 10 * second, Direction: Direction(r.IntN(2)), Limit: r.IntN(40)}
			want, wantErr := New(Options{Source: plain, CacheBytes: -1}).Query(t.Context(), p)
			got, err := New(Options{Source: columns, CacheBytes: -1}).Query(t.Context(), p)
			require.Equal(t, fmt.Sprint(wantErr), fmt.Sprint(err), "%d %s", seed, expr)
			if err == nil {
				require.Equal(t, show(want.Entries), show(got.Entries), "%d %s", seed, expr)
				require.Equal(t, fmt.Sprint(want.Matrix), fmt.Sprint(got.Matrix), "%d %s", seed, expr)
			}
		}
	}
}
