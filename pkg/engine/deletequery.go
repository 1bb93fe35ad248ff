package engine

import (
	"fmt"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/logql"
	"github.com/cambium-logs/cambium/pkg/logql/pipeline"
	"github.com/cambium-logs/cambium/pkg/storage/deletes"
)

// CompileDelete makes a deletes.Query of a request's text: a log query, of which the matchers may select every stream. Errors wrap ErrInvalid.
func CompileDelete(text string) (deletes.Query, error) {
	expr, err := logql.ParseDelete(text)
	if err != nil {
		return nil, fmt.Errorf("%w: the query of the delete request: %w", ErrInvalid, err)
	}
	compiled, err := pipeline.Compile(expr.Stages, pipeline.Options{})
	if err != nil {
		return nil, fmt.Errorf("%w: the query of the delete request: %w", ErrInvalid, err)
	}
	q := &deleteQuery{expr: expr, compiled: compiled}
	for _, set := range pipeline.RequiredAnyOf(expr.Stages) {
		texts := make([][]byte, len(set))
		for i, text := range set {
			texts[i] = []byte(text)
		}
		q.texts = append(q.texts, texts)
	}
	return q, nil
}

// deleteQuery is a log query as a deletes.Query: it selects the entries that the query shows.
type deleteQuery struct {
	expr     *logql.LogExpr
	compiled *pipeline.Pipeline
	texts    [][][]byte
}

// Matchers implements deletes.Query.
func (q *deleteQuery) Matchers() []*labels.Matcher { return q.expr.Matchers }

// Texts implements deletes.Query.
func (q *deleteQuery) Texts() [][][]byte { return q.texts }

// Everything implements deletes.Query.
func (q *deleteQuery) Everything() bool { return len(q.expr.Stages) == 0 }

// Rows implements deletes.Query.
func (q *deleteQuery) Rows(stream labels.Labels) deletes.Rows {
	return deleteRows{q.compiled.ForStream(stream)}
}

type deleteRows struct{ stream *pipeline.StreamPipeline }

// Selects implements deletes.Rows.
func (r deleteRows) Selects(ts int64, line []byte, metadata []labels.Label) bool {
	_, _, keep := r.stream.Process(ts, line, metadata)
	return keep
}
