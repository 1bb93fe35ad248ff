package httpapi

import (
	"slices"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/cambium-logs/cambium/pkg/query"
)

// writeResult writes the answer of a query.
func writeResult(j *jsonWriter, r *query.Result, flags []string) {
	j.raw(`{"status":"success"`)
	if len(r.Warnings) > 0 {
		j.raw(`,"warnings":`)
		writeStrings(j, r.Warnings)
	}
	j.raw(`,"data":{"resultType":"`)
	j.raw(string(r.Type))
	j.raw(`"`)
	if len(flags) > 0 && r.Type == query.ResultStreams {
		j.raw(`,"encodingFlags":`)
		writeStrings(j, flags)
	}
	j.raw(`,"result":`)
	switch r.Type {
	case query.ResultStreams:
		writeStreams(j, r, slices.Contains(flags, flagCategorize))
	case query.ResultMatrix:
		writeMatrix(j, r.Matrix)
	case query.ResultVector:
		writeVector(j, r.Vector)
	default:
		j.raw("[")
		j.int(r.Scalar.Timestamp / 1e6)
		j.raw(",")
		j.sample(r.Scalar.Value)
		j.raw("]")
	}
	j.raw(`,"stats":`)
	writeStats(j, &r.Stats)
	if r.Plan != nil {
		j.raw(`,"plan":`)
		writeJSON(j, r.Plan)
	}
	j.raw("}}\n")
}

func writeStrings(j *jsonWriter, list []string) {
	j.raw("[")
	for i, s := range list {
		if i > 0 {
			j.raw(",")
		}
		j.label(s)
		j.room()
	}
	j.raw("]")
}

// writeStreams writes entries by all their labels. Categorized, each entry also tells which of them were not its stream's.
func writeStreams(j *jsonWriter, r *query.Result, categorized bool) {
	j.raw("[")
	for i, stream := range r.Streams(false) {
		if i > 0 {
			j.raw(",")
		}
		j.raw(`{"stream":`)
		j.labels(stream.Labels)
		j.raw(`,"values":[`)
		for k := range stream.Entries {
			if k > 0 {
				j.raw(",")
			}
			writeEntry(j, &stream.Entries[k], categorized)
			j.room()
		}
		j.raw("]}")
	}
	j.raw("]")
}

func writeEntry(j *jsonWriter, e *query.Entry, categorized bool) {
	j.raw("[")
	j.time(e.Timestamp)
	j.raw(",")
	j.str(e.Line)
	if categorized {
		j.raw(",")
		writeCategories(j, e.Labels)
	}
	j.raw("]")
}

// writeCategories writes the labels of an entry that are not its stream's.
func writeCategories(j *jsonWriter, ls *query.EntryLabels) {
	j.raw("{")
	if !ls.Metadata.IsEmpty() {
		j.raw(`"structuredMetadata":`)
		j.labels(ls.Metadata)
	}
	if !ls.Parsed.IsEmpty() {
		if !ls.Metadata.IsEmpty() {
			j.raw(",")
		}
		j.raw(`"parsed":`)
		j.labels(ls.Parsed)
	}
	j.raw("}")
}

func writeMatrix(j *jsonWriter, matrix []query.Series) {
	j.raw("[")
	for i := range matrix {
		if i > 0 {
			j.raw(",")
		}
		j.raw(`{"metric":`)
		j.labels(matrix[i].Labels)
		j.raw(`,"values":[`)
		for k, p := range matrix[i].Points {
			if k > 0 {
				j.raw(",")
			}
			writePoint(j, p)
			j.room()
		}
		j.raw("]}")
	}
	j.raw("]")
}

func writeVector(j *jsonWriter, vector []query.Sample) {
	j.raw("[")
	for i := range vector {
		if i > 0 {
			j.raw(",")
		}
		j.raw(`{"metric":`)
		j.labels(vector[i].Labels)
		j.raw(`,"value":`)
		writePoint(j, vector[i].Point)
		j.raw("}")
		j.room()
	}
	j.raw("]")
}

func writePoint(j *jsonWriter, p query.Point) {
	j.raw("[")
	j.seconds(p.Timestamp)
	j.raw(",")
	j.sample(p.Value)
	j.raw("]")
}

// writeLabelSets writes label sets as an array of objects.
func writeLabelSets(j *jsonWriter, sets []labels.Labels) {
	j.raw("[")
	for i, ls := range sets {
		if i > 0 {
			j.raw(",")
		}
		j.labels(ls)
		j.room()
	}
	j.raw("]")
}
