package query

import (
	"math"
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/tenant"
)

// MaxPoints is how many steps a range query may have beyond its first one.
const MaxPoints = 11000

// Limits bound one query. Zero switches a limit off, except where a default is named.
type Limits struct {
	MaxQueryLength   time.Duration // of the range, with the largest [range] of a metric query
	MaxQueryLookback time.Duration // older data is not looked at; never an error
	MaxQueryRange    time.Duration // of a [range]
	MaxSeries        int           // in the result of a metric query
	MaxEntries       int           // of Params.Limit
	MaxMatchers      int           // per query
	MaxBytesRead     int64         // uncompressed bytes of the chunks that the query needs
	MaxWorkerBytes   int64         // the same, with the text of max_querier_bytes_read
	MaxMemory        int64         // bytes of partials and entries held at once; 0 = DefaultMaxMemory
	Timeout          time.Duration
	Parallelism      int // workers of one query; 0 = one per core
	MaxOutstanding   int // waiting queries of the tenant; 0 = DefaultMaxOutstanding
	RequiredLabels   []string
	MinLabels        int
	Blocked          []BlockedQuery
	VolumeMaxSeries  int
}

// Defaults of Limits fields whose zero value does not mean "off".
const (
	DefaultMaxMemory      = 512 << 20
	DefaultMaxOutstanding = 2048
)

// BlockedQuery refuses queries. All fields that are set must fit.
type BlockedQuery struct {
	Pattern string // equal to the query's text, or matching it when Regex; empty fits every query
	Regex   bool
	Types   []string // "metric", "filter" (log query with stages), "limited" (log query without)
	Hash    uint32   // of the query's text, FNV-1a
	Tags    map[string]string
}

// LimitsOf takes what concerns queries from a tenant's limits.
func LimitsOf(t tenant.Limits) Limits {
	l := Limits{
		MaxQueryLength:   time.Duration(t.MaxQueryLength),
		MaxQueryLookback: time.Duration(t.MaxQueryLookback),
		MaxQueryRange:    time.Duration(t.MaxQueryRange),
		MaxSeries:        t.MaxQuerySeries,
		MaxEntries:       t.MaxEntriesLimitPerQuery,
		MaxMatchers:      t.MaxStreamsMatchersPerQuery,
		MaxBytesRead:     int64(t.MaxQueryBytesRead),
		MaxWorkerBytes:   int64(t.MaxQuerierBytesRead),
		Timeout:          time.Duration(t.QueryTimeout),
		Parallelism:      t.MaxQueryParallelism,
		MaxOutstanding:   t.MaxOutstandingPerTenant,
		RequiredLabels:   t.RequiredLabels,
		MinLabels:        t.MinimumLabelsNumber,
		VolumeMaxSeries:  t.VolumeMaxSeries,
	}
	for _, b := range t.BlockedQueries {
		l.Blocked = append(l.Blocked, BlockedQuery{Pattern: b.Pattern, Regex: b.Regex, Types: b.Types, Hash: b.Hash, Tags: b.QueryTags})
	}
	return l
}

func (l *Limits) maxMemory() int64 {
	if l.MaxMemory > 0 {
		return l.MaxMemory
	}
	return DefaultMaxMemory
}

// Span returns end − start in nanoseconds, or the largest int64 where the difference is larger. It is negative when end is
// before start.
func Span(start, end int64) int64 {
	d := end - start
	if start <= end && d < 0 {
		return math.MaxInt64
	}
	return d
}

// checkLength refuses a range longer than MaxQueryLength.
func (l *Limits) checkLength(length time.Duration) error {
	if l.MaxQueryLength > 0 && length > l.MaxQueryLength {
		return badRequest("the query time range exceeds the limit (query length: %s, limit: %s)", length, model.Duration(l.MaxQueryLength))
	}
	return nil
}

func (l *Limits) checkRange(r time.Duration) error {
	if l.MaxQueryRange > 0 && r > l.MaxQueryRange {
		return badRequest("[interval] value exceeds limit: [%s] > [%s]", model.Duration(r), model.Duration(l.MaxQueryRange))
	}
	return nil
}

func (l *Limits) checkEntries(limit int) error {
	if l.MaxEntries > 0 && limit > l.MaxEntries {
		return badRequest("max entries limit per query exceeded, limit > max_entries_limit_per_query (%d > %d)", limit, l.MaxEntries)
	}
	return nil
}

func (l *Limits) checkMatchers(selectors [][]*labels.Matcher) error {
	n := 0
	for _, s := range selectors {
		n += len(s)
	}
	if l.MaxMatchers > 0 && n > l.MaxMatchers {
		return badRequest("max streams matchers per query exceeded, matchers-count > limit (%d > %d)", n, l.MaxMatchers)
	}
	return nil
}

// checkLabels holds every selector against RequiredLabels and MinLabels.
func (l *Limits) checkLabels(selectors [][]*labels.Matcher) error {
	if len(l.RequiredLabels) == 0 && l.MinLabels <= 0 {
		return nil
	}
	for _, s := range selectors {
		var present []string
		for _, m := range s {
			if !slices.Contains(present, m.Name) {
				present = append(present, m.Name)
			}
		}
		sort.Strings(present)
		var missing []string
		for _, name := range l.RequiredLabels {
			if !slices.Contains(present, name) {
				missing = append(missing, name)
			}
		}
		if len(missing) > 0 {
			return badRequest("stream selector is missing required matchers [%s], labels present in the query were [%s]",
				strings.Join(missing, ", "), strings.Join(present, ", "))
		}
		if len(present) < l.MinLabels {
			return badRequest("stream selector has less label matchers than required: (present: [%s], number_present: %d, required_number_label_matchers: %d)",
				strings.Join(present, ", "), len(present), l.MinLabels)
		}
	}
	return nil
}

func (l *Limits) checkBytes(n int64) error {
	if l.MaxBytesRead > 0 && n > l.MaxBytesRead {
		return badRequest("the query would read too many bytes (query: %s, limit: %s); consider adding more specific stream selectors or reduce the time range of the query",
			humanize.IBytes(uint64(n)), humanize.IBytes(uint64(l.MaxBytesRead)))
	}
	if l.MaxWorkerBytes > 0 && n > l.MaxWorkerBytes {
		return badRequest("query too large to execute on a single querier: (query: %s, limit: %s); consider adding more specific stream selectors, reduce the time range of the query, or adjust parallelization settings",
			humanize.IBytes(uint64(n)), humanize.IBytes(uint64(l.MaxWorkerBytes)))
	}
	return nil
}

// checkBlocked refuses a query that a rule fits; kind is its type as in BlockedQuery.Types.
func (l *Limits) checkBlocked(text, kind string, tags map[string]string) error {
	text = strings.TrimSpace(text)
	for _, b := range l.Blocked {
		if b.fits(text, kind, tags) {
			return ErrBlocked
		}
	}
	return nil
}

func (b *BlockedQuery) fits(text, kind string, tags map[string]string) bool {
	if len(b.Types) > 0 && !slices.Contains(b.Types, kind) {
		return false
	}
	if b.Hash != 0 && b.Hash != QueryHash(text) {
		return false
	}
	for k, v := range b.Tags {
		if !strings.EqualFold(tags[k], v) {
			return false
		}
	}
	if b.Pattern == "" {
		return b.Hash != 0 || len(b.Types) > 0 || len(b.Tags) > 0
	}
	if !b.Regex {
		return strings.TrimSpace(b.Pattern) == text
	}
	re, err := regexp.Compile(b.Pattern)
	return err == nil && re.MatchString(text)
}

// QueryHash is the hash by which BlockedQuery.Hash names a query.
func QueryHash(text string) uint32 {
	h := uint32(2166136261)
	for i := range len(text) {
		h = (h ^ uint32(text[i])) * 16777619
	}
	return h
}

func tooManySeries(limit int) *Error {
	return badRequest("maximum number of series (%d) reached for a single query; consider reducing query cardinality by adding more specific stream selectors, "+
		"reducing the time range, or aggregating results with functions like sum(), count() or topk()", limit)
}

func tooMuchMemory(limit int64) *Error {
	return badRequest("the query needs more than %s of memory for intermediate results; consider adding more specific stream selectors, "+
		"reducing the time range, a larger step, or aggregating by fewer labels", humanize.IBytes(uint64(limit)))
}
