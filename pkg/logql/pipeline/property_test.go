package pipeline_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"golang.org/x/sync/errgroup"

	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/logql/pipeline"
)

var (
	randomNames  = []string{"a", "b", "app", "env", "level", "n", "user", "a_b", "app_extracted", "k.y"}
	randomValues = []string{"", "1", "2.5", "x y", "error", "10.0.0.1", "5s", "1KB", "é", "\xff", "{", "=", "null", "\\", "\"", "info"}
	randomStages = []string{
		`|= "a"`, `!= "zz"`, `|~ "(?i)ERR|x y"`, `| json`, `| logfmt`, `| logfmt --strict --keep-empty`, `| json u="user", q="a.b"`, `| logfmt l="level", n`,
		`| regexp "(?P<first>\\w+)"`, `| pattern "<head> <rest>"`, `| unpack`, `| level="error" or n>1`, `| n<3 and a!="1"`, `| user=~".+"`, `| d>1s`, `| b<=1KB`,
		`| app=ip("10.0.0.0/8") or app="x"`, `| line_format "{{.a}} {{.level}}"`, `| line_format "{{__line__ | upper}}"`, `| label_format a=level, n="{{.user}}!"`,
		`| label_format app="{{.n}}"`, `| decolorize`, `| drop a, level="error"`, `| keep app, n, level=~"e.*"`, `| drop env`, `| __error__=""`, `| drop __error__`,
	}
)

func pick(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

func randomPipeline(r *rand.Rand) string {
	var parts []string
	for range r.IntN(6) {
		parts = append(parts, pick(r, randomStages))
	}
	return strings.Join(parts, " ")
}

func randomLine(r *rand.Rand) string {
	var b strings.Builder
	n := r.IntN(6)
	switch r.IntN(4) {
	case 0:
		b.WriteString("{")
		for i := range n {
			if i > 0 {
				b.WriteString(",")
			}
			switch name := pick(r, randomNames); r.IntN(4) {
			case 0:
				fmt.Fprintf(&b, `%q:%d`, name, r.IntN(5))
			case 1:
				fmt.Fprintf(&b, `%q:{"b":%q}`, name, pick(r, randomValues))
			default:
				fmt.Fprintf(&b, `%q:%q`, name, pick(r, randomValues))
			}
		}
		b.WriteString("}")
	case 1:
		for range n {
			fmt.Fprintf(&b, "%s=%q ", pick(r, randomNames), pick(r, randomValues))
		}
	case 2:
		for range n {
			fmt.Fprintf(&b, "%s=%s ", pick(r, randomNames), pick(r, randomValues))
		}
	default:
		for range n {
			b.WriteString(pick(r, randomValues) + " ")
		}
	}
	s := b.String()
	if r.IntN(10) == 0 {
		s = s[:r.IntN(len(s)+1)]
	}
	return s
}

func randomMetadata(r *rand.Rand) []labels.Label {
	set := make(map[string]string)
	for range r.IntN(3) {
		set[strings.ReplaceAll(pick(r, randomNames), ".", "_")] = "m" + pick(r, randomValues)
	}
	var out []labels.Label
	labels.FromMap(set).Range(func(l labels.Label) { out = append(out, l) })
	return out
}

// TestStateDoesNotLeak holds that what an entry becomes does not depend on the entries before it, that a line and metadata are not
// modified, that results do not change later, and that equal labels have equal pointers.
func TestStateDoesNotLeak(t *testing.T) {
	stream := labels.FromStrings("app", "x", "env", "prod", "level", "info")
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		tail := randomPipeline(r)
		p := compile(t, tail)
		used := p.ForStream(stream)
		type seen struct {
			result *pipeline.LabelsResult
			text   string
		}
		var results []seen
		byText := make(map[string]*pipeline.LabelsResult)
		for range 60 {
			line, meta := randomLine(r), randomMetadata(r)
			buf, metaText := []byte(line), fmt.Sprint(meta)
			out1, res1, keep1 := used.Process(7, buf, meta)
			text1 := string(out1)
			if string(buf) != line || fmt.Sprint(meta) != metaText {
				t.Fatalf("%s modified its input %q", tail, line)
			}
			out2, res2, keep2 := p.ForStream(stream).Process(7, []byte(line), meta)
			if keep1 != keep2 || text1 != string(out2) {
				t.Fatalf("%s on %q: %v %q, fresh %v %q", tail, line, keep1, text1, keep2, out2)
			}
			if !keep1 {
				continue
			}
			describe := func(r *pipeline.LabelsResult) string {
				return fmt.Sprint(r.Stream, r.Metadata, r.Parsed, r.Merged, r.Hash == r.Merged.Hash(), r.Error())
			}
			if describe(res1) != describe(res2) {
				t.Fatalf("%s on %q\nused  %s\nfresh %s", tail, line, describe(res1), describe(res2))
			}
			text := describe(res1)
			if old := byText[text]; old != nil && old != res1 {
				t.Fatalf("%s on %q: two results for %s", tail, line, text)
			}
			byText[text] = res1
			results = append(results, seen{res1, text})
			for i := range buf {
				buf[i] = '#'
			}
		}
		for _, s := range results {
			if now := fmt.Sprint(s.result.Stream, s.result.Metadata, s.result.Parsed, s.result.Merged, s.result.Hash == s.result.Merged.Hash(), s.result.Error()); now != s.text {
				t.Fatalf("%s: a result changed from %s to %s", tail, s.text, now)
			}
		}
	}
}

// TestNeededLabelsAreEnough holds that a sampler that extracts only what a sum reads finds the same groups as one that extracts
// everything, on entries without errors.
func TestNeededLabelsAreEnough(t *testing.T) {
	stream := labels.FromStrings("app", "x", "env", "prod")
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 2))
		by := []string{strings.ReplaceAll(pick(r, randomNames), ".", "_"), strings.ReplaceAll(pick(r, randomNames), ".", "_")}
		query := fmt.Sprintf(`count_over_time({a="b"} %s [5m])`, randomPipeline(r))
		expr, err := logql.Parse(query, logql.ParseOptions{})
		if err != nil {
			t.Fatal(err)
		}
		agg := expr.(*logql.RangeAggregation)
		full, err := pipeline.CompileSamples(agg, pipeline.NeededLabels{})
		if err != nil {
			t.Fatal(err)
		}
		grouped, err := pipeline.CompileSamples(agg, pipeline.NeededLabels{Known: true, Names: by})
		if err != nil {
			t.Fatal(err)
		}
		fs, gs := full.ForStream(stream), grouped.ForStream(stream)
		for range 60 {
			line, meta := randomLine(r), randomMetadata(r)
			v1, res1, keep1 := fs.Process(7, []byte(line), meta)
			if keep1 && (res1.Error() != nil || res1.Merged.Has(pipeline.ErrorDetailsLabel)) {
				continue
			}
			v2, res2, keep2 := gs.Process(7, []byte(line), meta)
			if strings.Contains(query, "__error__") && keep1 != keep2 {
				continue // an error behind the last needed label is not seen
			}
			if keep1 != keep2 || v1 != v2 {
				t.Fatalf("%s by %v on %q: %v %v, grouped %v %v", query, by, line, keep1, v1, keep2, v2)
			}
			if !keep1 {
				continue
			}
			want := make(map[string]string)
			for _, n := range by {
				if res1.Merged.Has(n) {
					want[n] = res1.Merged.Get(n)
				}
			}
			if got := res2.Merged; got.String() != labels.FromMap(want).String() {
				t.Fatalf("%s by %v on %q: %s, want %s", query, by, line, got, labels.FromMap(want))
			}
		}
	}
}

// TestLineFiltersMoveLeft holds that a line filter behind parsers and label filters is the same as in front of them.
func TestLineFiltersMoveLeft(t *testing.T) {
	head := []string{`| json`, `| logfmt`, `| pattern "<a> <_>"`, `| label_format a=n`, `| drop a="1"`, `| n>1`, `| a="1" or b=""`, `| __error__=""`}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 3))
		var tail string
		for range r.IntN(5) {
			tail += pick(r, head) + " "
		}
		filter := pick(r, []string{`|= "a"`, `!= "1"`, `|~ "[0-9]"`, `|> "<_>a<_>"`, `|= ip("10.0.0.1")`})
		behind, before := compile(t, tail+filter).ForStream(appX), compile(t, filter+" "+tail).ForStream(appX)
		for range 40 {
			line := randomLine(r)
			_, res1, keep1 := behind.Process(1, []byte(line), nil)
			_, res2, keep2 := before.Process(1, []byte(line), nil)
			if keep1 != keep2 || keep1 && !labels.Equal(res1.Merged, res2.Merged) {
				t.Fatalf("%s and %s differ on %q", tail+filter, filter+tail, line)
			}
		}
	}
}

// TestValueHints holds that looking for a filter's value before parsing does not change what is kept.
func TestValueHints(t *testing.T) {
	parsers := []string{`| json`, `| logfmt`, `| logfmt --strict`, `| json n, a="a.b", level`, `| logfmt level, n="a"`, `| json | logfmt`, `| regexp "(?P<level>\\w+)"`, `| pattern "<_>=<n> <level>"`}
	filters := []string{`level="error"`, `n=~"1|2.5"`, `a="x y"`, `user=~"(?i)ERROR|info"`, `n="1" and level="error"`, `b="é"`, `a_b="\\"`, `level="info"`, `a="null"`, `app="1"`, `app_extracted="1"`}
	stream := labels.FromStrings("app", "x", "env", "prod")
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 4))
		parser, filter := pick(r, parsers), pick(r, filters)
		// A drop in between changes nothing and ends the stages that are looked at for hints.
		hinted, plain := compile(t, parser+" | "+filter).ForStream(stream), compile(t, parser+" | drop none | "+filter).ForStream(stream)
		for range 40 {
			line, meta := randomLine(r), randomMetadata(r)
			_, res1, keep1 := hinted.Process(1, []byte(line), meta)
			_, res2, keep2 := plain.Process(1, []byte(line), meta)
			if keep1 != keep2 || keep1 && !labels.Equal(res1.Merged, res2.Merged) {
				t.Fatalf("%s | %s on %q: %v, without the hint %v", parser, filter, line, keep1, keep2)
			}
		}
	}
}

// TestConcurrentStreams holds that streams share a compiled pipeline.
func TestConcurrentStreams(t *testing.T) {
	p := compile(t, `| logfmt | line_format "{{.n | upper}} {{regexReplaceAll \"a\" .n \"b\"}}" | label_format x="{{add 1 .n}}", y="{{.n}}"`)
	var g errgroup.Group
	for range 4 {
		g.Go(func() error {
			sp := p.ForStream(appX)
			for i := range 200 {
				out, res, _ := sp.Process(1, fmt.Appendf(nil, "n=%d", i), nil)
				if want := fmt.Sprintf("%d %d", i, i); string(out) != want || res.Parsed.Get("x") != fmt.Sprint(i+1) {
					return fmt.Errorf("got %s %s, want %s", out, res.Parsed, want)
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
}

// TestManyResults holds that the bounded tables start afresh without mixing labels up.
func TestManyResults(t *testing.T) {
	p := compile(t, `| logfmt`).ForStream(appX)
	for i := range 50_000 {
		line := fmt.Sprintf("k%d=v%d same=%d", i, i, i%3)
		_, res, _ := p.Process(1, []byte(line), nil)
		if want := fmt.Sprintf(`{k%d="v%d", same="%d"}`, i, i, i%3); res.Parsed.String() != want {
			t.Fatalf("line %d gave %s", i, res.Parsed)
		}
	}
}
