// Package inspect shows what is in a bucket: its segments, and of a segment sections, streams, chunks and templates.
package inspect
