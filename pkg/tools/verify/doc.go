// Package verify checks everything in a bucket: each checksum and each reference of each segment, that names agree with what they name, what segments
// hold twice, and what nobody needs any more. Memory is bounded by one segment's index and a few chunks, whatever the bucket's size.
//
// Damage is what queries fail over or would miss. Notices are what a sound bucket may hold too.
//
// Repair moves damaged objects to ~quarantine/ under their names, with a .json beside them that says what was wrong and what is lost. Before that, what can
// still be read of a segment is written to a new one, which names the damaged one as its source, so that readers never see both; so an interrupted
// repair is finished by the next.
package verify
